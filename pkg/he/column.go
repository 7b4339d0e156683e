package he

import (
	"encoding/binary"

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
	stream    []byte          // of the block that is being made: one for all stays in the first-level cache
	rejected  bool            // some word is not below its prime yet
}

// FastColumns says whether this processor makes the blocks of a column together.
func (r *Ring) FastColumns() bool { return vaes.Available && !r.portable }

// ExpandColumn returns the expansion of a number of blocks from the given one on.
func (r *Ring) ExpandColumn(key carnet.KeyID, first BlockID, blocks int) *ColumnExpansion {
	x := &ColumnExpansion{r: r, keys: make([][32]byte, blocks)}
	if r.FastColumns() {
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
	g := len(x.keys)
	for i, v := range words {
		if v >= q {
			lane, block := i/ColumnLane/g, i/ColumnLane%g
			words[i] = x.block(block).overflow(w+uint64(lane*ColumnLane+i%ColumnLane), q)
		}
	}
}

// scatter makes block after block with the standard library and puts every lane where
// it belongs.
func (x *ColumnExpansion) scatter(limb, slot int, out []uint64) {
	g := len(x.keys)
	q := x.r.p.mods[limb].q
	mask := wordMask(q)
	w := uint64(limb*x.r.p.n + slot)
	stride := g * ColumnLane
	if x.stream == nil {
		x.stream = make([]byte, 8*chunkWords)
	}
	for b := range x.keys {
		e := x.block(b)
		for at, left := b*ColumnLane, len(out)/g; left > 0; {
			stream := e.into(x.stream[:8*min(left, chunkWords)], w+uint64(len(out)/g-left))
			left -= len(stream) / 8
			x.rejected = cut(out, at, stride, stream, mask, q) || x.rejected
			at += len(stream) / (8 * ColumnLane) * stride
		}
	}
	if x.rejected {
		x.replace(w, q, out)
		x.rejected = false
	}
}

// cut puts the words of a stream, cut to the mask, lane after lane at out[at:], out[at+stride:],
// ... and says whether one is not below q.
func cut(out []uint64, at, stride int, stream []byte, mask, q uint64) bool {
	q--
	rejected := uint64(0) // the top bit is set if a word is not below q
	for ; len(stream) >= 8*ColumnLane; stream = stream[8*ColumnLane:] {
		to, from := (*[ColumnLane]uint64)(out[at:]), (*[8 * ColumnLane]byte)(stream)
		at += stride
		v0 := binary.LittleEndian.Uint64(from[0:]) & mask
		v1 := binary.LittleEndian.Uint64(from[8:]) & mask
		v2 := binary.LittleEndian.Uint64(from[16:]) & mask
		v3 := binary.LittleEndian.Uint64(from[24:]) & mask
		to[0], to[1], to[2], to[3] = v0, v1, v2, v3
		rejected |= (q - v0) | (q - v1) | (q - v2) | (q - v3)
		v4 := binary.LittleEndian.Uint64(from[32:]) & mask
		v5 := binary.LittleEndian.Uint64(from[40:]) & mask
		v6 := binary.LittleEndian.Uint64(from[48:]) & mask
		v7 := binary.LittleEndian.Uint64(from[56:]) & mask
		to[4], to[5], to[6], to[7] = v4, v5, v6, v7
		rejected |= (q - v4) | (q - v5) | (q - v6) | (q - v7)
	}
	return rejected>>63 != 0
}
