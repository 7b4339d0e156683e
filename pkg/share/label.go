package share

import "encoding/binary"

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
