package columnfile

import (
	"encoding/binary"
	"unsafe"
)

// littleEndian: words in memory are the bytes of the raw form.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Bytes returns words in raw form, 8 bytes little-endian each: the same memory where
// the machine keeps them so, a copy elsewhere.
func Bytes(words []uint64) []byte {
	if len(words) == 0 {
		return nil
	}
	if littleEndian {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
	}
	b := make([]byte, 0, 8*len(words))
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// View returns raw bytes as words without a copy; ok is false if the machine can't:
// the bytes are not aligned to 8, not a multiple of 8, or in the other order.
func View(b []byte) (words []uint64, ok bool) {
	p := unsafe.Pointer(unsafe.SliceData(b))
	if !littleEndian || len(b) == 0 || len(b)%8 != 0 || uintptr(p)%8 != 0 {
		return nil, false
	}
	return unsafe.Slice((*uint64)(p), len(b)/8), true
}

// Copy sets words from raw bytes; len(b) is 8 x len(words).
func Copy(words []uint64, b []byte) {
	if littleEndian {
		copy(Bytes(words), b)
		return
	}
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
}
