//go:build !purego

package kernel

import (
	"sync"

	"golang.org/x/sys/cpu"

	"github.com/carnet-network/carnet/pkg/he"
)

// native returns the kernels of this machine that agree with Go, fastest first.
var native = sync.OnceValue(func() (ks []*Kernel) {
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512IFMA {
		ks = append(ks, &Kernel{
			Name: "ifma", Bits: 52,
			multiply: func(sums, x0, x1, y0, y1 []uint64, rows int) {
				multiplyIFMA(&x0[0], &x1[0], &y0[0], &y1[0], rows, len(x0)/Lanes/rows, &sums[0])
			},
			dot: func(sums []uint64, stride int, p []Pair, rows int) {
				groups := len(p[0].A) / Lanes / rows
				switch len(p) {
				case 1:
					dot1IFMA(&p[0].A[0], &p[0].B[0], rows, groups, &sums[0], 8*stride)
				case 2:
					dot2IFMA(&p[0].A[0], &p[0].B[0], &p[1].A[0], &p[1].B[0], rows, groups, &sums[0], 8*stride)
				case 3:
					dot3IFMA(&p[0].A[0], &p[0].B[0], &p[1].A[0], &p[1].B[0], &p[2].A[0], &p[2].B[0], rows, groups, &sums[0], 8*stride)
				}
			},
			rows: addRows, addMod: addModSIMD, subMod: subModSIMD, reduce: reduceSIMD, product: productSIMD,
		})
	}
	if cpu.X86.HasAVX2 {
		ks = append(ks, &Kernel{
			Name: "avx2", Bits: 55,
			multiply: func(sums, x0, x1, y0, y1 []uint64, rows int) {
				multiplyAVX2(&x0[0], &x1[0], &y0[0], &y1[0], rows, len(x0)/Lanes/rows, &sums[0])
			},
			dot: func(sums []uint64, stride int, p []Pair, rows int) {
				groups := len(p[0].A) / Lanes / rows
				switch len(p) {
				case 1:
					dot1AVX2(&p[0].A[0], &p[0].B[0], rows, groups, &sums[0], 8*stride)
				case 2:
					dot2AVX2(&p[0].A[0], &p[0].B[0], &p[1].A[0], &p[1].B[0], rows, groups, &sums[0], 8*stride)
				case 3:
					dot3AVX2(&p[0].A[0], &p[0].B[0], &p[1].A[0], &p[1].B[0], &p[2].A[0], &p[2].B[0], rows, groups, &sums[0], 8*stride)
				}
			},
			rows: addRows, addMod: addModSIMD, subMod: subModSIMD, reduce: reduceSIMD, product: productSIMD,
		})
	}
	if cpu.X86.HasBMI2 {
		ks = append(ks, &Kernel{
			Name: "mulx", Bits: 60,
			multiply: func(sums, x0, x1, y0, y1 []uint64, rows int) {
				multiplyMULX(&x0[0], &x1[0], &y0[0], &y1[0], rows, len(x0)/Lanes/rows, &sums[0])
			},
			dot: func(sums []uint64, stride int, pairs []Pair, rows int) {
				for _, p := range pairs {
					dotMULX(&p.A[0], &p.B[0], rows, len(p.A)/Lanes/rows, &sums[0], 8*stride)
				}
			},
			rows: rowSums, addMod: addMod, subMod: subMod,
		})
	}
	return agreeing(ks)
})

func addRows(sums, words []uint64, rows int) {
	rowsAVX2(&words[0], rows, len(words)/Lanes/rows, &sums[0])
}

func addModSIMD(sum, x []uint64, prime uint64) {
	addModAVX2(&sum[0], &x[0], len(sum)/Lanes, prime)
}

func subModSIMD(sum, x []uint64, prime uint64) {
	subModAVX2(&sum[0], &x[0], len(sum)/Lanes, prime)
}

func reduceSIMD(out, sums []uint64, stride int, m he.Reducer) bool {
	power, c, ok := short(m)
	switch {
	case ok && power == 52:
		reduce52AVX2(&out[0], &sums[0], len(out)/Lanes, 8*stride, m.Prime(), c)
	case ok && power == 55:
		reduce55AVX2(&out[0], &sums[0], len(out)/Lanes, 8*stride, m.Prime(), c)
	default:
		return false
	}
	return true
}

func productSIMD(p [3][]uint64, x0, x1, y0, y1 []uint64, m he.Reducer) bool {
	power, c, ok := short(m)
	if ok = ok && power == 55; ok {
		productAVX2(&p[0][0], &p[1][0], &p[2][0], &x0[0], &x1[0], &y0[0], &y1[0], len(x0)/Lanes, m.Prime(), c)
	}
	return ok
}
