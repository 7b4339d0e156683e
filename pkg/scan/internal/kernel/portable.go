package kernel

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/he"
)

// Portable is the kernel in Go, for words of up to 60 bits.
var Portable = &Kernel{Name: "go", Bits: 60, multiply: multiply, dot: dot, rows: rowSums, addMod: addMod, subMod: subMod}

func multiply(sums, x0, x1, y0, y1 []uint64, rows int) {
	for size := rows * Lanes; len(x0) > 0; sums = sums[3*Sum:] {
		if to := (*[3 * Sum]uint64)(sums); rows == MaxRows {
			multiplyWhole(to, (*whole)(x0), (*whole)(x1), (*whole)(y0), (*whole)(y1))
		} else {
			multiplyGroup(to, x0[:size], x1[:size], y0[:size], y1[:size])
		}
		x0, x1, y0, y1 = x0[size:], x1[size:], y0[size:], y1[size:]
		if len(x0) == 0 {
			return
		}
	}
}

// multiplyGroup makes three products instead of four: x0*y1 + x1*y0 is
// (x0+x1)*(y0+y1) - x0*y0 - x1*y1. The sums of the long products may wrap; the
// difference does not, and integers modulo 2^128 don't mind.
//
// Each has a loop of its own, so that what a loop needs fits into registers.
func multiplyGroup(sums *[3 * Sum]uint64, x0, x1, y0, y1 []uint64) {
	for lane := range Lanes {
		h0, l0, h2, l2 := inner2(x0[lane:], y0[lane:], x1[lane:], y1[lane:])
		h1, l1 := innerSums(x0[lane:], x1[lane:], y0[lane:], y1[lane:])
		add3(sums, lane, h0, l0, h1, l1, h2, l2)
	}
}

// add3 adds x0*y0 and x1*y1, and what (x0+x1)*(y0+y1) has beyond them.
func add3(sums *[3 * Sum]uint64, lane int, h0, l0, h1, l1, h2, l2 uint64) {
	var c uint64
	l1, c = bits.Sub64(l1, l0, 0)
	h1, _ = bits.Sub64(h1, h0, c)
	l1, c = bits.Sub64(l1, l2, 0)
	h1, _ = bits.Sub64(h1, h2, c)
	add(sums[:], lane, l0, h0)
	add(sums[Sum:], lane, l1, h1)
	add(sums[2*Sum:], lane, l2, h2)
}

// inner is the sum of a[i]*b[i] for every i of a lane.
func inner(a, b []uint64) (hi, lo uint64) {
	b = b[:len(a)]
	for i := 0; i < len(a); i += Lanes {
		hi, lo = multiplyAdd(hi, lo, a[i], b[i])
	}
	return hi, lo
}

// inner2 is inner of a and b, and of x and y. Two rows a turn halve what the loop itself
// costs.
func inner2(a, b, x, y []uint64) (hi0, lo0, hi2, lo2 uint64) {
	n := len(a)
	b, x, y = b[:n], x[:n], y[:n]
	i := 0
	for ; i+Lanes < n; i += 2 * Lanes {
		j := i + Lanes
		hi0, lo0 = multiplyAdd(hi0, lo0, a[i], b[i])
		hi2, lo2 = multiplyAdd(hi2, lo2, x[i], y[i])
		hi0, lo0 = multiplyAdd(hi0, lo0, a[j], b[j])
		hi2, lo2 = multiplyAdd(hi2, lo2, x[j], y[j])
	}
	if i < n {
		hi0, lo0 = multiplyAdd(hi0, lo0, a[i], b[i])
		hi2, lo2 = multiplyAdd(hi2, lo2, x[i], y[i])
	}
	return hi0, lo0, hi2, lo2
}

// innerSums is the sum of (a[i]+b[i])*(x[i]+y[i]) for every i of a lane, modulo 2^128.
func innerSums(a, b, x, y []uint64) (hi, lo uint64) {
	n := len(a)
	b, x, y = b[:n], x[:n], y[:n]
	i := 0
	for ; i+Lanes < n; i += 2 * Lanes {
		j := i + Lanes
		hi, lo = multiplyAdd(hi, lo, a[i]+b[i], x[i]+y[i])
		hi, lo = multiplyAdd(hi, lo, a[j]+b[j], x[j]+y[j])
	}
	if i < n {
		hi, lo = multiplyAdd(hi, lo, a[i]+b[i], x[i]+y[i])
	}
	return hi, lo
}

// multiplyAdd adds a product to hi, lo modulo 2^128.
func multiplyAdd(hi, lo, a, b uint64) (uint64, uint64) {
	h, l := bits.Mul64(a, b)
	lo, c := bits.Add64(lo, l, 0)
	hi, _ = bits.Add64(hi, h, c)
	return hi, lo
}

func add(sums []uint64, lane int, lo, hi uint64) {
	var c uint64
	sums[lane], c = bits.Add64(sums[lane], lo, 0)
	sums[Lanes+lane], _ = bits.Add64(sums[Lanes+lane], hi, c)
}

func dot(sums []uint64, stride int, pairs []Pair, rows int) {
	size := rows * Lanes
	for _, p := range pairs {
		at := 0
		for lo := 0; lo < len(p.A); lo += size {
			if to := (*[Sum]uint64)(sums[at:]); rows == MaxRows {
				dotWhole(to, (*whole)(p.A[lo:]), (*whole)(p.B[lo:]))
			} else {
				dotGroup(to, p.A[lo:lo+size], p.B[lo:lo+size])
			}
			at += stride
		}
	}
}

func dotGroup(sums *[Sum]uint64, a, b []uint64) {
	for lane := range Lanes {
		hi, lo := inner(a[lane:], b[lane:])
		add(sums[:], lane, lo, hi)
	}
}

func rowSums(sums, words []uint64, rows int) {
	for size := rows * Lanes; len(words) > 0; sums, words = sums[Lanes:], words[size:] {
		var s [Lanes]uint64
		for i := 0; i < size; i += Lanes {
			row := (*[Lanes]uint64)(words[i:])
			for j := range s {
				s[j] += row[j]
			}
		}
		copy(sums, s[:])
	}
}

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

func reduce(out, sums []uint64, stride int, m he.Reducer) {
	for at := 0; len(out) > 0; at, out = at+stride, out[Lanes:] {
		group, to := (*[Sum]uint64)(sums[at:]), (*[Lanes]uint64)(out)
		for i := range to {
			to[i] = m.Reduce(group[Lanes+i], group[i])
		}
	}
}

func product(p [3][]uint64, x0, x1, y0, y1 []uint64, m he.Reducer) {
	n := len(x0)
	x1, y0, y1, p0, p1, p2 := x1[:n], y0[:n], y1[:n], p[0][:n], p[1][:n], p[2][:n]
	for i := range x0 {
		h, l := bits.Mul64(x0[i], y0[i])
		p0[i] = m.ReduceProduct(h, l)
		h, l = bits.Mul64(x0[i], y1[i])
		h2, l2 := bits.Mul64(x1[i], y0[i])
		l, c := bits.Add64(l, l2, 0)
		h, _ = bits.Add64(h, h2, c)
		p1[i] = m.ReduceProduct(h, l)
		h, l = bits.Mul64(x1[i], y1[i])
		p2[i] = m.ReduceProduct(h, l)
	}
}
