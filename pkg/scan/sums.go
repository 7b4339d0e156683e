package scan

// add sets sum to the sum of a factor's columns less that of the columns it subtracts,
// modulo the prime.
func (r *runner) add(sum []uint64, f *factor, prime uint64, words func(c int) []uint64) {
	clear(sum)
	for _, c := range f.plus {
		addMod(sum, words(c), prime)
	}
	for _, c := range f.minus {
		subMod(sum, words(c), prime)
	}
}

// subMod subtracts x from sum modulo the prime.
func subMod(sum, x []uint64, prime uint64) {
	x = x[:len(sum)]
	for i := range sum {
		s := sum[i] - x[i]
		if sum[i] < x[i] {
			s += prime
		}
		sum[i] = s
	}
}

// addMod adds x to sum modulo the prime.
func addMod(sum, x []uint64, prime uint64) {
	x = x[:len(sum)]
	for i := range sum {
		s := sum[i] + x[i]
		if s >= prime {
			s -= prime
		}
		sum[i] = s
	}
}
