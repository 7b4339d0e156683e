// Package inner adds up products of words with AVX2: what a keyholder does with its share
// of a key for every number that it helps to open.
package inner

const (
	// Step is what the number of words is a multiple of.
	Step = rows * lanes
	// Bits is the largest length of words.
	Bits = 55
	// Most is how many words a call takes: their products' sum stays below 2^128.
	Most = 1 << 17

	rows, lanes = 64, 8
)
