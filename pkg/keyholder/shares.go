package keyholder

import (
	"context"
	"math/big"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// maxShares bounds how many expanded keys stay in memory, about 1 MiB each.
const maxShares = 64

// shareCache keeps expanded key shares. One that is dropped is not overwritten,
// since an answer may still be computed from it; all that are left are, at the end.
type shareCache struct {
	mu    sync.Mutex
	items map[carnet.KeyID]*share.KeyShare
	order []carnet.KeyID // oldest first
}

func newShareCache() *shareCache { return &shareCache{items: map[carnet.KeyID]*share.KeyShare{}} }

func (s *shareCache) zero() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.items {
		k.Zero()
	}
	s.items, s.order = map[carnet.KeyID]*share.KeyShare{}, nil
}

// keyShare returns this keyholder's share of a key, from seeds that were compared
// with the commitments again when they were read.
func (k *Keyholder) keyShare(ctx context.Context, d *dealing) (*share.KeyShare, error) {
	s := k.shares
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.items[d.key]; got != nil {
		return got, nil
	}
	plain, err := k.keys.Get(ctx, d.key)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	if err := checkSeeds(d, plain); err != nil {
		return nil, err
	}
	b, err := share.ParseBundle(plain)
	if err != nil {
		return nil, err
	}
	got, err := share.NewKeyShare(he.NewRing(d.profile), d.committee.scheme, d.key, b, d.profile.MaxDegree())
	if err != nil {
		return nil, err
	}
	if len(s.order) >= maxShares {
		delete(s.items, s.order[0])
		s.order = s.order[1:]
	}
	s.items[d.key], s.order = got, append(s.order, d.key)
	return got, nil
}

// respond is scheme §6.8: it floods every value under the functional's id and
// returns the canonical bytes of the answer: one scalar for every opening in plan
// order and, from a home keyholder, as many home scalars again. The home scalar of
// an opening without a key this keyholder is home of is zero.
func (k *Keyholder) respond(ctx context.Context, c *Case, p *plan.Plan, der *derived) ([]byte, error) {
	profile, com := c.inputs[0].dealing.profile, c.committee()
	ring := he.NewRing(profile)
	responders := map[string]*share.Responder{}
	values, home := make([]he.Scalar, len(p.Openings)), make([]he.Scalar, len(p.Openings))
	for i := range p.Openings {
		o := &p.Openings[i]
		rs := responders[keySet(o.F)]
		if rs == nil {
			var shares []*share.KeyShare
			for j := range o.F.Keys {
				s, err := k.keyShare(ctx, c.dealing(o.F.Keys[j].Key))
				if err != nil {
					return nil, err
				}
				shares = append(shares, s)
			}
			var err error
			if rs, err = share.NewResponder(ring, com.scheme, com.number, shares); err != nil {
				return nil, err
			}
			responders[keySet(o.F)] = rs
		}
		// The degree is the functional's own, not what a plan says about it.
		values[i] = rs.Respond(der.ids[i], o.F.Degree, o.FloodBits, der.values[i])
		if rs.Home() {
			home[i] = rs.RespondHome(der.ids[i], o.F.Degree, o.FloodBits, der.home[i])
		}
	}
	if der.home != nil {
		values = append(values, home...)
	}
	return wire.AppendScalars(nil, profile, values), nil
}

// keySet names the keys of a functional.
func keySet(f *functional.Functional) string {
	b := make([]byte, 0, 32*len(f.Keys))
	for i := range f.Keys {
		b = append(b, f.Keys[i].Key[:]...)
	}
	return string(b)
}

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
