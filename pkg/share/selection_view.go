package share

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// SelectionView is one keyholder's view of a selection: for every entry g the value
//
//	W_{g,i} = Delta_g + sum over the parts B it holds of f_B(i) * omega_{B,g}   mod Q
//
// at i of a polynomial of degree t-1 whose value at 0 is w_g. It is secret: t of them
// show what is selected.
type SelectionView struct {
	r      *he.Ring
	c      Committee
	s      *Selection
	number int
	kappas map[Subset][32]byte
	w      []he.Scalar
}

// NewSelectionView opens a keyholder's bundle. The profile must give a sound check.
// BAD_SELECTION_SEEDS says that the bundle does not hold exactly the parts of its
// keyholder, or not the seeds that the selection commits to: keyholders that were
// given different seeds would check one selection and use another.
func NewSelectionView(r *he.Ring, c Committee, s *Selection, b Bundle) (*SelectionView, error) {
	if err := s.Validate(c); err != nil {
		return nil, err
	}
	if err := CheckSelectionProfile(r.Profile()); err != nil {
		return nil, err
	}
	bad := carnet.E(carnet.Invalid, "BAD_SELECTION_SEEDS", "the seeds of the selection do not match its commitments").
		Fix("submit the query again with a current client")
	if b.Home != nil || complete(c, b) != nil {
		return nil, bad
	}
	v := &SelectionView{r: r, c: c, s: s, number: b.Number, kappas: map[Subset][32]byte{}, w: make([]he.Scalar, s.entries())}
	for g := range v.w {
		v.w[g] = r.ScalarFromBig(s.delta(g))
	}
	for x, a := range c.Subsets() {
		if !c.Holds(b.Number, a) {
			continue
		}
		kappa := b.Seeds[a]
		if SelectionCommit(s.Request, a, kappa) != s.Commitments[x] {
			return nil, bad
		}
		v.kappas[a] = kappa
		f := coefficient(r, a, b.Number)
		for g, omega := range omegas(kappa, s.Request, s.entries()) {
			v.w[g] = r.ScalarAdd(v.w[g], r.ScalarMul(f, r.ScalarFromBig(omega)))
		}
	}
	return v, nil
}

// CheckSelectionProfile refuses a profile in which a selection can't be checked well
// enough, see he.Profile.SelectionSoundness.
func CheckSelectionProfile(p *he.Profile) error {
	if p.SelectionSoundness() < he.MinSelectionSoundness {
		return carnet.E(carnet.Refused, "PRIVATE_PROFILE", "profile %s can't check a private parameter: a false one passes with 2^-%d", p.Name(), p.SelectionSoundness()).
			Fix("publish under a wider profile")
	}
	return nil
}

// AllowsSelections says whether a committee can answer a query with a private
// parameter, and returns how many check scalars must agree first. accepted is the
// number that the committee's statement accepts, 0 if none.
//
// With 3t-2 agreeing scalars, t-1 keyholders that help the buyer can't make a false
// selection pass. 2t-1 scalars are the least that can be evaluated; with fewer than
// 3t-2 a buyer helped by some keyholders could pass, which a committee has to accept
// openly.
func (c Committee) AllowsSelections(accepted int) (least int, err error) {
	needed := 2*c.T - 1
	switch {
	case accepted != 0 && (accepted < needed || accepted > c.N):
		return 0, carnet.E(carnet.Invalid, "BAD_COMMITTEE", "%d agreeing check scalars are not between %d and %d", accepted, needed, c.N).
			Fix("set private_checks to a number in that range, or leave it out")
	case accepted != 0:
		return accepted, nil
	case c.N < 3*c.T-2:
		e := carnet.E(carnet.Refused, "PRIVATE_COMMITTEE", "a committee of %d with threshold %d can't check a private parameter: %d keyholders are needed", c.N, c.T, 3*c.T-2)
		if c.N < needed {
			return 0, e.Fix("ask a product whose committee has at least 3t-2 keyholders, such as 5 with threshold 2 or 8 with threshold 3")
		}
		return 0, e.Fix("ask a product whose committee has at least 3t-2 keyholders, such as 5 with threshold 2 or 8 with threshold 3; or register a committee that accepts private_checks: %d, where a buyer helped by a keyholder could select anything", needed)
	}
	return 3*c.T - 2, nil
}

// Number returns the keyholder's number.
func (v *SelectionView) Number() int { return v.number }

// Zero overwrites everything secret. The view must not be used afterwards.
func (v *SelectionView) Zero() {
	clear(v.kappas)
	clear(v.w)
}
