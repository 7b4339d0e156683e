package main

import (
	"context"
	"crypto/rand"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

// keyholderFigure is what one of five keyholders, of whom three release, does for one
// group once its scan is done: inner products with its polynomials, which it keeps,
// and flooding. The functional's id, which hashes what the scan gave, is measured
// beside it.
func keyholderFigure(ctx context.Context, b *bench, r *Report) error {
	for _, c := range []struct {
		profile string
		degree  int
		most    float64
		what    string
	}{{"cube", 1, 0.1, "linear"}, {"records", 2, 0.5, "products of two columns"}} {
		p, err := he.Lookup(c.profile)
		if err != nil {
			return err
		}
		ring := he.NewRing(p)
		key, responder, err := oneKeyholder(ring, c.degree)
		if err != nil {
			return err
		}
		d := make([]he.Poly, c.degree) // D_1.. : the public halves of some blocks are as good as any
		own := make([]he.Poly, c.degree)
		for j := range d {
			d[j], own[j] = ring.NewPoly(), key.Power(j+1)
			ring.PublicBlock(key.Key(), he.BlockID{Column: uint32(j)}, d[j])
		}
		f := &functional.Functional{Degree: c.degree, Keys: []functional.KeyTerms{{Key: key.Key(), Linear: []functional.Linear{{Blocks: 1, Cells: []uint32{1, 2, 3}}}}}}
		const times = 50
		work := "keyholder, one group, " + c.what
		rows, err := b.race(ctx, r, work, "groups/s",
			task{"answer: inner products and flooding", 1, times, func() error {
				for i := range times {
					responder.Respond(carnet.Hash{byte(i)}, c.degree, 30, nil, ring.InnerConst(d, own))
				}
				return nil
			}},
			task{"id of the functional", 1, times, func() error {
				for range times {
					hd := f.Keys[0].LinearHash(p.N())
					if c.degree > 1 {
						hd = scan.HashProduct(ring, d...)
					}
					share.FunctionalID(p, f, 30, nil, []carnet.Hash{hd})
				}
				return nil
			}})
		if err != nil {
			return err
		}
		rows[1].Ratio, rows[1].Against = 0, ""
		r.atMost("keyholder per group, n = 5, t = 3, "+c.what, "under "+short(c.most)+" ms", c.most, 1000*rows[0].Seconds/times, "ms")
	}
	return nil
}

// oneKeyholder deals a key to a committee and returns what its first member has.
func oneKeyholder(r *he.Ring, degree int) (*share.KeyShare, *share.Responder, error) {
	c, err := share.NewCommittee(5, 3)
	if err != nil {
		return nil, nil, err
	}
	deal, err := share.NewDeal(r, r.DeriveSecret(he.Seed{1}), c, carnet.Nonce{2}, degree, false, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	key, err := share.NewKeyShare(r, c, carnet.KeyID{3}, deal.Bundle(c, 1, 0), degree)
	if err != nil {
		return nil, nil, err
	}
	responder, err := share.NewResponder(r, c, 1, []*share.KeyShare{key})
	return key, responder, err
}
