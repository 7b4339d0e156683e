package share

// Remaining is what is left of a dealing after some keyholders destroyed their seeds.
type Remaining struct {
	Holders  int  `json:"holders"`             // keyholders that have not destroyed theirs
	Parts    int  `json:"parts"`               // parts there were, without the home part
	Lost     int  `json:"lost"`                // parts that nobody holds any more
	HomeLost bool `json:"home_lost,omitempty"` // nobody holds the home part any more
}

// Opens reports whether the remaining keyholders together could still open what is
// under the key. Every part masks each power of the secret with a uniform polynomial, so
// one lost part leaves nothing of them; the owner, who knows the key, is not counted.
func (r Remaining) Opens() bool { return r.Lost == 0 && !r.HomeLost }

// Remaining counts what is left once the keyholders with these numbers destroyed their
// seeds. home is the number of the home keyholder, 0 if there is none. Numbers that the
// committee has not, and repeated ones, count for nothing.
//
// A part is lost when everybody who is not in its subset has destroyed it. So the first
// parts are lost with n-t+1 destructions: then t-1 keyholders are left, and the part that
// none of them ever held has no holder.
func (c Committee) Remaining(destroyed []int, home int) Remaining {
	var gone Subset
	for _, i := range destroyed {
		if i >= 1 && i <= c.N {
			gone |= 1 << (i - 1)
		}
	}
	r := Remaining{HomeLost: home >= 1 && home <= c.N && gone>>(home-1)&1 == 1}
	for i := 1; i <= c.N; i++ {
		if gone>>(i-1)&1 == 0 {
			r.Holders++
		}
	}
	everybody := Subset(1)<<c.N - 1
	for _, a := range c.Subsets() {
		r.Parts++
		if everybody&^a&^gone == 0 {
			r.Lost++
		}
	}
	return r
}
