package local

import (
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// Session implements keys.Session. It holds const(Σ_j D_j R_j), summed over keys, of every functional of a plan, and
// the same of the parts this keyholder is home of. They are secret until flooded.
type Session struct {
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
	return s.Session(r), nil
}

// Session is Open for callers that have evaluated products before.
func (s *Sharer) Session(r *keys.Release) *Session {
	fs := r.Plan.Functionals()
	return &Session{of: s, r: r, ring: he.NewRing(r.Dealings[0].Profile), fs: fs,
		given: make([]bool, len(fs)), value: make([]he.Scalar, len(fs)), home: make([]he.Scalar, len(fs))}
}

// Close implements keys.Session.
func (s *Session) Close() {
	clear(s.value)
	clear(s.home)
	if s.view != nil {
		s.view.Zero()
		s.view = nil
	}
}

// Product implements keys.Session.
func (s *Session) Product(ctx context.Context, i int, parts []keys.Part) error {
	if len(s.fs[i].Cross) > 0 {
		return carnet.E(carnet.Internal, "FUNCTIONAL_MISSING", "functional %d is across keys", i)
	}
	var value, home he.Scalar
	for m := range parts {
		d := s.r.Dealing(parts[m].Key)
		if d == nil {
			return missing(parts[m].Key)
		}
		v, h, err := s.of.Evaluate(ctx, d, parts[m].D)
		if err != nil {
			return err
		}
		value, home = s.ring.ScalarAdd(value, v), s.ring.ScalarAdd(home, h)
	}
	s.Given(i, value, home)
	return nil
}

// Evaluate returns const(Σ_j D_j R_j) of one key for the given D_1.., and the same of its
// home part, zero if that is not held. Both are secret until flooded.
func (s *Sharer) Evaluate(ctx context.Context, d *keys.Dealing, given []he.Poly) (value, home he.Scalar, err error) {
	s.using.RLock()
	defer s.using.RUnlock()
	k, err := s.keyShare(ctx, d)
	if err != nil {
		return value, home, err
	}
	r := he.NewRing(d.Profile)
	value = r.InnerConst(given, powers(k.Power, len(given)))
	if k.Home() {
		home = r.InnerConst(given, powers(k.HomePower, len(given)))
	}
	return value, home, nil
}

// Given takes what Evaluate returned for the parts of functional i, summed over its keys.
func (s *Session) Given(i int, value, home he.Scalar) {
	s.value[i], s.home[i], s.given[i] = value, home, true
}

// Seal implements keys.Session.
func (s *Session) Seal(ctx context.Context, ids []carnet.Hash) ([]byte, error) {
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
func (s *Session) linear(ctx context.Context) error {
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
		w[d.Named()] = k.Power(1)
		if h[d.Named()] = k.HomePower(1); k.Home() {
			isHome = true
		} else {
			h[d.Named()] = s.ring.NewPoly()
		}
	}
	cubes := s.of.opt.Cubes
	if slices.ContainsFunc(s.r.Dealings, func(d *keys.Dealing) bool { return d.Named() != d.Key }) {
		cubes = scan.NewCubes(0) // set-ups are kept by the key's name, and those of other seeds may be
	}
	values, err := cubes.Linear(ctx, s.ring, scan.RoleShare, fs, w, nil, s.of.opt.Scan)
	if err != nil {
		return err
	}
	var home []he.Scalar
	if isHome {
		if home, err = cubes.Linear(ctx, s.ring, scan.RoleHome, fs, h, nil, s.of.opt.Scan); err != nil {
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
func (s *Session) plain(ctx context.Context, ids []carnet.Hash) ([]he.Scalar, error) {
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
		if len(o.F.Cross) > 0 {
			var err error
			if values[i], err = s.crossed(ctx, o, ids[i], s.value[i]); err != nil {
				return nil, err
			}
			continue
		}
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
		values[i] = rs.Respond(ids[i], o.F.Degree, o.FloodBits, o.Variance, s.value[i])
		if rs.Home() {
			home[i] = rs.RespondHome(ids[i], o.F.Degree, o.FloodBits, o.Variance, s.home[i])
		}
	}
	if isHome {
		values = append(values, home...)
	}
	return values, nil
}
