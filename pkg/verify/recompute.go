package verify

import (
	"bytes"
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
)

// recompute executes the query anew from ciphertext.
func (v *verifier) recompute() {
	check := v.checks[CheckRecompute]
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	if v.Data == nil {
		check.skip("no ciphertext was given (--recompute)")
		return
	}
	e := &execution{v: v, p: p, ring: he.NewRing(p.Profile), f: history.FunctionalsOf(p), delta: map[carnet.KeyID][]he.Poly{}}
	if err := e.run(); err != nil {
		check.missed(v.queryPart(), err)
		return
	}
	values := wire.AppendScalars(nil, p.Profile, e.z)
	z, f := carnet.Digest("carnet/answers/z/1", values), e.f.Digest(p, &v.c.Query)
	attested := 0
	for _, a := range v.answersInOrder() {
		part := v.parts[a.Seq]
		if a.Body.Functionals != f {
			check.fault(part, "FUNCTIONALS_DIFFER", "%s opened other functionals than those computed here", a.Body.By)
		}
		if a.Body.Attested == nil {
			continue
		}
		attested++
		if !equal(a.Body.Attested, z) {
			check.fault(part, "PUBLIC_VALUES_WRONG", "%s signed another public half than the one computed here", a.Body.By)
		}
	}
	if v.Values != nil && !bytes.Equal(v.Values, values) {
		check.fault("the gateway's public values", "PUBLIC_VALUES_WRONG", "the gateway serves other public values than those computed here")
	}
	check.found("%d blocks, %d bytes of ciphertext; digest of the public half %s", p.Cost.Blocks, p.Cost.Bytes, z)
	switch {
	case v.Values != nil:
		check.found("bit for bit the gateway's public values, and those that %d keyholders signed", attested)
	case attested > 0:
		check.found("bit for bit those that %d keyholders signed", attested)
	default:
		check.found("no keyholder computed the public half, and the gateway's was not given: it is compared with nothing")
	}
	check.done()
}

// execution is one execution of a plan.
type execution struct {
	v     *verifier
	p     *plan.Plan
	ring  *he.Ring
	f     *history.Functionals
	delta map[carnet.KeyID][]he.Poly
	z     []he.Scalar
}

// sort of functionals, with their places among all.
type group struct {
	at []int
	fs []*functional.Functional
}

func (e *execution) run() error {
	for _, key := range e.p.Cost.Keys() {
		if err := e.corrections(key); err != nil {
			return err
		}
	}
	e.z = make([]he.Scalar, len(e.f.All))
	var sums, products, crosses group
	for i, f := range e.f.All {
		g := &products
		switch {
		case len(f.Cross) > 0:
			g = &crosses
		case f.Degree == 1:
			g = &sums
		}
		g.at, g.fs = append(g.at, i), append(g.fs, f)
	}
	source := &source{e.v.Data, e.v.files()}
	for _, run := range []func() error{
		func() error { return e.sums(&sums, source) },
		func() error { return e.products(&products, source) },
		func() error { return e.crosses(&crosses, source) },
	} {
		if err := run(); err != nil {
			return err
		}
	}
	return nil
}

// corrections reads the corrections of a key and compares them with its dealing.
func (e *execution) corrections(key carnet.KeyID) error {
	d := e.v.c.Dealing(key)
	for power := 1; power <= len(d.Body.Corrections); power++ {
		b, err := e.v.Data.Correction(e.v.ctx, d.ID, power)
		if err != nil {
			return err
		}
		poly := e.ring.NewPoly()
		if wire.CorrectionHash(power, b) != d.Body.Corrections[power-1] || wire.ReadPoly(d.Profile, b, poly) != nil {
			return carnet.E(carnet.Invalid, "CORRECTIONS_DIFFER", "correction %d of key %s is not the one that its owner committed to", power, key)
		}
		e.delta[key] = append(e.delta[key], poly)
	}
	return nil
}

// first are the corrections of power 1.
func (e *execution) first() map[carnet.KeyID]he.Poly {
	out := map[carnet.KeyID]he.Poly{}
	for key, d := range e.delta {
		out[key] = d[0]
	}
	return out
}

func (e *execution) sums(g *group, c0 scan.Chunks) error {
	if len(g.fs) == 0 {
		return nil
	}
	z, err := scan.NewCubes(0).Linear(e.v.ctx, e.ring, scan.RolePublic, g.fs, e.first(), c0, e.v.Scan)
	if err != nil {
		return err
	}
	for n, i := range g.at {
		e.z[i] = z[n]
	}
	return nil
}

func (e *execution) products(g *group, c0 scan.Chunks) error {
	if len(g.fs) == 0 {
		return nil
	}
	r := e.ring
	return scan.Products(e.v.ctx, r, g.fs, c0, e.v.Scan, func(n int, parts []scan.Parts) error {
		i := g.at[n]
		var z he.Scalar
		for _, part := range parts {
			d := part.D[1:]
			e.f.Contents[i] = append(e.f.Contents[i], scan.HashProduct(r, d...))
			z = r.ScalarAdd(z, r.ScalarAdd(r.Const(part.D[0]), r.InnerConst(d, e.delta[part.Key][:len(d)])))
		}
		e.z[i] = z
		return nil
	})
}

func (e *execution) crosses(g *group, c0 scan.Chunks) error {
	if len(g.fs) == 0 {
		return nil
	}
	delta := e.first()
	return scan.Cross(e.v.ctx, e.ring, g.fs, c0, e.v.Scan, func(n int, parts *scan.CrossParts) error {
		i := g.at[n]
		e.f.Contents[i], e.z[i] = parts.Contents(e.ring), parts.Value(e.ring, delta)
		return nil
	})
}

// source serves the files of the inputs to scans.
type source struct {
	data  Data
	files map[carnet.Nonce]*signedFile
}

// Chunk implements scan.Chunks.
func (s *source) Chunk(ctx context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	f := s.files[id.File]
	if f == nil {
		return nil, nil, carnet.E(carnet.Invalid, "PIECE_DIFFERS", "file %s is not part of the inputs", id.File)
	}
	return s.data.Chunk(ctx, f.File, f.root, id.Column, int(id.Chunk), limb)
}
