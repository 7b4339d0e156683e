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
	f := s.fs[i]
	if !slices.EqualFunc(f.Keys, parts.Keys, func(k functional.KeyTerms, key carnet.KeyID) bool { return k.Key == key }) || len(f.Cross) == 0 {
		return carnet.E(carnet.Internal, "FUNCTIONAL_MISSING", "what was given is not functional %d across keys", i)
	}
	var ds []*keys.Dealing
	for _, key := range parts.Keys {
		d := s.r.Dealing(key)
		if d == nil {
			return missing(key)
		}
		ds = append(ds, d)
	}
	value, err := s.of.EvaluateCross(ctx, ds, parts, corrections)
	if err != nil {
		return err
	}
	s.Given(i, value, he.Scalar{})
	return nil
}

// EvaluateCross returns what this keyholder's shares make of parts across the keys of the
// given dealings. It is secret until flooded. Errors: as of keys.CrossSession.
func (s *Sharer) EvaluateCross(ctx context.Context, ds []*keys.Dealing, parts *scan.CrossParts, corrections map[carnet.KeyID]he.Poly) (value he.Scalar, err error) {
	s.using.RLock()
	defer s.using.RUnlock()
	ring := he.NewRing(ds[0].Profile)
	var held []*share.KeyShare
	shares := map[carnet.KeyID]he.Poly{}
	for _, d := range ds {
		if corrections[d.Named()] == nil {
			return value, missing(d.Named())
		}
		k, err := s.keyShare(ctx, d)
		if err != nil {
			return value, err
		}
		held, shares[k.Key()] = append(held, k), k.Power(1)
	}
	// Refused before anything is computed of its shares.
	if _, err := share.NewCrossResponder(ring, ds[0].Scheme, ds[0].Number, held); err != nil {
		return value, err
	}
	return parts.Share(ring, shares, corrections), nil
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
	return rs.Respond(id, o.FloodBits, o.Variance, value), nil
}
