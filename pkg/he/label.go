package he

import "encoding/binary"

// Tags of this package. Each is used for one purpose only.
const (
	tagXOF        = "carnet/xof/1"       // AES key of a uniform polynomial
	tagPublic     = "carnet/public/1"    // XOF key of a block's public half
	tagSecret     = "carnet/sk/1"        // AES key of the ternary secret
	tagErrors     = "carnet/err/1"       // sub-key of all errors of a seed
	tagErrorBlock = "carnet/err/block/1" // AES key of one block's error
)

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
