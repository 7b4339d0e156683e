package keystest

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Parts makes D_1.. of functional i of a release up: uniform polynomials that depend on i,
// the key, and salt.
func (n *Network) Parts(r *keys.Release, i int, salt byte) (out []keys.Part) {
	ring, f := he.NewRing(n.Profile), r.Plan.Functionals()[i]
	for m := range f.Keys {
		p := keys.Part{Key: f.Keys[m].Key}
		for j := range f.Degree {
			d := ring.NewPoly()
			ring.Uniform(sha256.Sum256(append(binary.BigEndian.AppendUint32([]byte{salt, byte(j)}, uint32(i)), p.Key[:]...)), d)
			p.D = append(p.D, d)
		}
		p.Content = scan.HashProduct(ring, p.D...)
		out = append(out, p)
	}
	return out
}

// IDs are the functional ids of a release as its keyholder derives them.
func (n *Network) IDs(r *keys.Release, salt byte) (ids []carnet.Hash) {
	at := 0
	for x := range r.Plan.Openings {
		o := &r.Plan.Openings[x]
		var hd [][]carnet.Hash
		for range o.Functionals() {
			hd = append(hd, n.contents(r, at, salt))
			at++
		}
		if r.Plan.Private != nil {
			ids = append(ids, share.SelectionID(n.Profile, o.Choices, o.FloodBits, o.Variance, hd, share.SelectionOf(r.Query).Hash()))
		} else {
			ids = append(ids, share.FunctionalID(n.Profile, o.F, o.FloodBits, o.Variance, hd[0]))
		}
	}
	return ids
}

func (n *Network) contents(r *keys.Release, i int, salt byte) (hd []carnet.Hash) {
	f := r.Plan.Functionals()[i]
	for m := range f.Keys {
		if f.Degree == 1 {
			hd = append(hd, f.Keys[m].LinearHash(n.Profile.N()))
		}
	}
	if f.Degree > 1 {
		for _, p := range n.Parts(r, i, salt) {
			hd = append(hd, p.Content)
		}
	}
	return hd
}

// Expect is what the keyholder under test must answer, computed from its seeds with
// package share alone.
func (n *Network) Expect(r *keys.Release, salt byte, selection *share.Bundle) []byte {
	ring, ids := he.NewRing(n.Profile), n.IDs(r, salt)
	var out, homes []he.Scalar
	at, isHome := 0, false
	for x := range r.Plan.Openings {
		o := &r.Plan.Openings[x]
		fs := o.Functionals()
		shares := n.shares(fs[0])
		var values []he.Scalar
		var home he.Scalar
		for range fs {
			v, h := n.value(ring, r, at, salt, shares)
			values, home = append(values, v), h
			at++
		}
		if selection != nil {
			out = append(out, n.selected(ring, r, *selection, shares).Respond(ids[x], o.Degree, o.FloodBits, o.Variance, values))
			continue
		}
		rs, err := share.NewResponder(ring, n.Scheme, Member, shares)
		require.NoError(n.t, err)
		out = append(out, rs.Respond(ids[x], o.Degree, o.FloodBits, o.Variance, values[0]))
		if rs.Home() {
			isHome, home = true, rs.RespondHome(ids[x], o.Degree, o.FloodBits, o.Variance, home)
		}
		homes = append(homes, home)
	}
	if isHome {
		out = append(out, homes...)
	}
	return wire.AppendScalars(nil, n.Profile, out)
}

// ExpectCheck is the check of a private parameter, likewise.
func (n *Network) ExpectCheck(r *keys.Release, selection share.Bundle) [share.CheckScalars]he.Scalar {
	f := r.Plan.Functionals()[0]
	return n.selected(he.NewRing(n.Profile), r, selection, n.shares(f)).Check(r.Hash)
}

func (n *Network) selected(ring *he.Ring, r *keys.Release, b share.Bundle, shares []*share.KeyShare) *share.SelectedResponder {
	view, err := share.NewSelectionView(ring, n.Scheme, share.SelectionOf(r.Query), b)
	require.NoError(n.t, err)
	rs, err := share.NewSelectedResponder(ring, n.Scheme, view, shares)
	require.NoError(n.t, err)
	return rs
}

func (n *Network) shares(f *functional.Functional) (out []*share.KeyShare) {
	for m := range f.Keys {
		key := f.Keys[m].Key
		i := slices.IndexFunc(n.Dealings, func(d *keys.Dealing) bool { return d.Named() == key })
		k, err := share.NewKeyShare(he.NewRing(n.Profile), n.Scheme, key, n.bundles[n.Dealings[i].Key], n.Profile.MaxDegree())
		require.NoError(n.t, err)
		out = append(out, k)
	}
	return out
}

// value is const(Σ_j D_j R_j) of functional i over its keys, and the same of home parts.
func (n *Network) value(ring *he.Ring, r *keys.Release, i int, salt byte, shares []*share.KeyShare) (value, home he.Scalar) {
	f := r.Plan.Functionals()[i]
	if f.Degree == 1 {
		w, h := map[carnet.KeyID]he.Poly{}, map[carnet.KeyID]he.Poly{}
		for _, k := range shares {
			w[k.Key()] = k.Power(1)
			if h[k.Key()] = k.HomePower(1); !k.Home() {
				h[k.Key()] = ring.NewPoly()
			}
		}
		one := []*functional.Functional{f}
		v, err := scan.Linear(n.t.Context(), ring, one, w, nil, scan.Options{Workers: 1})
		require.NoError(n.t, err)
		hv, err := scan.Linear(n.t.Context(), ring, one, h, nil, scan.Options{Workers: 1})
		require.NoError(n.t, err)
		return v[0], hv[0]
	}
	for m, p := range n.Parts(r, i, salt) {
		for j := range p.D {
			value = ring.ScalarAdd(value, ring.InnerConst(p.D[j:j+1], []he.Poly{shares[m].Power(j + 1)}))
			if shares[m].Home() {
				home = ring.ScalarAdd(home, ring.InnerConst(p.D[j:j+1], []he.Poly{shares[m].HomePower(j + 1)}))
			}
		}
	}
	return value, home
}
