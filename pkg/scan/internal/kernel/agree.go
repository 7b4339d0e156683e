package kernel

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/he"
)

// agreeing returns the kernels that give the sums that Go gives, tried before the first
// use: the longest and largest words in as many rows as a call takes, and others in a
// few. A processor that a kernel was never run on is not trusted with it: a wrong total
// looks like any other.
func agreeing(ks []*Kernel) []*Kernel {
	return slices.DeleteFunc(ks, func(k *Kernel) bool { return !agrees(k, MaxRows, true) || !agrees(k, 3, false) })
}

func agrees(k *Kernel, rows int, largest bool) bool {
	const groups = 2
	top := uint64(1)<<k.Bits - 1
	state := uint64(1)
	words := func(n int, mask uint64) []uint64 {
		w := make([]uint64, n)
		for i := range w {
			state = state*6364136223846793005 + 1442695040888963407 // any words will do
			if w[i] = mask; !largest {
				w[i] = (state ^ state>>29) & mask
			}
		}
		return w
	}
	var x [6][]uint64
	for i := range x {
		x[i] = words(groups*rows*Lanes, top)
	}
	start := words(groups*3*Sum, 1<<56-1)
	same := func(with func(k *Kernel, sums []uint64)) bool {
		want, have := slices.Clone(start), slices.Clone(start)
		with(Portable, want)
		with(k, have)
		return slices.Equal(want, have)
	}
	pairs := []Pair{{x[0], x[1]}, {x[2], x[3]}, {x[4], x[5]}}
	prime := top // not one, but words below it are all that adding asks for
	below := slices.Clone(x[0])
	for i := range below {
		below[i] = min(below[i], prime-1)
	}
	short := slices.Clone(below)
	for i := range short {
		short[i] &= 1<<RowBits - 1
	}
	for _, power := range []int{52, 55} { // of primes there is assembly for; odd is all that reducing asks for
		m := he.NewReducer(1<<power - 1<<shortBits + 1)
		var r [4][]uint64
		for i := range r {
			for _, v := range x[i][:groups*Lanes] {
				r[i] = append(r[i], min(v, m.Prime()-1))
			}
		}
		sums := words(groups*3*Sum, ^uint64(0))
		if !same(func(k *Kernel, s []uint64) { k.Reduce(s[:groups*Lanes], sums, 3*Sum, m) }) ||
			!same(func(k *Kernel, s []uint64) {
				k.Product([3][]uint64{s[:groups*Lanes], s[groups*Lanes : 2*groups*Lanes], s[2*groups*Lanes : 3*groups*Lanes]}, r[0], r[1], r[2], r[3], m)
			}) {
			return false
		}
	}
	return same(func(k *Kernel, s []uint64) { k.Multiply(s, x[0], x[1], x[2], x[3], rows) }) &&
		same(func(k *Kernel, s []uint64) { k.Dot(s, 3*Sum, pairs[:1], rows) }) &&
		same(func(k *Kernel, s []uint64) { k.Dot(s, 3*Sum, pairs[:2], rows) }) &&
		same(func(k *Kernel, s []uint64) { k.Dot(s, 3*Sum, pairs, rows) }) &&
		same(func(k *Kernel, s []uint64) { k.Rows(s, short, rows) }) &&
		same(func(k *Kernel, s []uint64) { copy(s, below); k.AddMod(s[:Lanes], below[Lanes:2*Lanes], prime) }) &&
		same(func(k *Kernel, s []uint64) { copy(s, below); k.SubMod(s[:Lanes], below[Lanes:2*Lanes], prime) })
}
