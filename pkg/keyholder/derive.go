package keyholder

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

// derived is what this keyholder found itself: an id for every opening, the rest for
// every functional (one an opening, or one a code of a private parameter), in plan order.
type derived struct {
	ids    []carnet.Hash // functional ids F
	public []he.Scalar   // z = const(D_0 + Σ_j D_j δ_j), summed over keys; nil if not attested

	contents [][]carnet.Hash // H_D of every key
}

// derive is scheme §6.6: linear openings need no data, since D_1 comes from the
// public XOF; openings of higher degree are re-executed in full from ciphertext
// that belongs to the owners' signed roots, and handed to the session.
func (k *Keyholder) derive(ctx context.Context, c *Case, p *plan.Plan, s keys.Session) (*derived, error) {
	profile, all := c.inputs[0].dealing.profile, p.Functionals()
	j := &job{k: k, c: c, profile: profile, ring: he.NewRing(profile), session: s, deltas: map[carnet.KeyID][]he.Poly{},
		out: &derived{contents: make([][]carnet.Hash, len(all))}}
	for i, f := range all {
		if len(f.Cross) > 0 {
			j.crosses.add(i, f)
		} else if f.Degree == 1 {
			j.linear.add(i, f)
		} else {
			j.products.add(i, f)
		}
	}
	attest := k.cfg.Attest == AttestAlways || k.cfg.Attest == AttestProducts && len(j.products.at)+len(j.crosses.at) > 0
	if attest {
		j.out.public = make([]he.Scalar, len(all))
	}
	if attest || len(j.crosses.at) > 0 { // shares across keys depend on corrections
		for _, key := range c.keys() {
			var err error
			if j.deltas[key], err = k.corrections(ctx, c.dealing(key)); err != nil {
				return nil, err
			}
		}
	}
	if err := j.deriveLinear(ctx); err != nil {
		return nil, err
	}
	if err := j.deriveProducts(ctx); err != nil {
		return nil, err
	}
	if err := j.deriveCrosses(ctx); err != nil {
		return nil, err
	}
	j.identify(p)
	return j.out, nil
}

// identify makes the functional ids from the contents.
func (j *job) identify(p *plan.Plan) {
	at := 0
	for i := range p.Openings {
		o := &p.Openings[i]
		fs := o.Functionals()
		hd := j.out.contents[at : at+len(fs)]
		at += len(fs)
		if p.Private != nil {
			j.out.ids = append(j.out.ids, share.SelectionID(j.profile, fs, o.FloodBits, o.Variance, hd, share.SelectionOf(&j.c.Query).Hash()))
			continue
		}
		j.out.ids = append(j.out.ids, share.FunctionalID(j.profile, o.F, o.FloodBits, o.Variance, hd[0]))
	}
}

// job derives the openings of one query.
type job struct {
	k                *Keyholder
	c                *Case
	profile          *he.Profile
	ring             *he.Ring
	session          keys.Session
	deltas           map[carnet.KeyID][]he.Poly
	linear, products openings
	crosses          openings
	out              *derived
}

// openings are the functionals of one sort, with their places among all.
type openings struct {
	at []int
	fs []*functional.Functional
}

func (o *openings) add(i int, f *functional.Functional) {
	o.at, o.fs = append(o.at, i), append(o.fs, f)
}

// scanning bounds what one pass over many blocks takes.
func (k *Keyholder) scanning() scan.Options {
	return scan.Options{Workers: k.cfg.Workers, MaxBytes: k.cfg.AccumulatorBytes, Public: k.public}
}

func (j *job) deriveLinear(ctx context.Context) error {
	fs := j.linear.fs
	if len(fs) == 0 {
		return nil
	}
	memo := functional.NewMemo(j.profile.N())
	for n, i := range j.linear.at {
		f := fs[n]
		hd := make([]carnet.Hash, len(f.Keys))
		for m := range f.Keys {
			hd[m] = memo.LinearHash(&f.Keys[m])
		}
		j.out.contents[i] = hd
	}
	if j.out.public == nil {
		return nil
	}
	source, err := j.source()
	if err != nil {
		return err
	}
	delta := map[carnet.KeyID]he.Poly{}
	for key, d := range j.deltas {
		delta[key] = d[0]
	}
	z, err := j.k.cubesOf(j.c).Linear(ctx, j.ring, scan.RolePublic, fs, delta, source, j.k.scanning())
	if err != nil {
		return err
	}
	for n, i := range j.linear.at {
		j.out.public[i] = z[n]
	}
	return nil
}

// deriveProducts re-executes products; z falls out on the way.
func (j *job) deriveProducts(ctx context.Context) error {
	fs := j.products.fs
	if len(fs) == 0 {
		return nil
	}
	r := j.ring
	source, err := j.source()
	if err != nil {
		return err
	}
	return scan.Products(ctx, r, fs, source, j.k.scanning(), func(n int, parts []scan.Parts) error {
		i := j.products.at[n]
		hd := make([]carnet.Hash, len(parts))
		given := make([]keys.Part, len(parts))
		var z he.Scalar
		for m, part := range parts {
			d := part.D[1:]
			hd[m] = scan.HashProduct(r, d...)
			given[m] = keys.Part{Key: part.Key, D: d, Content: hd[m]}
			if j.out.public != nil {
				z = r.ScalarAdd(z, r.ScalarAdd(r.Const(part.D[0]), r.InnerConst(d, j.deltas[part.Key][:len(d)])))
			}
		}
		j.out.contents[i] = hd
		if j.out.public != nil {
			j.out.public[i] = z
		}
		return j.session.Product(ctx, i, given)
	})
}

// source serves the ciphertext of the inputs.
func (j *job) source() (*chunkSource, error) { return j.k.newChunkSource(j.profile, j.c.files()) }
