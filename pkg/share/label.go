package share

import "encoding/binary"

// Tags of this package. Each is used for one purpose only.
const (
	tagCommit     = "carnet/commit/1" // commitment to a part seed
	tagPart       = "carnet/part/1"   // XOF key of a part's polynomial for one power
	tagMask       = "carnet/mask/1"   // mask key of a part in one set of dataset keys
	tagFlood      = "carnet/flood/1"  // flood of one part in one opening
	tagNoise      = "carnet/noise/1"  // key of one part's privacy noise in one opening
	tagFunctional = "carnet/F/1"      // functional id

	tagReshare       = "carnet/reshare/1"        // nonce of a resharing: of what and to whom
	tagReshareSeed   = "carnet/reshare/seed/1"   // seed that an old part gives to a new one
	tagReshareJoin   = "carnet/reshare/join/1"   // one seed of all that a new part was given
	tagReshareCommit = "carnet/reshare/commit/1" // commitment to a seed that an old part gives to a new one
	tagReshareList   = "carnet/reshare/list/1"   // commitment to all of a new part
	tagReshareSays   = "carnet/reshare/says/1"   // what a holder says of a part, to compare
	tagReshareSealed = "carnet/reshare/sealed/1" // HPKE context of the sealed seeds of a contribution

	tagSelectCommit  = "carnet/select/commit/1" // commitment to a part seed of a selection
	tagSelectSeeds   = "carnet/select/seeds/2"  // HPKE context of the sealed seeds of a selection
	tagSelectShare   = "carnet/select/share/1"  // AES key of a part's additive shares of a selection
	tagSelectHash    = "carnet/select/1"        // H_w: identity of a shared selection
	tagSelectSpare   = "carnet/select/spare/1"  // H_w of one with entries that stand for no code
	tagSelectRho     = "carnet/select/rho/1"    // XOF key of the coefficients of a selection's check
	tagSelectCheck   = "carnet/select/check/1"  // XOF key of the zero sharings that hide check scalars
	tagSelectMask    = "carnet/mask/select/1"   // mask key of a part in one set of dataset keys and one selection
	tagSelectContent = "carnet/HD/select/1"     // content of one key in an opening with a selection
	tagZero          = "carnet/zero/1"          // XOF key of the zero sharing that hides a product of shares
)

func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
