// Package functional describes exactly what one opening opens: a sum of products of
// named ciphertext blocks, canonically, so that buyer, gateway, keyholder and
// auditor derive the same bytes from the same query.
//
// A Functional lists, for each dataset key, either linear terms (columns, optionally
// restricted to cells) or product terms (sums of columns times sums of columns).
// The planner makes them, package scan evaluates them, package share hashes them
// into the functional id that every mask depends on. Weights are 0 or 1: Validate
// refuses a description in which any block, cell or pair counts twice, because such
// a description could open something other than the sum it claims to be.
package functional

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Functional is the content of one opening. It is immutable once validated.
type Functional struct {
	Degree int        // 1: only linear terms, 2: only product terms
	Keys   []KeyTerms // strictly ascending by Key
}

// KeyTerms are the terms over ciphertexts of one dataset key.
type KeyTerms struct {
	Key      carnet.KeyID
	Linear   []Linear  // Degree 1: ascending by (File, Column)
	Products []Product // Degree 2: ascending by (File, A, B)
}

// Linear is the sum of one column of one file: over all slots if Cells is nil (slot
// encoding), over the chosen cells otherwise (coefficient encoding).
type Linear struct {
	File   carnet.Nonce
	Column uint32
	Blocks uint32   // number of blocks of the file
	Cells  []uint32 // strictly ascending; cell c is coefficient c%N of block c/N
}

// Product is the sum over all blocks and slots of one file of
// (sum of columns A) x (sum of columns B).
type Product struct {
	File   carnet.Nonce
	Blocks uint32
	A, B   []uint32 // strictly ascending column numbers, not empty
}

func bad(format string, args ...any) error {
	return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "the functional is not canonical: "+format, args...)
}

// Validate checks that the description is canonical and that every weight is 0 or 1
// for blocks of n coefficients.
func (f *Functional) Validate(n int) error {
	if f.Degree != 1 && f.Degree != 2 {
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
			f.Degree == 2 && (len(k.Products) == 0 || len(k.Linear) != 0) {
			return bad("terms of another degree, or none, under key %s", k.Key)
		}
		if err := validateLinear(k.Linear, n); err != nil {
			return err
		}
		if err := validateProducts(k.Products); err != nil {
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

func validateProducts(ts []Product) error {
	seen := factors{a: map[fileColumn][]int{}, b: map[fileColumn][]int{}}
	for i := range ts {
		t := &ts[i]
		if i > 0 && compareProducts(&ts[i-1], t) >= 0 {
			return bad("product terms out of order or repeated")
		}
		if t.Blocks == 0 {
			return bad("a file without blocks")
		}
		for _, cols := range [][]uint32{t.A, t.B} {
			if len(cols) == 0 {
				return bad("an empty factor")
			}
			for j := 1; j < len(cols); j++ {
				if cols[j-1] >= cols[j] {
					return bad("columns of a factor out of order or repeated")
				}
			}
		}
		if common(t.A, t.B, 2) || seen.overlap(ts, i) {
			return bad("two columns of file %s are multiplied twice", t.File)
		}
	}
	return nil
}

type fileColumn struct {
	file   carnet.Nonce
	column uint32
}

// factors tells which products have a column in A and in B. Pairs of columns are
// compared through them and never listed: two dimensions of 10,000 codes have a
// hundred million.
type factors struct{ a, b map[fileColumn][]int }

// overlap reports whether product i multiplies two columns that an earlier one
// multiplies, in either order, and enters it.
func (s *factors) overlap(ts []Product, i int) bool {
	t := &ts[i]
	type side struct {
		product int
		b       bool
	}
	done := map[side]bool{}
	for _, c := range t.A {
		at := fileColumn{t.File, c}
		for _, j := range s.a[at] {
			if !done[side{j, false}] && common(ts[j].B, t.B, 1) {
				return true
			}
			done[side{j, false}] = true
		}
		for _, j := range s.b[at] {
			if !done[side{j, true}] && common(ts[j].A, t.B, 1) {
				return true
			}
			done[side{j, true}] = true
		}
		s.a[at] = append(s.a[at], i)
	}
	for _, c := range t.B {
		at := fileColumn{t.File, c}
		s.b[at] = append(s.b[at], i)
	}
	return false
}

// common reports whether two ascending lists have at least n columns in common.
func common(x, y []uint32, n int) bool {
	for len(x) > 0 && len(y) > 0 {
		switch {
		case x[0] < y[0]:
			x = x[1:]
		case x[0] > y[0]:
			y = y[1:]
		default:
			if n--; n == 0 {
				return true
			}
			x, y = x[1:], y[1:]
		}
	}
	return false
}

func compareProducts(x, y *Product) int {
	if c := bytes.Compare(x.File[:], y.File[:]); c != 0 {
		return c
	}
	if c := slices.Compare(x.A, y.A); c != 0 {
		return c
	}
	return slices.Compare(x.B, y.B)
}

// Sort puts keys, terms, cells and columns into canonical order. It does not merge
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
			slices.Sort(k.Products[j].A)
			slices.Sort(k.Products[j].B)
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
			head[8] = 1 // sign: every weight is +1
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
			fields = append(fields, p.File[:], u32(p.Blocks), list(p.A), list(p.B))
		}
	}
	return carnet.Digest("carnet/functional/1", fields...)
}
