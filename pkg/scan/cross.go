package scan

import (
	"bytes"
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// CrossParts are the ciphertext polynomials of one functional across keys, in the NTT
// domain: it opens to T^2 times
//
//	const(Stored + sum over keys of Own_k*s_k + sum over pairs of Pairs_kl*s_k*s_l)
type CrossParts struct {
	Keys   []carnet.KeyID // ascending
	Stored he.Poly        // E00: products of stored halves
	Own    []he.Poly      // of each key (E10, E01): its public halves times stored halves of others
	Pairs  []CrossPair    // of every two keys that have a term (E11), ascending
}

// CrossPair is the sum of products of public halves of two keys.
type CrossPair struct {
	A, B int // places in Keys, A below B
	E    he.Poly
}

// Cross computes the parts of functionals across keys and calls emit once for each, in
// order; the polynomials are valid during the call only. Memory is used as by Products.
// In coefficient encoding, where a product of blocks is no product of cells, they are refused.
func Cross(ctx context.Context, r *he.Ring, fs []*functional.Functional, c0 Chunks, opt Options, emit func(i int, parts *CrossParts) error) error {
	if err := checkCross(r.Profile(), fs); err != nil {
		return err
	}
	k, err := opt.kernel(r)
	if err != nil {
		return err
	}
	var all [][]*crossSums
	var total int64
	for _, some := range crossBatches(r.Profile(), fs, opt.MaxBytes) {
		var sums []*crossSums
		for _, f := range some {
			sums = append(sums, newCrossSums(r.Profile(), f))
		}
		all = append(all, sums)
		for _, p := range crossPasses(sums) {
			total += p.reads()
		}
	}
	m := &meter{report: opt.Progress, total: total}
	done := 0
	for _, sums := range all {
		for _, s := range sums {
			s.begin()
		}
		run := &crossRunner{r: r, kernel: k, c0: c0, opt: opt, meter: m}
		for _, p := range crossPasses(sums) {
			if err := run.run(ctx, p); err != nil {
				return err
			}
		}
		for _, s := range sums {
			if err := emit(done, s.result(r)); err != nil {
				return err
			}
			s.words = nil
			done++
		}
	}
	return nil
}

func checkCross(p *he.Profile, fs []*functional.Functional) error {
	memo := functional.NewMemo(p.N())
	for i, f := range fs {
		if err := memo.Validate(f); err != nil {
			return err
		}
		if len(f.Cross) == 0 || p.MaxDegree() < 2 || p.Encoding() != he.Slots {
			return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "functional %d has no terms across keys, or profile %s multiplies no slots", i, p.Name())
		}
	}
	return nil
}

// crossBatches splits functionals, in order, as batches does.
func crossBatches(p *he.Profile, fs []*functional.Functional, maxBytes int64) (out [][]*functional.Functional) {
	var size int64
	for _, f := range fs {
		polys := int64(1 + len(f.Keys) + len(f.Keys)*(len(f.Keys)-1)/2)
		need := polys * 24 * int64(p.Limbs()*p.N())
		if len(out) == 0 || size+need > maxBytes {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], f)
		size += need
	}
	return out
}

// Value evaluates the parts at the given polynomials in place of the keys' secrets: at
// the secrets it is what the functional opens to, at the first corrections it is the
// public value that a buyer adds to the keyholders' answers.
func (p *CrossParts) Value(r *he.Ring, s map[carnet.KeyID]he.Poly) he.Scalar {
	sum := r.Const(p.Stored)
	var own, at []he.Poly
	for i, key := range p.Keys {
		own, at = append(own, p.Own[i]), append(at, s[key])
	}
	for _, x := range p.Pairs {
		product := r.NewPoly()
		r.Mul(s[p.Keys[x.A]], s[p.Keys[x.B]], product)
		own, at = append(own, x.E), append(at, product)
	}
	return r.ScalarAdd(sum, r.InnerConst(own, at))
}

// Share is what a keyholder's shares R of the secrets make of the parts:
//
//	const(sum of Own_k*R_k + sum of Pairs_kl*(delta_k*R_l + R_k*delta_l + R_k*R_l))
//
// It is secret until it is flooded and hidden by a zero sharing, and so is every term of
// it: none leaves the keyholder by itself. The stored halves' product is not in it.
func (p *CrossParts) Share(r *he.Ring, shares, corrections map[carnet.KeyID]he.Poly) he.Scalar {
	view := map[carnet.KeyID]he.Poly{}
	for _, key := range p.Keys {
		view[key] = r.NewPoly()
		r.Add(shares[key], corrections[key], view[key])
	}
	return r.ScalarSub(p.Value(r, view), p.Value(r, corrections))
}

// Contents returns H_D of every key: the digest of the canonical bytes of the
// polynomials that its share is multiplied by. Stored is not in it.
func (p *CrossParts) Contents(r *he.Ring) []carnet.Hash {
	out := make([]carnet.Hash, len(p.Keys))
	for k := range p.Keys {
		fields := [][]byte{wire.AppendPoly(nil, r.Profile(), p.Own[k])}
		for _, x := range p.Pairs {
			if other := x.A + x.B - k; x.A == k || x.B == k {
				fields = append(fields, p.Keys[other][:], wire.AppendPoly(nil, r.Profile(), x.E))
			}
		}
		out[k] = carnet.Digest("carnet/HD/cross/1", fields...)
	}
	return out
}

// pairsOf lists the pairs of keys that a functional has terms of, ascending.
func pairsOf(f *functional.Functional, at map[carnet.KeyID]int) (out []CrossPair) {
	for i := range f.Cross {
		t := &f.Cross[i]
		x := CrossPair{A: at[t.Left.Key], B: at[t.Right.Key]}
		if !slices.ContainsFunc(out, func(y CrossPair) bool { return x.A == y.A && x.B == y.B }) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(x, y CrossPair) int {
		if x.A != y.A {
			return x.A - y.A
		}
		return x.B - y.B
	})
	return out
}

// crossFile is a file and the key it is encrypted under.
type crossFile struct {
	key  carnet.KeyID
	file carnet.Nonce
}

func compareCrossFiles(x, y crossFile) int {
	if c := bytes.Compare(x.key[:], y.key[:]); c != 0 {
		return c
	}
	return bytes.Compare(x.file[:], y.file[:])
}
