package keyholder

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// homes counts the distinct home keyholders among a functional's keys.
func homes(c *Case, f *functional.Functional) int {
	seen := map[int]bool{}
	for i := range f.Keys {
		if h := c.dealing(f.Keys[i].Key).body.Home; h != nil {
			seen[h.Member] = true
		}
	}
	return len(seen)
}

// floodBits recomputes the flooding width of an opening and how many releases it allows.
func floodBits(c *Case, p *plan.Plan, o *plan.Opening) (bits, releaseBits int, err error) {
	profile, fs := c.inputs[0].dealing.profile, o.Functionals()
	var bounds []*big.Int
	for _, f := range fs {
		bounds = append(bounds, share.NoiseBound(profile, f.Degree, share.Terms(f)))
	}
	bound := bounds[0]
	if p.Private != nil {
		bound = share.SelectionBound(p.Private.Weight, bounds)
	}
	return share.FloodBits(profile, c.committee().scheme, homes(c, fs[0]), bound)
}

// floods is floodBits for many openings. Groups of one query mostly add up as many cells
// each, so that the same is found for all of them.
type floods struct {
	c    *Case
	seen map[floodCase]floodWidth
}

type floodCase struct {
	degree, homes int
	terms         int64
}

type floodWidth struct {
	bits, releaseBits int
	err               error
}

func newFloods(c *Case) *floods { return &floods{c, map[floodCase]floodWidth{}} }

func (fl *floods) of(p *plan.Plan, o *plan.Opening) (bits, releaseBits int, err error) {
	if p.Private != nil {
		return floodBits(fl.c, p, o)
	}
	at := floodCase{o.F.Degree, homes(fl.c, o.F), share.Terms(o.F)}
	w, known := fl.seen[at]
	if !known {
		w.bits, w.releaseBits, w.err = floodBits(fl.c, p, o)
		fl.seen[at] = w
	}
	return w.bits, w.releaseBits, w.err
}

// maxReleases is R of scheme §5, the least over the plan's openings.
func maxReleases(c *Case, p *plan.Plan) (int64, error) {
	limit, floods := int64(1)<<62, newFloods(c)
	for i := range p.Openings {
		_, bits, err := floods.of(p, &p.Openings[i])
		if err != nil {
			return 0, err
		}
		limit = min(limit, share.MaxReleases(c.committee().scheme, bits))
	}
	return limit, nil
}
