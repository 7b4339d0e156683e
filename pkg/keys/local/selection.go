package local

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/share"
)

// Check implements keys.Session.
func (s *Session) Check(ctx context.Context) (out [share.CheckScalars]he.Scalar, err error) {
	s.of.using.RLock()
	defer s.of.using.RUnlock()
	var shares []*share.KeyShare
	for _, key := range s.r.Plan.Keys() {
		k, err := s.share(ctx, key)
		if err != nil {
			return out, err
		}
		shares = append(shares, k)
	}
	rs, err := s.responder(ctx, shares)
	if err != nil {
		return out, err
	}
	return rs.Check(s.r.Hash), nil
}

// selected is scheme §7's value share, one scalar for every opening. What belongs to one
// code stays here.
func (s *Session) selected(ctx context.Context, ids []carnet.Hash) ([]he.Scalar, error) {
	responders := map[string]*share.SelectedResponder{}
	var values []he.Scalar
	at := 0
	for i := range s.r.Plan.Openings {
		o := &s.r.Plan.Openings[i]
		f := o.Choices[0]
		rs := responders[f.KeySet()]
		if rs == nil {
			var err error
			if rs, err = s.selectedResponder(ctx, f); err != nil {
				return nil, err
			}
			responders[f.KeySet()] = rs
		}
		values = append(values, rs.Respond(ids[i], f.Degree, o.FloodBits, o.Variance, s.value[at:at+len(o.Choices)]))
		at += len(o.Choices)
	}
	return values, nil
}

// selectedResponder masks answers over the keys of a functional.
func (s *Session) selectedResponder(ctx context.Context, f *functional.Functional) (*share.SelectedResponder, error) {
	shares, err := s.sharesOf(ctx, f)
	if err != nil {
		return nil, err
	}
	return s.responder(ctx, shares)
}

func (s *Session) responder(ctx context.Context, shares []*share.KeyShare) (*share.SelectedResponder, error) {
	if s.view == nil {
		view, err := s.open(ctx)
		if err != nil {
			return nil, err
		}
		s.view = view
	}
	return share.NewSelectedResponder(s.ring, s.r.Dealings[0].Scheme, s.view, shares)
}

// open opens this keyholder's seeds of the selection and compares them with the
// commitments. Whatever is wrong with them, the reason is the same.
func (s *Session) open(ctx context.Context) (*share.SelectionView, error) {
	number := s.r.Dealings[0].Number
	wrong := carnet.E(carnet.Invalid, "BAD_SELECTION_SEEDS", "the seeds of the selection sealed to keyholder %d do not match its commitments", number).
		Fix("submit the query again with a current client")
	if number > len(s.r.Query.Private.Seeds) {
		return nil, wrong
	}
	plain, err := s.of.seeds.Unseal(ctx, share.SelectionInfo(s.r.Query, number), s.r.Query.Private.Seeds[number-1])
	if carnet.ReasonOf(err) == "UNSEAL_FAILED" {
		return nil, wrong
	}
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	b, err := share.ParseBundle(plain)
	if err != nil || b.Number != number {
		return nil, wrong
	}
	view, err := share.NewSelectionView(s.ring, s.r.Dealings[0].Scheme, share.SelectionOf(s.r.Query), b)
	if carnet.ReasonOf(err) == "BAD_SELECTION_SEEDS" {
		return nil, wrong
	}
	return view, err
}
