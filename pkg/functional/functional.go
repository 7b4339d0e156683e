// Package functional describes exactly what one opening opens: a sum of products of
// named ciphertext blocks, canonically, so that buyer, gateway, keyholder and
// auditor derive the same bytes from the same query.
//
// A Functional lists, for each dataset key, either linear terms (columns, optionally
// restricted to cells) or product terms (products of 2 to 4 factors, each a sum of
// columns less a sum of others). The planner makes them, package scan evaluates them,
// package share hashes them into the functional id that every mask depends on.
// Weights are 0, 1, or -1 where the description subtracts: Validate refuses one in
// which any block, cell or product of columns counts twice, because such a
// description could open something other than the sum it claims to be.
package functional

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// MaxDegree is the largest number of encrypted factors of a term.
const MaxDegree = 4

// Functional is the content of one opening. It is immutable once validated.
type Functional struct {
	Degree int        // 1: only linear terms; 2 to MaxDegree: only products of that many factors
	Keys   []KeyTerms // strictly ascending by Key
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

// Validate checks that the description is canonical and that every weight is 0 or 1
// for blocks of n coefficients.
func (f *Functional) Validate(n int) error {
	if f.Degree < 1 || f.Degree > MaxDegree {
		return bad("degree %d", f.Degree)
	}
	if len(f.Keys) == 0 {
		return bad("no terms")
	}
	for i := range f.Keys {
		k := &f.Keys[i]
		if i > 0 && bytes.Compare(f.Keys[i-1].Key[:], k.Key[:]) >= 0 {
			return bad("keys out of order")
		}
		if f.Degree == 1 && (len(k.Linear) == 0 || len(k.Products) != 0) ||
			f.Degree > 1 && (len(k.Products) == 0 || len(k.Linear) != 0) {
			return bad("terms of another degree, or none, under key %s", k.Key)
		}
		if err := validateLinear(k.Linear, n); err != nil {
			return err
		}
		if err := validateProducts(k.Products, f.Degree); err != nil {
			return err
		}
	}
	return nil
}

func validateLinear(ts []Linear, n int) error {
	for i := range ts {
		t := &ts[i]
		if i > 0 {
			p := &ts[i-1]
			c := bytes.Compare(p.File[:], t.File[:])
			if c > 0 || c == 0 && p.Column >= t.Column {
				return bad("linear terms out of order or repeated")
			}
		}
		if t.Blocks == 0 {
			return bad("a file without blocks")
		}
		if t.Cells == nil {
			continue
		}
		if len(t.Cells) == 0 {
			return bad("an empty cell list")
		}
		for j, c := range t.Cells {
			if j > 0 && t.Cells[j-1] >= c {
				return bad("cells out of order or repeated")
			}
		}
		if last := t.Cells[len(t.Cells)-1]; uint64(last) >= uint64(t.Blocks)*uint64(n) {
			return bad("cell %d outside %d blocks", last, t.Blocks)
		}
	}
	return nil
}

// Sort puts keys, terms, factors, cells and columns into canonical order. It does not merge
// repeated terms: Validate refuses those.
func (f *Functional) Sort() {
	slices.SortFunc(f.Keys, func(a, b KeyTerms) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	for i := range f.Keys {
		k := &f.Keys[i]
		for j := range k.Linear {
			slices.Sort(k.Linear[j].Cells)
		}
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
}

// LinearHash is H_D of the scheme for the linear terms of one key: the digest of
// the sorted list of (nonce, column, block, sign, cell bitmap). A bitmap has n/8
// bytes, bit c%8 of byte c/8 for cell c; it is empty for whole blocks in slot
// encoding. Blocks without a chosen cell are not listed.
func (k *KeyTerms) LinearHash(n int) carnet.Hash {
	var fields [][]byte
	for i := range k.Linear {
		t := &k.Linear[i]
		emit := func(block uint32, bitmap []byte) {
			var head [9]byte
			binary.BigEndian.PutUint32(head[:], t.Column)
			binary.BigEndian.PutUint32(head[4:], block)
			head[8] = 1
			if t.Minus {
				head[8] = 0xff
			}
			fields = append(fields, t.File[:], head[:4], head[4:8], head[8:], bitmap)
		}
		if t.Cells == nil {
			for b := range t.Blocks {
				emit(b, nil)
			}
			continue
		}
		for lo := 0; lo < len(t.Cells); {
			block := t.Cells[lo] / uint32(n)
			bitmap := make([]byte, n/8)
			hi := lo
			for ; hi < len(t.Cells) && t.Cells[hi]/uint32(n) == block; hi++ {
				c := t.Cells[hi] % uint32(n)
				bitmap[c/8] |= 1 << (c % 8)
			}
			emit(block, bitmap)
			lo = hi
		}
	}
	return carnet.Digest("carnet/HD/linear/1", fields...)
}

// Digest identifies the description itself, for comparing plans. It is not the
// functional id of the scheme: for products that one depends on the ciphertexts.
func (f *Functional) Digest(n int) carnet.Hash {
	u32 := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	list := func(vs []uint32) []byte {
		var b []byte
		for _, v := range vs {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return b
	}
	fields := [][]byte{u32(uint32(f.Degree))}
	for i := range f.Keys {
		k := &f.Keys[i]
		h := k.LinearHash(n)
		fields = append(fields, k.Key[:], h[:], u32(uint32(len(k.Products))))
		for j := range k.Products {
			p := &k.Products[j]
			fields = append(fields, p.File[:], u32(p.Blocks))
			for m := range p.Factors {
				fields = append(fields, list(p.Factors[m].Plus), list(p.Factors[m].Minus))
			}
		}
	}
	return carnet.Digest("carnet/functional/2", fields...)
}
