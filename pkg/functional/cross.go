package functional

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	// MaxCrossKeys is the largest number of dataset keys that one functional multiplies
	// with each other: every two of them can be a polynomial.
	MaxCrossKeys = 12
	// MaxCrossTerms is the largest number of terms of such a functional.
	MaxCrossTerms = 4096
)

// Cross is a term across two dataset keys: the sum over all blocks and slots of a factor
// of one file times a factor of another, row by row. Both files have as many blocks, and
// row r of the one belongs to row r of the other.
type Cross struct {
	Left, Right CrossFactor // Left.Key is below Right.Key
	Blocks      uint32
	// Weight is 1, or -2 for the mixed term of a squared difference: the sum of (x-y)^2
	// over pairs of rows is x^2*1 + 1*y^2 - 2*x*y, all three across the keys.
	Weight int
}

// CrossFactor is one side of a Cross.
type CrossFactor struct {
	Key    carnet.KeyID
	File   carnet.Nonce
	Factor Factor
}

// Across returns the functional of terms across keys, in canonical order.
func Across(terms ...Cross) *Functional {
	f := &Functional{Degree: 2, Cross: terms}
	for i := range terms {
		for _, key := range []carnet.KeyID{terms[i].Left.Key, terms[i].Right.Key} {
			if !slices.ContainsFunc(f.Keys, func(k KeyTerms) bool { return k.Key == key }) {
				f.Keys = append(f.Keys, KeyTerms{Key: key})
			}
		}
	}
	f.Sort()
	return f
}

// validateCross checks a functional that has terms across keys.
func validateCross(f *Functional) error {
	switch {
	case f.Degree != 2:
		return bad("degree %d across keys", f.Degree)
	case len(f.Keys) < 2 || len(f.Keys) > MaxCrossKeys:
		return bad("%d keys are multiplied with each other", len(f.Keys))
	case len(f.Cross) > MaxCrossTerms:
		return bad("%d terms across keys", len(f.Cross))
	}
	used := map[carnet.KeyID]bool{}
	for i := range f.Keys {
		if i > 0 && bytes.Compare(f.Keys[i-1].Key[:], f.Keys[i].Key[:]) >= 0 {
			return bad("keys out of order")
		}
		if len(f.Keys[i].Linear)+len(f.Keys[i].Products) > 0 {
			return bad("terms of one key beside terms across keys")
		}
		used[f.Keys[i].Key] = false
	}
	for i := range f.Cross {
		t := &f.Cross[i]
		if i > 0 && compareCross(&f.Cross[i-1], t) >= 0 {
			return bad("terms across keys out of order or repeated")
		}
		for _, x := range []*CrossFactor{&t.Left, &t.Right} {
			if _, known := used[x.Key]; !known {
				return bad("key %s is not listed", x.Key)
			}
			used[x.Key] = true
			if err := x.Factor.validate(); err != nil {
				return err
			}
		}
		if bytes.Compare(t.Left.Key[:], t.Right.Key[:]) >= 0 {
			return bad("the sides of a term across keys are out of order, or have one key")
		}
		if t.Blocks == 0 {
			return bad("a file without blocks")
		}
	}
	for key, ok := range used {
		if !ok {
			return bad("no terms under key %s", key)
		}
	}
	return validateWeights(f.Cross)
}

// validate checks one factor by itself.
func (f *Factor) validate() error {
	if f.Width() == 0 {
		return bad("an empty factor")
	}
	for _, columns := range [][]uint32{f.Plus, f.Minus} {
		for i, c := range columns {
			if i > 0 && columns[i-1] >= c {
				return bad("columns of a factor out of order or repeated")
			}
		}
	}
	if common(f.Plus, f.Minus) {
		return bad("a column is both added and subtracted")
	}
	return nil
}

// common reports whether two ascending lists have an element in common.
func common(x, y []uint32) bool {
	for len(x) > 0 && len(y) > 0 {
		switch c := cmp.Compare(x[0], y[0]); {
		case c == 0:
			return true
		case c < 0:
			x = x[1:]
		default:
			y = y[1:]
		}
	}
	return false
}

// overlap reports whether two factors of one file have a column in common.
func (f *Factor) overlap(g *Factor) bool {
	for _, x := range [][]uint32{f.Plus, f.Minus} {
		for _, y := range [][]uint32{g.Plus, g.Minus} {
			if common(x, y) {
				return true
			}
		}
	}
	return false
}

// filePair names what terms are compared within: those of other files have no product of
// columns in common with them.
type filePair struct{ left, right carnet.Nonce }

