package vaultplugin

import (
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/scan"
)

var _ keys.CrossSession = (*session)(nil)

// Cross implements keys.CrossSession. One request for each key has all that its share is
// multiplied with, so that the engine can hash it; a pair travels with either key.
func (s *session) Cross(ctx context.Context, i int, parts *scan.CrossParts, corrections map[carnet.KeyID]he.Poly) error {
	f := s.r.Plan.Functionals()[i]
	if !slices.EqualFunc(f.Keys, parts.Keys, func(k functional.KeyTerms, key carnet.KeyID) bool { return k.Key == key }) || len(f.Cross) == 0 {
		return carnet.E(carnet.Internal, "FUNCTIONAL_MISSING", "what was given is not functional %d across keys", i)
	}
	for _, key := range parts.Keys {
		if corrections[key] == nil {
			return carnet.E(carnet.Internal, "MISSING_KEY", "nothing is known for dataset key %s", key)
		}
	}
	p := s.r.Dealings[0].Profile
	var handles []byte
	for at, key := range parts.Keys {
		given, delta := wire.AppendPoly(nil, p, parts.Own[at]), wire.AppendPoly(nil, p, corrections[key])
		with := []int{}
		for _, x := range parts.Pairs {
			if x.A != at && x.B != at {
				continue
			}
			with, given = append(with, x.A+x.B-at), wire.AppendPoly(given, p, x.E)
			if x.A == at {
				delta = wire.AppendPoly(delta, p, corrections[parts.Keys[x.B]])
			}
		}
		h, err := s.handle(ctx, "across", map[string]any{"keys": s.dealings(parts.Keys), "at": at, "with": with, "d": pieces(given), "corrections": pieces(delta)})
		if err != nil {
			return err
		}
		handles = append(handles, h...)
	}
	s.handles[i] = handles
	return nil
}
