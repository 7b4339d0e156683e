package he

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he/internal/vaes"
)

// ColumnLane is the number of neighbouring slots that column-file order keeps together.
const ColumnLane = 8

// ColumnExpansion produces the public halves of consecutive blocks of one column in
// column-file order: of g blocks, slot s of block b is word ((s/8)*g+b)*8 + s%8 of the
// limb. It gives the same words as Expand of every block. It is not safe for concurrent
// use; see Fork.
type ColumnExpansion struct {
	blocks    []*Expansion
	schedules []vaes.Schedule // of all blocks, for processors that make them together
	part      []uint64
}

// ExpandColumn returns the expansion of a number of blocks from the given one on.
func (r *Ring) ExpandColumn(key carnet.KeyID, first BlockID, blocks int) *ColumnExpansion {
	x := &ColumnExpansion{blocks: make([]*Expansion, blocks)}
	if vaes.Available && !r.portable {
		x.schedules = make([]vaes.Schedule, blocks)
	}
	for b := range x.blocks {
		id := first
		id.Block += uint32(b)
		x.blocks[b] = r.Expand(key, id)
		if x.schedules != nil {
			x.schedules[b] = *x.blocks[b].schedule
		}
	}
	return x
}

// Fork returns the same expansion for use by another goroutine.
func (x *ColumnExpansion) Fork() *ColumnExpansion {
	y := &ColumnExpansion{blocks: make([]*Expansion, len(x.blocks)), schedules: x.schedules}
	for b, e := range x.blocks {
		y.blocks[b] = &Expansion{key: e.key, n: e.n, primes: e.primes, schedule: e.schedule}
	}
	return y
}

// Words sets out to the slots from the given one on of a limb: len(out)/g slots in
// column-file order. The first slot and the number of slots are multiples of
// ColumnLane, and fastest as multiples of 32. If ahead has the length of out, as the
// stored halves of the same slots have, it is fetched into the cache meanwhile.
func (x *ColumnExpansion) Words(limb, slot int, out, ahead []uint64) {
	g := len(x.blocks)
	slots := len(out) / g
	q := x.blocks[0].primes[limb].q
	w := uint64(limb*x.blocks[0].n + slot)
	if x.schedules == nil || w%vaes.Step != 0 || slots%vaes.Step != 0 {
		x.scatter(limb, slot, out)
		return
	}
	for size := g * vaes.Step; len(out) > 0; w += vaes.Step {
		var next []uint64
		if len(ahead) >= size {
			next, ahead = ahead[:size], ahead[size:]
		}
		if vaes.Column(x.schedules, w, out[:size], wordMask(q), q-1, next) {
			x.replace(w, q, out[:size])
		}
		out = out[size:]
	}
}

// replace puts the words of the overflow streams where words are not below q.
func (x *ColumnExpansion) replace(w, q uint64, words []uint64) {
	g := len(x.blocks)
	for i, v := range words {
		if v >= q {
			lane, block := i/ColumnLane/g, i/ColumnLane%g
			words[i] = x.blocks[block].overflow(w+uint64(lane*ColumnLane+i%ColumnLane), q)
		}
	}
}

// scatter expands block after block and puts every lane where it belongs.
func (x *ColumnExpansion) scatter(limb, slot int, out []uint64) {
	g := len(x.blocks)
	slots := len(out) / g
	if x.part == nil {
		x.part = make([]uint64, chunkWords)
	}
	for b, e := range x.blocks {
		for lo := 0; lo < slots; lo += len(x.part) {
			part := x.part[:min(len(x.part), slots-lo)]
			e.Words(limb, slot+lo, part)
			for s := 0; s < len(part); s += ColumnLane {
				copy(out[(lo+s)*g+b*ColumnLane:], part[s:s+ColumnLane])
			}
		}
	}
}
