package schema

import (
	"math/big"
	"math/bits"
)

// int128 is a two's complement integer of 128 bits. Squares, products and cell sums
// are kept in it; the schema's bounds, checked by Validate, make overflow impossible.
type int128 struct {
	hi int64
	lo uint64
}

func int128From(v int64) int128 { return int128{v >> 63, uint64(v)} }

func (a int128) add(b int128) int128 {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(uint64(a.hi), uint64(b.hi), carry)
	return int128{int64(hi), lo}
}

// mul64 is the exact product of two int64.
func mul64(x, y int64) int128 {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	if x < 0 {
		hi -= uint64(y)
	}
	if y < 0 {
		hi -= uint64(x)
	}
	return int128{int64(hi), lo}
}

// digit returns floor(a / 2^shift), reduced to its low width bits unless width is 0.
// The caller makes sure that the result fits an int64.
func (a int128) digit(shift, width uint) int64 {
	var v uint64
	switch {
	case shift == 0:
		v = a.lo
	case shift < 64:
		v = a.lo>>shift | uint64(a.hi)<<(64-shift)
	default:
		v = uint64(a.hi >> min(shift-64, 63))
	}
	if width > 0 {
		v &= 1<<width - 1
	}
	return int64(v)
}

func (a int128) big() *big.Int {
	x := new(big.Int).Lsh(big.NewInt(a.hi), 64)
	return x.Add(x, new(big.Int).SetUint64(a.lo))
}
