package scan

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/he"
)

// wide holds the sums D_0, D_1, D_2 of one word as 128-bit integers: low and high
// half of each.
type wide [6]uint64

// multiply adds the product of the ciphertexts x and y, word by word: x0*y0 to D_0,
// x0*y1 + x1*y0 to D_1 and x1*y1 to D_2. All slices have the length of acc.
func multiply(acc []wide, x0, x1, y0, y1 []uint64) {
	x0, x1, y0, y1 = x0[:len(acc)], x1[:len(acc)], y0[:len(acc)], y1[:len(acc)]
	for i := range acc {
		a := &acc[i]
		p, q, s, t := x0[i], x1[i], y0[i], y1[i]
		var c uint64
		h, l := bits.Mul64(p, s)
		a[0], c = bits.Add64(a[0], l, 0)
		a[1], _ = bits.Add64(a[1], h, c)
		h, l = bits.Mul64(p, t)
		lo, c := bits.Add64(a[2], l, 0)
		hi, _ := bits.Add64(a[3], h, c)
		h, l = bits.Mul64(q, s)
		a[2], c = bits.Add64(lo, l, 0)
		a[3], _ = bits.Add64(hi, h, c)
		h, l = bits.Mul64(q, t)
		a[4], c = bits.Add64(a[4], l, 0)
		a[5], _ = bits.Add64(a[5], h, c)
	}
}

// relieve reduces the high halves modulo the prime, which leaves the sums
// unchanged modulo the prime and makes room for he.LazyProducts more.
func relieve(acc []wide, prime uint64) {
	for i := range acc {
		acc[i][1] %= prime
		acc[i][3] %= prime
		acc[i][5] %= prime
	}
}

// finish reduces the sums of one limb to residues.
func finish(acc []wide, m he.Reducer, d0, d1, d2 []uint64) {
	d0, d1, d2 = d0[:len(acc)], d1[:len(acc)], d2[:len(acc)]
	for i := range acc {
		a := &acc[i]
		d0[i] = m.Reduce(a[1], a[0])
		d1[i] = m.Reduce(a[3], a[2])
		d2[i] = m.Reduce(a[5], a[4])
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
