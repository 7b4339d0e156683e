package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/he"
)

// A kernel that is wrong in any of its functions is not used.
func TestWrongKernelsAreLeftOut(t *testing.T) {
	wrong := func(change func(k *Kernel)) *Kernel {
		k := *Portable
		k.Name = "wrong"
		change(&k)
		return &k
	}
	good := *Portable
	ks := []*Kernel{
		&good,
		wrong(func(k *Kernel) {
			k.multiply = func(sums, x0, x1, y0, y1 []uint64, rows int) {
				multiply(sums, x0, x1, y0, y1, rows)
				sums[2*Sum+Lanes] &= 1<<40 - 1 // a carry is lost
			}
		}),
		wrong(func(k *Kernel) {
			k.dot = func(sums []uint64, stride int, p []Pair, rows int) { dot(sums, stride, p[:min(len(p), 2)], rows) }
		}),
		wrong(func(k *Kernel) {
			k.rows = func(sums, words []uint64, rows int) { rowSums(sums, words, rows); sums[Lanes-1]++ }
		}),
		wrong(func(k *Kernel) { k.addMod = func(sum, x []uint64, _ uint64) { addMod(sum, x, 1<<63) } }),
		wrong(func(k *Kernel) {
			k.reduce = func(out, sums []uint64, stride int, m he.Reducer) bool {
				reduce(out, sums, stride, m)
				out[0] += m.Prime() // right, but not the residue
				return true
			}
		}),
		wrong(func(k *Kernel) {
			k.product = func(p [3][]uint64, x0, x1, y0, y1 []uint64, m he.Reducer) bool {
				product(p, x0, x1, y0, y1, m)
				clear(p[1][Lanes:])
				return true
			}
		}),
		wrong(func(k *Kernel) { k.subMod = func(sum, x []uint64, _ uint64) { subMod(sum, x, 0) } }),
	}
	require.Equal(t, []*Kernel{&good}, agreeing(ks))
}
