package local

import (
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

var _ keys.CrossSession = (*Session)(nil)

// Cross implements keys.CrossSession.
func (s *Session) Cross(ctx context.Context, i int, parts *scan.CrossParts, corrections map[carnet.KeyID]he.Poly) error {
	s.of.using.RLock()
	defer s.of.using.RUnlock()
	f := s.fs[i]
	if !slices.EqualFunc(f.Keys, parts.Keys, func(k functional.KeyTerms, key carnet.KeyID) bool { return k.Key == key }) || len(f.Cross) == 0 {
		return carnet.E(carnet.Internal, "FUNCTIONAL_MISSING", "what was given is not functional %d across keys", i)
	}
	held, err := s.sharesOf(ctx, f)
	if err != nil {
		return err
	}
	shares := map[carnet.KeyID]he.Poly{}
	for _, k := range held {
		if corrections[k.Key()] == nil {
			return missing(k.Key())
		}
		shares[k.Key()] = k.Power(1)
	}
	if _, err := s.crossResponder(held); err != nil { // refused before anything is computed of its shares
		return err
	}
	s.Given(i, parts.Share(s.ring, shares, corrections), he.Scalar{})
	return nil
}

func (s *Session) crossResponder(held []*share.KeyShare) (*share.CrossResponder, error) {
	return share.NewCrossResponder(s.ring, s.r.Dealings[0].Scheme, s.r.Dealings[0].Number, held)
}

// crossed is scheme §8: the answer to an opening across keys, whatever was given for it.
func (s *Session) crossed(ctx context.Context, o *plan.Opening, id carnet.Hash, value he.Scalar) (he.Scalar, error) {
	held, err := s.sharesOf(ctx, o.F)
	if err != nil {
		return he.Scalar{}, err
	}
	rs, err := s.crossResponder(held)
	if err != nil {
		return he.Scalar{}, err
	}
	return rs.Respond(id, o.FloodBits, value), nil
}