// validateWeights checks that no two columns are multiplied twice, that a file has one
// number of blocks, and that weights are 1, but in a sum of squared differences.
func validateWeights(ts []Cross) error {
	byFiles := map[filePair][]*Cross{}
	blocks := map[carnet.Nonce]uint32{}
	doubled := 0
	for i := range ts {
		t := &ts[i]
		for _, x := range []*CrossFactor{&t.Left, &t.Right} {
			if n, known := blocks[x.File]; known && n != t.Blocks {
				return bad("file %s is said to have %d blocks and %d blocks", x.File, n, t.Blocks)
			}
			blocks[x.File] = t.Blocks
		}
		at := filePair{t.Left.File, t.Right.File}
		for _, other := range byFiles[at] {
			if other.Left.Factor.overlap(&t.Left.Factor) && other.Right.Factor.overlap(&t.Right.Factor) {
				return bad("the same columns of files %s and %s are multiplied twice", t.Left.File, t.Right.File)
			}
		}
		byFiles[at] = append(byFiles[at], t)
		switch t.Weight {
		case 1:
		case -2:
			doubled++
		default:
			return bad("weight %d", t.Weight)
		}
	}
	if doubled == 0 {
		return nil
	}
	for _, terms := range byFiles {
		if !squaredDifference(terms) {
			return bad("weight -2 in what is no sum of squared differences")
		}
	}
	return nil
}

// squaredDifference reports whether the terms of two files are x^2*1 + 1*y^2 - 2*x*y, as
// far as that can be seen without the schema: three products of single columns, one of
// them of weight -2, and every column in one of them.
func squaredDifference(terms []*Cross) bool {
	if len(terms) != 3 {
		return false
	}
	sum := 0
	for i, t := range terms {
		if len(t.Left.Factor.Plus) != 1 || t.Left.Factor.Width() != 1 || len(t.Right.Factor.Plus) != 1 || t.Right.Factor.Width() != 1 {
			return false
		}
		for _, u := range terms[:i] {
			if t.Left.Factor.overlap(&u.Left.Factor) || t.Right.Factor.overlap(&u.Right.Factor) {
				return false
			}
		}
		sum += t.Weight
	}
	return sum == 0
}

func compareCross(x, y *Cross) int {
	side := func(a, b *CrossFactor) int {
		return cmp.Or(bytes.Compare(a.Key[:], b.Key[:]), bytes.Compare(a.File[:], b.File[:]))
	}
	return cmp.Or(side(&x.Left, &y.Left), side(&x.Right, &y.Right),
		compareFactors(x.Left.Factor, y.Left.Factor), compareFactors(x.Right.Factor, y.Right.Factor))
}

// sortCross puts terms across keys into canonical order, their sides too.
func sortCross(ts []Cross) {
	for i := range ts {
		t := &ts[i]
		for _, f := range []*Factor{&t.Left.Factor, &t.Right.Factor} {
			slices.Sort(f.Plus)
			slices.Sort(f.Minus)
		}
		if bytes.Compare(t.Left.Key[:], t.Right.Key[:]) > 0 {
			t.Left, t.Right = t.Right, t.Left
		}
	}
	slices.SortFunc(ts, func(a, b Cross) int { return compareCross(&a, &b) })
}

// crossDigest is Functional.Digest of terms across keys.
func crossDigest(f *Functional) carnet.Hash {
	u32 := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	fields := [][]byte{u32(uint32(len(f.Keys)))}
	for i := range f.Keys {
		fields = append(fields, f.Keys[i].Key[:])
	}
	for i := range f.Cross {
		t := &f.Cross[i]
		fields = append(fields, u32(t.Blocks), u32(uint32(t.Weight)))
		for _, x := range []*CrossFactor{&t.Left, &t.Right} {
			fields = append(fields, x.Key[:], x.File[:], columnList(x.Factor.Plus), columnList(x.Factor.Minus))
		}
	}
	return carnet.Digest("carnet/functional/cross/1", fields...)
}

// columnList is a list of columns as it is hashed.
func columnList(vs []uint32) []byte {
	b := make([]byte, 0, 4*len(vs))
	for _, v := range vs {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// Products returns how many products of blocks a term across keys counts for in the
// noise: blocks times columns of both sides times the weight. It is cut off at 2^62.
func (t *Cross) Products() int64 {
	const most = uint64(1) << 62
	n := uint64(1)
	for _, x := range []uint64{uint64(t.Blocks), uint64(t.Left.Factor.Width()), uint64(t.Right.Factor.Width()), uint64(max(t.Weight, -t.Weight))} {
		hi, lo := bits.Mul64(n, x)
		if hi > 0 || lo > most {
			return int64(most)
		}
		n = lo
	}
	return int64(n)
}
