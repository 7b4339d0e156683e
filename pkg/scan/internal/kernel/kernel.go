// Package kernel adds products of residues to 128-bit sums: the inner loops of a scan.
//
// Words come in column-file order: lane j of row b of group i is word (i*rows+b)*8+j.
// A row is a block of ciphertext, a lane one of 8 neighbouring slots. A kernel adds up
// all rows of each lane in registers. Sums are exact integers, so that every kernel
// leaves the same residues; how many products they take is he.LazyProducts.
package kernel

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/he"
)

const (
	// Lanes is the number of slots of a group.
	Lanes = 8
	// MaxRows is how many rows a call may have.
	MaxRows = 64
	// Sum is the number of words of the 128-bit sums of one group: 8 low halves, then 8
	// high halves.
	Sum = 2 * Lanes
)

// Pair names two runs of words that are multiplied word by word.
type Pair struct{ A, B []uint64 }

// Kernel is one way of multiplying. Its functions are safe for concurrent use.
type Kernel struct {
	Name string
	// Bits is the largest length of words.
	Bits int

	// multiply adds x0*y0, x0*y1 + x1*y0 and x1*y1 to three sums that follow each other.
	multiply func(sums, x0, x1, y0, y1 []uint64, rows int)
	// dot adds the sum of the pairs' products to a sum, groups stride words apart.
	dot func(sums []uint64, stride int, pairs []Pair, rows int)
	// rows sets sums, 8 words a group, to the sums of the rows.
	rows func(sums, words []uint64, rows int)
	// addMod and subMod add x to sum and subtract it, modulo the prime.
	addMod, subMod func(sum, x []uint64, prime uint64)
	// reduce sets out to the residues of sums, groups stride words apart, and product p to the
	// three polynomials of a product modulo the prime; nil, or an answer of false: not for
	// this prime.
	reduce  func(out, sums []uint64, stride int, m he.Reducer) bool
	product func(p [3][]uint64, x0, x1, y0, y1 []uint64, m he.Reducer) bool
}

// RowBits is the largest length of words that Rows adds up.
const RowBits = 57

// Choose returns the fastest kernel of this machine for words of the given length.
func Choose(bits int, portable bool) *Kernel {
	if !portable {
		for _, k := range native() {
			if bits <= k.Bits {
				return k
			}
		}
	}
	return Portable
}

// Usable returns all kernels of this machine for words of the given length.
func Usable(bits int) []*Kernel {
	var out []*Kernel
	for _, k := range native() {
		if bits <= k.Bits {
			out = append(out, k)
		}
	}
	return append(out, Portable)
}

// Multiply adds the product of ciphertexts (x0, x1) and (y0, y1) to the sums of every
// group: Sum words for each of D_0, D_1, D_2. The four runs are as long as each other.
func (k *Kernel) Multiply(sums, x0, x1, y0, y1 []uint64, rows int) {
	check(len(sums), len(x0), 3*Sum, 3*Sum, rows)
	equal(len(x0), len(x1), len(y0), len(y1))
	k.multiply(sums, x0, x1, y0, y1, rows)
}

// Dot adds the sum of the products of one to three pairs to the first Sum of every
// stride words.
func (k *Kernel) Dot(sums []uint64, stride int, pairs []Pair, rows int) {
	n := len(pairs[0].A)
	check(len(sums), n, stride, Sum, rows)
	for _, p := range pairs {
		equal(n, len(p.A), len(p.B))
	}
	k.dot(sums, stride, pairs, rows)
}

// Rows sets sums, one word for each slot, to the sum of the rows; words are below
// 2^RowBits, so that sums are below 2^63.
func (k *Kernel) Rows(sums, words []uint64, rows int) {
	check(len(sums), len(words), Lanes, Lanes, rows)
	k.rows(sums, words, rows)
}

// AddMod adds x to sum modulo the prime, of which both have residues; there is a
// multiple of Lanes.
func (k *Kernel) AddMod(sum, x []uint64, prime uint64) {
	check(len(sum), len(x), Lanes, Lanes, 1)
	equal(len(sum), len(x))
	k.addMod(sum, x, prime)
}

// SubMod subtracts x from sum likewise.
func (k *Kernel) SubMod(sum, x []uint64, prime uint64) {
	check(len(sum), len(x), Lanes, Lanes, 1)
	equal(len(sum), len(x))
	k.subMod(sum, x, prime)
}

// Reduce sets out, one word for each slot, to the residues of the first Sum of every stride
// words of sums.
func (k *Kernel) Reduce(out, sums []uint64, stride int, m he.Reducer) {
	check(len(sums), len(out), stride, Sum, 1)
	if k.reduce == nil || !k.reduce(out, sums, stride, m) {
		reduce(out, sums, stride, m)
	}
}

// Product sets p to the residues of x0*y0, x0*y1 + x1*y0 and x1*y1, word by word, for
// residues as many as a multiple of Lanes.
func (k *Kernel) Product(p [3][]uint64, x0, x1, y0, y1 []uint64, m he.Reducer) {
	check(len(x0), len(x0), Lanes, Lanes, 1)
	equal(len(x0), len(x1), len(y0), len(y1), len(p[0]), len(p[1]), len(p[2]))
	if k.product == nil || !k.product(p, x0, x1, y0, y1, m) {
		product(p, x0, x1, y0, y1, m)
	}
}

// shortBits is the largest length of the difference of a prime to the power of two above
// it that the assembly takes.
const shortBits = 27

// short returns that power and the difference.
func short(m he.Reducer) (power int, c uint64, ok bool) {
	power = bits.Len64(m.Prime())
	c = 1<<power - m.Prime()
	return power, c, bits.Len64(c) <= shortBits
}

func check(sums, words, stride, last, rows int) {
	groups := words / Lanes / max(rows, 1)
	if rows < 1 || rows > MaxRows || groups < 1 || groups*rows*Lanes != words || sums < (groups-1)*stride+last {
		panic("kernel: lengths differ")
	}
}

// equal keeps assembly within its slices.
func equal(n int, others ...int) {
	for _, x := range others {
		if x != n {
			panic("kernel: lengths differ")
		}
	}
}
