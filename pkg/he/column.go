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
	r         *Ring
	keys      [][32]byte
	schedules []vaes.Schedule // of all blocks, for processors that make them together
	blocks    []*Expansion    // made on first use
	streams   streams         // of some slots, for the standard library's way
}

// ExpandColumn returns the expansion of a number of blocks from the given one on.
func (r *Ring) ExpandColumn(key carnet.KeyID, first BlockID, blocks int) *ColumnExpansion {
	x := &ColumnExpansion{r: r, keys: make([][32]byte, blocks)}
	if vaes.Available && !r.portable {
		x.schedules = make([]vaes.Schedule, blocks)
	}
	for b := range x.keys {
		id := first
		id.Block += uint32(b)
		x.keys[b] = r.aesKey(r.publicKey(key, id))
		if x.schedules != nil {
			vaes.Expand(&x.keys[b], &x.schedules[b])
		}
	}
	return x
}

// Fork returns the same expansion for use by another goroutine.
func (x *ColumnExpansion) Fork() *ColumnExpansion {
	return &ColumnExpansion{r: x.r, keys: x.keys, schedules: x.schedules}
}

// block returns the expansion of one block.
func (x *ColumnExpansion) block(b int) *Expansion {
	if x.blocks == nil {
		x.blocks = make([]*Expansion, len(x.keys))
	}
	if x.blocks[b] == nil {
		x.blocks[b] = newExpansion(&x.keys[b], x.r.p.n, x.r.p.mods, x.r.portable)
	}
	return x.blocks[b]
}

// Words sets out to the slots from the given one on of a limb: len(out)/g slots in
// column-file order. The first slot and the number of slots are multiples of
// ColumnLane, and fastest as multiples of 32. If ahead has the length of out, as the
// stored halves of the same slots have, it is fetched into the cache meanwhile.
func (x *ColumnExpansion) Words(limb, slot int, out, ahead []uint64) {
	g := len(x.keys)
	slots := len(out) / g
	q := x.r.p.mods[limb].q
	w := uint64(limb*x.r.p.n + slot)
	if x.schedules == nil || w%vaes.Step != 0 || slots%vaes.Step != 0 {
		x.gather(limb, slot, out, ahead)
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
	g := len(x.keys)
	for i, v := range words {
		if v >= q {
			lane, block := i/ColumnLane/g, i/ColumnLane%g
			words[i] = x.block(block).overflow(w+uint64(lane*ColumnLane+i%ColumnLane), q)
		}
	}
}
