// Package functional describes exactly what one opening opens: a sum of products of
// named ciphertext blocks, canonically, so that buyer, gateway, keyholder and
// auditor derive the same bytes from the same query.
//
// A Functional lists, for each dataset key, either linear terms (columns, optionally
// restricted to cells) or product terms (products of 2 to 4 factors, each a sum of
// columns less a sum of others); or products of columns of two keys. The planner makes them, package scan evaluates them,
// package share hashes them into the functional id that every mask depends on.
// Weights are 0, 1, or -1 where the description subtracts (and -2 in a squared difference
// across keys): Validate refuses one in
// which any block, cell or product of columns counts twice, because such a
// description could open something other than the sum it claims to be.
package functional

import (
	"bytes"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// MaxDegree is the largest number of encrypted factors of a term.
const MaxDegree = 4

// Functional is the content of one opening. It is immutable once validated.
type Functional struct {
	Degree int        // 1: only linear terms; 2 to MaxDegree: only products of that many factors
	Keys   []KeyTerms // strictly ascending by Key
	// Cross are the terms across keys: if there are any, the degree is 2, and Keys lists
	// the keys and has no terms.
	Cross []Cross
}

// KeySet names the set of keys, which decides the masks of an answer.
func (f *Functional) KeySet() string {
	b := make([]byte, 0, len(carnet.KeyID{})*len(f.Keys))
	for i := range f.Keys {
		b = append(b, f.Keys[i].Key[:]...)
	}
	return string(b)
}

// KeyTerms are the terms over ciphertexts of one dataset key.
type KeyTerms struct {
	Key      carnet.KeyID
	Linear   []Linear  // Degree 1: ascending by (File, Column)
	Products []Product // otherwise: ascending by (File, Factors)
}

// Linear is the sum of one column of one file: over all slots if Cells is nil (slot
// encoding), over the chosen cells otherwise (coefficient encoding).
type Linear struct {
	File   carnet.Nonce
	Column uint32
	Blocks uint32   // number of blocks of the file
	Cells  []uint32 // strictly ascending; cell c is coefficient c%N of block c/N
	Minus  bool     // subtracted: weight -1 instead of 1
}

// Product is the sum over all blocks and slots of one file of the product of the
// factors. Two factors share no column, or are the same single column.
type Product struct {
	File    carnet.Nonce
	Blocks  uint32
	Factors []Factor // as many as the degree, ascending
}

// Factor is a sum of columns less a sum of other columns.
type Factor struct {
	Plus, Minus []uint32 // strictly ascending column numbers, disjoint, not both empty
}

// Sum is the factor that adds up the columns.
func Sum(columns ...uint32) Factor { return Factor{Plus: columns} }

// Width is the number of columns of the factor.
func (f *Factor) Width() int { return len(f.Plus) + len(f.Minus) }

// Columns lists the distinct columns of all factors, ascending.
func (p *Product) Columns() []uint32 {
	var all []uint32
	for i := range p.Factors {
		all = append(append(all, p.Factors[i].Plus...), p.Factors[i].Minus...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func bad(format string, args ...any) error {
	return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "the functional is not canonical: "+format, args...)
}

// Validate checks that the description is canonical and that every weight is 0, 1 or -1
// for blocks of n coefficients. Many functionals of one query are checked with a Memo.
func (f *Functional) Validate(n int) error { return NewMemo(n).Validate(f) }

// Sort puts keys, terms, factors, cells and columns into canonical order. It does not merge
// repeated terms: Validate refuses those.
func (f *Functional) Sort() {
	for i := range f.Keys {
		for j := range f.Keys[i].Linear {
			slices.Sort(f.Keys[i].Linear[j].Cells)
		}
	}
	f.SortTerms()
}

// SortTerms is Sort for a functional whose cells are in order already.
func (f *Functional) SortTerms() {
	slices.SortFunc(f.Keys, func(a, b KeyTerms) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	for i := range f.Keys {
		k := &f.Keys[i]
		slices.SortFunc(k.Linear, func(a, b Linear) int {
			if c := bytes.Compare(a.File[:], b.File[:]); c != 0 {
				return c
			}
			return int(int64(a.Column) - int64(b.Column))
		})
		for j := range k.Products {
			p := &k.Products[j]
			for m := range p.Factors {
				slices.Sort(p.Factors[m].Plus)
				slices.Sort(p.Factors[m].Minus)
			}
			slices.SortFunc(p.Factors, compareFactors)
		}
		slices.SortFunc(k.Products, func(a, b Product) int { return compareProducts(&a, &b) })
	}
	sortCross(f.Cross)
}

// LinearHash is H_D of the scheme for the linear terms of one key: the digest of the
// sorted list of (nonce, column, sign, what of the column). The last is the number of
// blocks for a whole column in slot encoding, and the digest of the chosen cells in
// coefficient encoding; docs/formats/shares.md has both. It contains neither the number
// of blocks of a file of which cells are chosen nor how terms were grouped: the same
// sums have the same hash.
func (k *KeyTerms) LinearHash(n int) carnet.Hash { return NewMemo(n).LinearHash(k) }

// Digest identifies the description itself, for comparing plans. It is not the
// functional id of the scheme: for products that one depends on the ciphertexts.
func (f *Functional) Digest(n int) carnet.Hash { return NewMemo(n).Digest(f) }
