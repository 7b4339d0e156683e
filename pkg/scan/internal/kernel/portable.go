package kernel

import "math/bits"

// Portable is the kernel in Go, for words of up to 60 bits.
var Portable = &Kernel{Name: "go", Bits: 60, multiply: multiply, dot: dot}

func multiply(sums, x0, x1, y0, y1 []uint64, rows int) {
	for size := rows * Lanes; len(x0) > 0; sums = sums[3*Sum:] {
		multiplyGroup((*[3 * Sum]uint64)(sums), x0[:size], x1[:size], y0[:size], y1[:size])
		x0, x1, y0, y1 = x0[size:], x1[size:], y0[size:], y1[size:]
		if len(x0) == 0 {
			return
		}
	}
}

func multiplyGroup(sums *[3 * Sum]uint64, x0, x1, y0, y1 []uint64) {
	x1, y0, y1 = x1[:len(x0)], y0[:len(x0)], y1[:len(x0)]
	for lane := range Lanes {
		l0, l1, l2 := sums[lane], sums[Sum+lane], sums[2*Sum+lane]
		h0, h1, h2 := sums[Lanes+lane], sums[Sum+Lanes+lane], sums[2*Sum+Lanes+lane]
		for i := lane; i < len(x0); i += Lanes {
			p, q, s, t := x0[i], x1[i], y0[i], y1[i]
			var c uint64
			h, l := bits.Mul64(p, s)
			l0, c = bits.Add64(l0, l, 0)
			h0, _ = bits.Add64(h0, h, c)
			h, l = bits.Mul64(p, t)
			l1, c = bits.Add64(l1, l, 0)
			h1, _ = bits.Add64(h1, h, c)
			h, l = bits.Mul64(q, s)
			l1, c = bits.Add64(l1, l, 0)
			h1, _ = bits.Add64(h1, h, c)
			h, l = bits.Mul64(q, t)
			l2, c = bits.Add64(l2, l, 0)
			h2, _ = bits.Add64(h2, h, c)
		}
		sums[lane], sums[Sum+lane], sums[2*Sum+lane] = l0, l1, l2
		sums[Lanes+lane], sums[Sum+Lanes+lane], sums[2*Sum+Lanes+lane] = h0, h1, h2
	}
}

func dot(sums []uint64, stride int, pairs []Pair, rows int) {
	size := rows * Lanes
	for _, p := range pairs {
		at := 0
		for lo := 0; lo < len(p.A); lo += size {
			dotGroup((*[Sum]uint64)(sums[at:]), p.A[lo:lo+size], p.B[lo:lo+size])
			at += stride
		}
	}
}

func dotGroup(sums *[Sum]uint64, a, b []uint64) {
	b = b[:len(a)]
	for lane := range Lanes {
		lo, hi := sums[lane], sums[Lanes+lane]
		for i := lane; i < len(a); i += Lanes {
			h, l := bits.Mul64(a[i], b[i])
			var c uint64
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
		}
		sums[lane], sums[Lanes+lane] = lo, hi
	}
}
