package local

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// session holds const(Σ_j D_j R_j), summed over keys, of every functional of a plan, and
// the same of the parts this keyholder is home of. They are secret until flooded.
type session struct {
	of    *Sharer
	r     *keys.Release
	ring  *he.Ring
	fs    []*functional.Functional
	given []bool
	value []he.Scalar
	home  []he.Scalar
	view  *share.SelectionView // opened on demand
}

// Open implements keys.Sharer.
func (s *Sharer) Open(ctx context.Context, r *keys.Release) (keys.Session, error) {
	fs := r.Plan.Functionals()
	return &session{of: s, r: r, ring: he.NewRing(r.Dealings[0].Profile), fs: fs,
		given: make([]bool, len(fs)), value: make([]he.Scalar, len(fs)), home: make([]he.Scalar, len(fs))}, nil
}

// Close implements keys.Session.
func (s *session) Close() {
	clear(s.value)
	clear(s.home)
	if s.view != nil {
		s.view.Zero()
		s.view = nil
	}
}

// Product implements keys.Session.
func (s *session) Product(ctx context.Context, i int, parts []keys.Part) error {
	s.of.using.RLock()
	defer s.of.using.RUnlock()
	var value, home he.Scalar
	for m := range parts {
		d := parts[m].D
		k, err := s.share(ctx, parts[m].Key)
		if err != nil {
			return err
		}
		value = s.ring.ScalarAdd(value, s.ring.InnerConst(d, powers(k.Power, len(d))))
		if k.Home() {
			home = s.ring.ScalarAdd(home, s.ring.InnerConst(d, powers(k.HomePower, len(d))))
		}
	}
	s.value[i], s.home[i], s.given[i] = value, home, true
	return nil
}

// Seal implements keys.Session.
func (s *session) Seal(ctx context.Context, ids []carnet.Hash) ([]byte, error) {
	s.of.using.RLock()
	defer s.of.using.RUnlock()
	if err := s.linear(ctx); err != nil {
		return nil, err
	}
	for i := range s.given {
		if !s.given[i] {
			return nil, carnet.E(carnet.Internal, "FUNCTIONAL_MISSING", "functional %d was not given", i)
		}
	}
	var scalars []he.Scalar
	var err error
	if s.r.Plan.Private != nil {
		scalars, err = s.selected(ctx, ids)
	} else {
		scalars, err = s.plain(ctx, ids)
	}
	if err != nil {
		return nil, err
	}
	answer := wire.AppendScalars(nil, s.ring.Profile(), scalars)
	defer clear(answer)
	return seal.Seal(s.r.Query.Recipient, share.AnswerInfo(s.r.Hash, s.r.Dealings[0].Number), answer)
}

// linear evaluates the linear functionals: D_1 comes from the public XOF.
func (s *session) linear(ctx context.Context) error {
	var at []int
	var fs []*functional.Functional
	for i, f := range s.fs {
		if f.Degree == 1 && !s.given[i] {
			at, fs = append(at, i), append(fs, f)
		}
	}
	if len(fs) == 0 {
		return nil
	}
	w, h, isHome := map[carnet.KeyID]he.Poly{}, map[carnet.KeyID]he.Poly{}, false
	for _, d := range s.r.Dealings {
		k, err := s.of.keyShare(ctx, d)
		if err != nil {
			return err
		}
		w[d.Key] = k.Power(1)
		if h[d.Key] = k.HomePower(1); k.Home() {
			isHome = true
		} else {
			h[d.Key] = s.ring.NewPoly()
		}
	}
	values, err := s.of.opt.Cubes.Linear(ctx, s.ring, scan.RoleShare, fs, w, nil, s.of.opt.Scan)
	if err != nil {
		return err
	}
	var home []he.Scalar
	if isHome {
		if home, err = s.of.opt.Cubes.Linear(ctx, s.ring, scan.RoleHome, fs, h, nil, s.of.opt.Scan); err != nil {
			return err
		}
	}
	for n, i := range at {
		s.value[i], s.given[i] = values[n], true
		if isHome {
			s.home[i] = home[n]
		}
	}
	return nil
}

// plain is scheme §6.8: every value flooded under the functional's id. The home scalar of
// an opening without a key this keyholder is home of is zero.
func (s *session) plain(ctx context.Context, ids []carnet.Hash) ([]he.Scalar, error) {
	scheme, number := s.r.Dealings[0].Scheme, s.r.Dealings[0].Number
	responders := map[string]*share.Responder{}
	openings := s.r.Plan.Openings
	values, home := make([]he.Scalar, len(openings)), make([]he.Scalar, len(openings))
	isHome := false
	for _, d := range s.r.Dealings {
		k, err := s.of.keyShare(ctx, d)
		if err != nil {
			return nil, err
		}
		isHome = isHome || k.Home()
	}
	for i := range openings {
		o := &openings[i]
		rs := responders[o.F.KeySet()]
		if rs == nil {
			shares, err := s.sharesOf(ctx, o.F)
			if err != nil {
				return nil, err
			}
			if rs, err = share.NewResponder(s.ring, scheme, number, shares); err != nil {
				return nil, err
			}
			responders[o.F.KeySet()] = rs
		}
		// The degree is the functional's own, not what a plan says about it.
		values[i] = rs.Respond(ids[i], o.F.Degree, o.FloodBits, s.value[i])
		if rs.Home() {
			home[i] = rs.RespondHome(ids[i], o.F.Degree, o.FloodBits, s.home[i])
		}
	}
	if isHome {
		values = append(values, home...)
	}
	return values, nil
}
