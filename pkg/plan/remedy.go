package plan

import (
	"fmt"
	"math/big"

	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/share"
)

// wider says which profile would hold an opening that the present one does not: of
// those compiled in, the one with the fewest bytes a value in which the result does not
// wrap and the noise stays hidden. It is worked out, not guessed; "" if there is none.
func (b *builder) wider(degree, homes int, terms int64, largest *big.Int) string {
	var best *he.Profile
	for _, p := range he.Profiles() {
		if p.Encoding() != b.u.Profile.Encoding() || p.MaxDegree() < degree || p.Name() == b.u.Profile.Name() {
			continue
		}
		if largest.Cmp(new(big.Int).SetUint64((p.T()-1)/2)) > 0 || !hides(p, b.u.Committee, degree, homes, terms) {
			continue
		}
		if best == nil || p.BlockBytes() < best.BlockBytes() {
			best = p
		}
	}
	if best == nil {
		return ""
	}
	return fmt.Sprintf("profile %s would hold it, at %d bytes a value", best.Name(), best.BlockBytes()/best.N())
}

// hides reports whether the noise of so many terms stays hidden over enough releases.
func hides(p *he.Profile, c share.Committee, degree, homes int, terms int64) bool {
	_, bits, err := share.FloodBits(p, c, homes, share.NoiseBound(p, degree, terms))
	return err == nil && bits >= share.MinReleaseBits
}
