package he

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Tags of this package. Each is used for one purpose only.
const (
	tagXOF        = "carnet/xof/1"       // AES key of a uniform polynomial
	tagPublic     = "carnet/public/1"    // XOF key of a block's public half
	tagSecret     = "carnet/sk/1"        // AES key of the ternary secret
	tagErrors     = "carnet/err/1"       // sub-key of all errors of a seed
	tagErrorBlock = "carnet/err/block/1" // AES key of one block's error
)

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// keyed is HMAC-SHA-256 over the tag and the fields, each preceded by its length as
// 4 bytes big-endian: carnet.Digest's encoding, under a secret key.
func keyed(key []byte, tag string, fields ...[]byte) (out [32]byte) {
	h := hmac.New(sha256.New, key)
	put := func(b []byte) {
		h.Write(u32(uint32(len(b))))
		h.Write(b)
	}
	put([]byte(tag))
	for _, f := range fields {
		put(f)
	}
	h.Sum(out[:0])
	return out
}
