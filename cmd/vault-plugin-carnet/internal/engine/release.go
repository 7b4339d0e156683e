package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"time"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// release is the second half of an answer, and the check of a private parameter. Nothing
// is computed with a share before the ticket was verified against what the engine derived
// itself, and nothing goes out before it was counted.
func (b *backend) release(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	c, err := b.config(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := base64.StdEncoding.Strict().DecodeString(d.Get("ticket").(string))
	if err != nil {
		return nil, invalid("ticket is not base64")
	}
	env, q, err := b.query(ctx, d)
	if err != nil {
		return nil, err
	}
	if !time.Now().Before(q.Expires) {
		return nil, carnet.E(carnet.Refused, "QUERY_EXPIRED", "the query has expired").Fix("submit it again with a later expiry")
	}
	r := &keys.Release{Hash: env.Hash(), Statement: env, Query: q}
	if r.Dealings, err = b.dealings(ctx, d); err != nil {
		return nil, err
	}
	if d.Get("op").(string) == "check" {
		return b.check(ctx, c, r, signed)
	}
	return b.answer(ctx, d, c, r, signed)
}

// dealings looks up the keys of a request, which must be of one committee and profile.
func (b *backend) dealings(ctx context.Context, d *framework.FieldData) (out []*keys.Dealing, err error) {
	names, last := d.Get("keys").([]string), carnet.KeyID{}
	if len(names) == 0 || len(names) > 4096 {
		return nil, invalid("keys does not list 1 to 4096 keys")
	}
	for i, name := range names {
		key, err := carnet.ParseKeyID(name)
		if err != nil {
			return nil, invalid("keys are not identifiers")
		}
		one, err := b.held(ctx, key)
		if err != nil {
			return nil, err
		}
		if name := one.Named(); i > 0 && bytes.Compare(last[:], name[:]) >= 0 {
			return nil, invalid("keys are not in ascending order of their names")
		}
		if i > 0 && (one.Body.Committee != out[0].Body.Committee || one.Number != out[0].Number || one.Profile != out[0].Profile) {
			return nil, invalid("the keys differ in committee or parameters")
		}
		out, last = append(out, one), one.Named()
	}
	return out, nil
}

func (b *backend) check(ctx context.Context, c *config, r *keys.Release, signed []byte) (map[string]any, error) {
	if r.Query.Private == nil {
		return nil, invalid("the query has no private parameter")
	}
	first := r.Dealings[0]
	var ids []carnet.KeyID
	r.Plan = &plan.Plan{Profile: first.Profile, Committee: first.Scheme, Private: &plan.Private{}, Cost: plan.Cost{Releases: map[carnet.KeyID]int{}}}
	for _, d := range r.Dealings {
		ids = append(ids, d.Named())
		r.Plan.Cost.Releases[d.Named()] = 1
	}
	if err := ticket.ForCheck(uint64(c.Epoch), first.Number, r.Hash, r.Query, ids).Verify(c.TicketKey, signed); err != nil {
		return nil, err
	}
	session := b.shares.Session(r)
	defer session.Close()
	scalars, err := session.Check(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"scalars": base64.StdEncoding.EncodeToString(wire.AppendScalars(nil, first.Profile, scalars[:]))}, nil
}

func (b *backend) answer(ctx context.Context, d *framework.FieldData, c *config, r *keys.Release, signed []byte) (map[string]any, error) {
	first := r.Dealings[0]
	described, err := joined(d, "openings")
	if err != nil {
		return nil, err
	}
	r.Plan = &plan.Plan{Profile: first.Profile, Committee: first.Scheme}
	if r.Plan.Openings, err = ticket.ReadOpenings(first.Profile.N(), described); err != nil {
		return nil, err
	}
	limit, err := b.complete(r, c.MaxReleases)
	if err != nil {
		return nil, err
	}
	given, err := b.handles(ctx, d, r, first.Profile)
	if err != nil {
		return nil, err
	}
	ids := identify(r, given)
	want := ticket.ForAnswer(uint64(c.Epoch), first.Number, r.Hash, r.Query, first.Profile.N(), r.Plan.Openings, ids)
	if err := want.Verify(c.TicketKey, signed); err != nil {
		return nil, err
	}
	if err := b.charge(ctx, c, r, ids, limit); err != nil {
		return nil, err
	}
	session := b.shares.Session(r)
	defer session.Close()
	ring := he.NewRing(first.Profile)
	for i, parts := range given {
		var value, home he.Scalar
		for _, e := range parts {
			value, home = ring.ScalarAdd(value, e.value), ring.ScalarAdd(home, e.home)
		}
		session.Given(i, value, home)
	}
	sealed, err := session.Seal(ctx, ids)
	if err != nil {
		return nil, err
	}
	return map[string]any{"sealed": base64.StdEncoding.EncodeToString(sealed)}, nil
}

// complete checks the openings against keys and profile, computes their flooding, and
// returns the least number of releases that they allow.
func (b *backend) complete(r *keys.Release, limit int64) (int64, error) {
	first := r.Dealings[0]
	p := first.Profile
	weight := 0
	for i := range r.Plan.Openings {
		o := &r.Plan.Openings[i]
		if (o.F == nil) != (r.Query.Private != nil) {
			return 0, invalid("openings choose between functionals exactly if the query has a private parameter")
		}
		if o.F == nil {
			s := share.SelectionOf(r.Query)
			if err := s.Validate(first.Scheme); err != nil {
				return 0, err
			}
			if len(o.Choices) != s.Choices() {
				return 0, invalid("an opening chooses between %d functionals, and the query between %d codes", len(o.Choices), s.Choices())
			}
			weight, r.Plan.Private = s.Weight, &plan.Private{}
		}
		for _, f := range o.Functionals() {
			if err := fits(f, p); err != nil {
				return 0, err
			}
		}
		if err := crosses(r, o); err != nil {
			return 0, err
		}
		homes := map[int]bool{}
		for _, k := range o.Functionals()[0].Keys {
			of := r.Dealing(k.Key)
			if of == nil {
				return 0, invalid("an opening has a key that is not among the query's")
			}
			if of.Body.Home != nil {
				homes[of.Body.Home.Member] = true
			}
		}
		k, bits, err := ticket.Flood(p, first.Scheme, len(homes), o, weight)
		if err != nil {
			return 0, err
		}
		o.FloodBits, limit = k, min(limit, share.MaxReleases(first.Scheme, bits))
	}
	return limit, nil
}

// fits refuses functionals that are not possible under a profile.
func fits(f *functional.Functional, p *he.Profile) error {
	if len(f.Cross) > 0 && p.Encoding() != he.Slots {
		return invalid("rows are multiplied across keys in slot encoding only")
	}
	if f.Degree > p.MaxDegree() {
		return invalid("profile %s allows degree %d at most", p.Name(), p.MaxDegree())
	}
	for i := range f.Keys {
		for j := range f.Keys[i].Linear {
			if (f.Keys[i].Linear[j].Cells != nil) != (p.Encoding() == he.Coefficients) {
				return invalid("cells are chosen in coefficient encoding, and only there")
			}
		}
	}
	return nil
}

// identify derives the functional ids.
func identify(r *keys.Release, given map[int][]*evaluated) (ids []carnet.Hash) {
	p := r.Dealings[0].Profile
	memo := functional.NewMemo(p.N())
	at := 0
	for i := range r.Plan.Openings {
		o := &r.Plan.Openings[i]
		fs := o.Functionals()
		hd := make([][]carnet.Hash, len(fs))
		for g, f := range fs {
			for m := range f.Keys {
				if f.Degree == 1 {
					hd[g] = append(hd[g], memo.LinearHash(&f.Keys[m]))
				} else {
					hd[g] = append(hd[g], given[at][m].content)
				}
			}
			at++
		}
		if o.F == nil {
			ids = append(ids, share.SelectionID(p, fs, o.FloodBits, o.Variance, hd, share.SelectionOf(r.Query).Hash()))
		} else {
			ids = append(ids, share.FunctionalID(p, o.F, o.FloodBits, o.Variance, hd[0]))
		}
	}
	return ids
}
