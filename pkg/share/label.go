package share

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Tags of this package. Each is used for one purpose only. "carnet/zero/1" (zero
// sharing of products of shares) and "carnet/noise/1" (privacy noise) are reserved:
// like the flood, they would be expanded from the mask key with F.
const (
	tagCommit     = "carnet/commit/1" // commitment to a part seed
	tagPart       = "carnet/part/1"   // XOF key of a part's polynomial for one power
	tagMask       = "carnet/mask/1"   // mask key of a part in one set of dataset keys
	tagFlood      = "carnet/flood/1"  // flood of one part in one opening
	tagFunctional = "carnet/F/1"      // functional id
)

func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// keyed is HMAC-SHA-256 over the tag and the fields, each preceded by its length as
// 4 bytes big-endian: carnet.Digest's encoding, under a secret key. Unlike a plain
// hash that starts with the key it can't be extended.
func keyed(key []byte, tag string, fields ...[]byte) (out [32]byte) {
	h := hmac.New(sha256.New, key)
	var n [4]byte
	put := func(b []byte) {
		binary.BigEndian.PutUint32(n[:], uint32(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	put([]byte(tag))
	for _, f := range fields {
		put(f)
	}
	h.Sum(out[:0])
	return out
}
