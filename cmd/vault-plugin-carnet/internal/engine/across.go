package engine

import (
	"context"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

// across is the first half of an answer to a product across keys, scheme §8: what one key
// is multiplied with, alone and together with others. Of a pair's scalar the handle of its
// first key has all, and that of the other nothing; both have it in their content hash.
func (b *backend) across(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	ds, err := b.dealings(ctx, d)
	if err != nil {
		return nil, err
	}
	at, with := d.Get("at").(int), d.Get("with").([]int)
	if len(ds) < 2 || len(ds) > functional.MaxCrossKeys || at < 0 || at >= len(ds) {
		return nil, invalid("there are not 2 to %d keys, or the one is not among them", functional.MaxCrossKeys)
	}
	for i, other := range with {
		if other < 0 || other >= len(ds) || other == at || i > 0 && with[i-1] >= other {
			return nil, invalid("what the key is multiplied with is not in ascending order, or not among the keys")
		}
	}
	if err := crossing(ds); err != nil {
		return nil, err
	}
	p, ring := ds[0].Profile, he.NewRing(ds[0].Profile)
	given, err := b.crossPolys(d, "d", ring, 1+len(with))
	if err != nil {
		return nil, err
	}
	corrections, err := b.corrections(d, ring, ds, at, with)
	if err != nil {
		return nil, err
	}
	zero := ring.NewPoly()
	all := &scan.CrossParts{Stored: zero}
	var ids []carnet.KeyID
	for i, one := range ds {
		ids, all.Keys, all.Own = append(ids, one.Key), append(all.Keys, one.Named()), append(all.Own, zero)
		if i == at {
			all.Own[i] = given[0]
		}
	}
	first := *all
	for i, other := range with {
		x := scan.CrossPair{A: min(at, other), B: max(at, other), E: given[1+i]}
		if all.Pairs = append(all.Pairs, x); x.A == at {
			first.Pairs = append(first.Pairs, x)
		}
	}
	e := &evaluated{dealing: ids[at], content: all.Contents(ring)[at], among: amongDigest(ids), degree: 2}
	if e.value, err = b.shares.EvaluateCross(ctx, ds, &first, corrections); err != nil {
		return nil, err
	}
	return b.handle(ctx, e, p)
}

func (b *backend) crossPolys(d *framework.FieldData, name string, ring *he.Ring, n int) ([]he.Poly, error) {
	raw, err := joined(d, name)
	if err != nil {
		return nil, err
	}
	if len(raw) != n*ring.Profile().BlockBytes() {
		return nil, invalid("%s has %d bytes, which are not %d polynomials of profile %s", name, len(raw), n, ring.Profile().Name())
	}
	return polys(ring, raw)
}

// corrections reads those of the key and of the keys after it that it is multiplied with,
// and compares them with the dealings: a share depends on them, and F has only the keys.
// The others are multiplied with nothing.
func (b *backend) corrections(d *framework.FieldData, ring *he.Ring, ds []*keys.Dealing, at int, with []int) (map[carnet.KeyID]he.Poly, error) {
	out, need := map[carnet.KeyID]he.Poly{}, []int{at}
	for _, other := range with {
		if other > at {
			need = append(need, other)
		}
	}
	given, err := b.crossPolys(d, "corrections", ring, len(need))
	if err != nil {
		return nil, err
	}
	for _, one := range ds {
		out[one.Named()] = ring.NewPoly()
	}
	for i, n := range need {
		if c := ds[n].Body.Corrections; len(c) == 0 || wire.CorrectionHash(1, wire.AppendPoly(nil, ring.Profile(), given[i])) != c[0] {
			return nil, carnet.E(carnet.Invalid, "BAD_CORRECTION", "a correction is not the one of key %s", ds[n].Named()).
				Fix("hand over the first corrections of the dealings")
		}
		out[ds[n].Named()] = given[i]
	}
	return out, nil
}

// amongDigest names the dealings that a functional is across.
func amongDigest(ids []carnet.KeyID) carnet.Hash {
	fields := make([][]byte, len(ids))
	for i := range ids {
		fields[i] = ids[i][:]
	}
	return carnet.Digest("carnet/vault/among/1", fields...)
}

// crosses refuses an opening across keys that could not be opened, or is not to be.
func crosses(r *keys.Release, o *plan.Opening) error {
	if o.F == nil || len(o.F.Cross) == 0 {
		return nil
	}
	var ds []*keys.Dealing
	for _, k := range o.F.Keys {
		d := r.Dealing(k.Key)
		if d == nil {
			return invalid("an opening has a key that is not among the query's")
		}
		ds = append(ds, d)
	}
	return crossing(ds)
}

func crossing(ds []*keys.Dealing) error {
	if err := ds[0].Scheme.AllowsCross(); err != nil {
		return err
	}
	for _, d := range ds {
		if d.Key != d.Named() {
			// Nobody carries over how many such numbers were opened before, and they are few.
			return carnet.E(carnet.Refused, "KEY_REDEALT", "products across owners are not opened under keys that were dealt again").
				Fix("the owner has to publish the dataset again under a new key")
		}
		if d.Body.Home != nil {
			return share.CrossHome(d.Named())
		}
	}
	return nil
}
