// Package spelling finds the word that was likely meant by one that is not known: names in
// schemas and queries, keywords of SQL. It is pure, and knows nothing of what the words are for.
package spelling

// Nearest returns the word most like s, and "" if none is close: words are compared as plain
// gives them, such as without case and separators, and up to a third of the characters may
// differ, so that short ones have to agree. Of equals the first is returned.
func Nearest(s string, words []string, plain func(string) string) string {
	a := plain(s)
	best, least := "", len(a)/3+1
	for _, w := range words {
		b := plain(w)
		if gap := len(a) - len(b); max(gap, -gap) >= least {
			continue
		}
		if d := Distance(a, b); d < least {
			best, least = w, d
		}
	}
	return best
}

// Distance is the number of insertions, deletions, replacements and swaps of neighbouring
// bytes that turn a into b.
func Distance(a, b string) int {
	two, one, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(cur[j]+1, one[j+1]+1, one[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cur[j+1] = min(cur[j+1], two[j-1]+1)
			}
		}
		two, one, cur = one, cur, two
	}
	return one[len(b)]
}
