package columnfile

import "encoding/binary"

// The widths of the compiled-in profiles have code of their own: with constant places
// no bound is checked, and a word costs one load, two shifts and one store.

// packGroups packs as many groups as leave 8 bytes for the stores of the last one, and
// returns the rest of both.
func packGroups(out []byte, bits int, words []uint64) ([]byte, []uint64) {
	le := binary.LittleEndian
	switch bits {
	case 52:
		for ; len(out) >= 52+8; out, words = out[52:], words[group:] {
			w, b := (*[group]uint64)(words), (*[53]byte)(out)
			le.PutUint64(b[0:], w[0])
			le.PutUint64(b[6:], w[1]<<4|w[0]>>48)
			le.PutUint64(b[13:], w[2])
			le.PutUint64(b[19:], w[3]<<4|w[2]>>48)
			le.PutUint64(b[26:], w[4])
			le.PutUint64(b[32:], w[5]<<4|w[4]>>48)
			le.PutUint64(b[39:], w[6])
			le.PutUint64(b[45:], w[7]<<4|w[6]>>48)
		}
	case 55:
		for ; len(out) >= 55+8; out, words = out[55:], words[group:] {
			w, b := (*[group]uint64)(words), (*[56]byte)(out)
			le.PutUint64(b[0:], w[0])
			le.PutUint64(b[6:], w[1]<<7|w[0]>>48)
			le.PutUint64(b[13:], w[2]<<6|w[1]>>49)
			le.PutUint64(b[20:], w[3]<<5|w[2]>>50)
			le.PutUint64(b[27:], w[4]<<4|w[3]>>51)
			le.PutUint64(b[34:], w[5]<<3|w[4]>>52)
			le.PutUint64(b[41:], w[6]<<2|w[5]>>53)
			le.PutUint64(b[48:], w[7]<<1|w[6]>>54)
		}
	case 60:
		for ; len(out) >= 60+8; out, words = out[60:], words[group:] {
			w, b := (*[group]uint64)(words), (*[60]byte)(out)
			le.PutUint64(b[0:], w[0])
			le.PutUint64(b[7:], w[1]<<4|w[0]>>56)
			le.PutUint64(b[15:], w[2])
			le.PutUint64(b[22:], w[3]<<4|w[2]>>56)
			le.PutUint64(b[30:], w[4])
			le.PutUint64(b[37:], w[5]<<4|w[4]>>56)
			le.PutUint64(b[45:], w[6])
			le.PutUint64(b[52:], w[7]<<4|w[6]>>56)
		}
	}
	return out, words
}

// unpackGroups is the inverse of packGroups. The top bit of rejected is set if a word
// is not below q.
func unpackGroups(words []uint64, packed []byte, bits int, q uint64) (rest []uint64, tail []byte, rejected uint64) {
	le := binary.LittleEndian
	mask := uint64(1)<<bits - 1
	top := q - 1
	switch bits {
	case 52:
		for ; len(packed) >= 52+8; packed, words = packed[52:], words[group:] {
			w, b := (*[group]uint64)(words), (*[53]byte)(packed)
			v0, v1, v2, v3 := le.Uint64(b[0:])&mask, le.Uint64(b[6:])>>4&mask, le.Uint64(b[13:])&mask, le.Uint64(b[19:])>>4&mask
			v4, v5, v6, v7 := le.Uint64(b[26:])&mask, le.Uint64(b[32:])>>4&mask, le.Uint64(b[39:])&mask, le.Uint64(b[45:])>>4&mask
			rejected |= (top - v0) | (top - v1) | (top - v2) | (top - v3) | (top - v4) | (top - v5) | (top - v6) | (top - v7)
			w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7] = v0, v1, v2, v3, v4, v5, v6, v7
		}
	case 55:
		for ; len(packed) >= 55+8; packed, words = packed[55:], words[group:] {
			w, b := (*[group]uint64)(words), (*[56]byte)(packed)
			v0, v1, v2, v3 := le.Uint64(b[0:])&mask, le.Uint64(b[6:])>>7&mask, le.Uint64(b[13:])>>6&mask, le.Uint64(b[20:])>>5&mask
			v4, v5, v6, v7 := le.Uint64(b[27:])>>4&mask, le.Uint64(b[34:])>>3&mask, le.Uint64(b[41:])>>2&mask, le.Uint64(b[48:])>>1&mask
			rejected |= (top - v0) | (top - v1) | (top - v2) | (top - v3) | (top - v4) | (top - v5) | (top - v6) | (top - v7)
			w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7] = v0, v1, v2, v3, v4, v5, v6, v7
		}
	case 60:
		for ; len(packed) >= 60+8; packed, words = packed[60:], words[group:] {
			w, b := (*[group]uint64)(words), (*[60]byte)(packed)
			v0, v1, v2, v3 := le.Uint64(b[0:])&mask, le.Uint64(b[7:])>>4&mask, le.Uint64(b[15:])&mask, le.Uint64(b[22:])>>4&mask
			v4, v5, v6, v7 := le.Uint64(b[30:])&mask, le.Uint64(b[37:])>>4&mask, le.Uint64(b[45:])&mask, le.Uint64(b[52:])>>4&mask
			rejected |= (top - v0) | (top - v1) | (top - v2) | (top - v3) | (top - v4) | (top - v5) | (top - v6) | (top - v7)
			w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7] = v0, v1, v2, v3, v4, v5, v6, v7
		}
	}
	return words, packed, rejected
}
