package he

import "encoding/binary"

// The standard library's AES makes one block's words at a time. They are taken in long runs,
// block after block, and put in column-file order by reading a lane of every block:
// to read here and there costs less than to write so.

const (
	// streamSlots is how many slots of a block are taken at a time: enough for AES, few
	// enough for those of streamBlocks blocks to stay in the second-level cache.
	streamSlots = 256
	// streamBlocks is the number of blocks for which the loop has fixed lengths.
	streamBlocks = 64
	// streamStride is the number of bytes between blocks: not a power of two, of which all
	// would fall on a few lines of the cache.
	streamStride = 8 * (streamSlots + ColumnLane)
)

// streams are those of some slots of all blocks, streamStride apart.
type streams struct {
	bytes             []byte
	limb, slot, slots int
}

func (s *streams) has(limb, slot int) bool {
	return limb == s.limb && slot >= s.slot && slot < s.slot+s.slots
}

// gather is Words with the standard library.
func (x *ColumnExpansion) gather(limb, slot int, out, ahead []uint64) {
	g := len(x.keys)
	q := x.r.p.mods[limb].q
	for size := g * ColumnLane; len(out) > 0; slot, out = slot+ColumnLane, out[size:] {
		if !x.streams.has(limb, slot) {
			x.fetch(limb, slot)
		}
		lane, touched := out[:size], out[:size]
		if len(ahead) >= size {
			touched, ahead = ahead[:size], ahead[size:]
		}
		from := x.streams.bytes[8*(slot-x.streams.slot):]
		var rejected bool
		if g == streamBlocks {
			rejected = cutWhole((*wholeLane)(lane), (*wholeLane)(touched), (*wholeStreams)(from), wordMask(q), 1<<63-q)
		} else {
			rejected = cut(lane, touched, from, wordMask(q), 1<<63-q)
		}
		if rejected {
			x.replace(uint64(limb*x.r.p.n+slot), q, lane)
		}
	}
}

// fetch takes the streams of a limb from a slot on.
func (x *ColumnExpansion) fetch(limb, slot int) {
	s := &x.streams
	if s.bytes == nil {
		s.bytes = make([]byte, streamStride*len(x.keys))
	}
	s.limb, s.slot = limb, slot
	s.slots = min(streamSlots-slot%streamSlots, x.r.p.n-slot)
	for b := range x.keys {
		x.block(b).into(s.bytes[b*streamStride:][:8*s.slots], uint64(limb*x.r.p.n+slot))
	}
}

type (
	wholeLane    = [streamBlocks * ColumnLane]uint64
	wholeStreams = [(streamBlocks-1)*streamStride + 8*ColumnLane]byte
)

// cutWhole sets out to a lane of every block, cut to the mask, and says whether one is not below q,
// which is 2^63 - bias. It reads touched, words below 2^63 of which nothing else is
// wanted, so that they are in the cache afterwards: out itself, or the stored halves.
//
// It is cut with lengths that the compiler knows: so everything fits into registers.
func cutWhole(out, touched *wholeLane, streams *wholeStreams, mask, bias uint64) bool {
	above := uint64(0) // the top bit is set if a word is not below q
	_, _, _ = out[0], touched[0], streams[0]
	at := 0
	for i := 0; i < len(out); i += ColumnLane {
		to, from := (*[ColumnLane]uint64)(out[i:i+ColumnLane]), (*[8 * ColumnLane]byte)(streams[at:at+8*ColumnLane])
		at += streamStride
		v0 := binary.LittleEndian.Uint64(from[0:]) & mask
		to[0] = v0
		above |= v0 + bias
		v1 := binary.LittleEndian.Uint64(from[8:]) & mask
		to[1] = v1
		above |= v1 + bias
		v2 := binary.LittleEndian.Uint64(from[16:]) & mask
		to[2] = v2
		above |= v2 + bias
		v3 := binary.LittleEndian.Uint64(from[24:]) & mask
		to[3] = v3
		above |= v3 + bias
		v4 := binary.LittleEndian.Uint64(from[32:]) & mask
		to[4] = v4
		above |= v4 + bias
		v5 := binary.LittleEndian.Uint64(from[40:]) & mask
		to[5] = v5
		above |= v5 + bias
		v6 := binary.LittleEndian.Uint64(from[48:]) & mask
		to[6] = v6
		above |= v6 + bias
		v7 := binary.LittleEndian.Uint64(from[56:]) & mask
		to[7] = v7
		above |= v7 + bias
		above |= touched[i]
	}
	return above>>63 != 0
}

func cut(out, touched []uint64, streams []byte, mask, bias uint64) bool {
	above := uint64(0)
	at := 0
	for i := 0; i < len(out); i += ColumnLane {
		to, from := out[i:i+ColumnLane], streams[at:at+8*ColumnLane]
		at += streamStride
		for j := range to {
			v := binary.LittleEndian.Uint64(from[8*j:]) & mask
			to[j] = v
			above |= v + bias
		}
		above |= touched[i]
	}
	return above>>63 != 0
}
