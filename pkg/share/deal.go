package share

import (
	"fmt"
	"io"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// Commit is the commitment to the seed of a part, which the dealing publishes. The
// home part is committed to under HomeLabel.
func Commit(dealingNonce carnet.Nonce, a Subset, seed [32]byte) carnet.Hash {
	return carnet.Digest(tagCommit, dealingNonce[:], u16(uint16(a)), seed[:])
}

// Deal is one sharing of a dataset key. Seeds and Home are secret; the rest is
// public and belongs into the signed dealing. Every Deal draws new seeds, so a
// second one of the same key shares nothing with the first, and does not revoke it.
type Deal struct {
	Seeds          map[Subset][32]byte
	Home           *[32]byte     // seed of the home part, nil without one
	Commitments    []carnet.Hash // in the order of Committee.Subsets
	HomeCommitment carnet.Hash   // zero without a home part
	Corrections    []he.Poly     // power j at index j-1, NTT domain
}

// NewDeal shares the powers 1..degree of the secret among the committee. With home
// it makes one more part, which only one keyholder gets (see Deal.Bundle) and
// without which nothing opens. rand must be a cryptographic source; exactly 32 bytes
// a part are read from it, in the order of Committee.Subsets, the home part last.
func NewDeal(r *he.Ring, secret *he.Secret, c Committee, nonce carnet.Nonce, degree int, home bool, rand io.Reader) (*Deal, error) {
	if err := checkDegree(r, degree); err != nil {
		return nil, err
	}
	d := &Deal{Seeds: make(map[Subset][32]byte, c.Parts())}
	draw := func() (seed [32]byte, err error) {
		if _, err = io.ReadFull(rand, seed[:]); err != nil {
			return seed, fmt.Errorf("draw a part seed: %w", err)
		}
		return seed, nil
	}
	var all [][32]byte
	for _, a := range c.Subsets() {
		seed, err := draw()
		if err != nil {
			return nil, err
		}
		all = append(all, seed)
		d.Seeds[a] = seed
		d.Commitments = append(d.Commitments, Commit(nonce, a, seed))
	}
	if home {
		seed, err := draw()
		if err != nil {
			return nil, err
		}
		all = append(all, seed)
		d.Home, d.HomeCommitment = &seed, Commit(nonce, HomeLabel, seed)
	}
	part := r.NewPoly()
	for j := 1; j <= degree; j++ {
		delta := r.NewPoly()
		r.Add(delta, secret.Power(j), delta)
		for i := range all {
			expandPart(r, all[i], j, part)
			r.Sub(delta, part, delta)
		}
		d.Corrections = append(d.Corrections, delta)
	}
	return d, nil
}

// Bundle is what keyholder i gets: the seeds of the parts it holds and, if it is
// the homeMember of a dealing with a home part, the home seed.
func (d *Deal) Bundle(c Committee, i, homeMember int) Bundle {
	b := Bundle{Number: i, Seeds: map[Subset][32]byte{}}
	for _, a := range c.held(i) {
		b.Seeds[a] = d.Seeds[a]
	}
	if d.Home != nil && i == homeMember {
		home := *d.Home
		b.Home = &home
	}
	return b
}

// partKey is the XOF key of the part with this seed for power j of the secret.
// Every power has its own mask, so no assumption about encrypting a key under
// itself is needed.
func partKey(p *he.Profile, seed [32]byte, j int) [32]byte {
	id := p.ID()
	return carnet.Keyed(seed[:], tagPart, id[:], u32(uint32(j)))
}

func expandPart(r *he.Ring, seed [32]byte, j int, out he.Poly) {
	r.Uniform(partKey(r.Profile(), seed, j), out)
}

func checkDegree(r *he.Ring, degree int) error {
	if degree < 1 || degree > r.Profile().MaxDegree() {
		return carnet.E(carnet.Invalid, "BAD_DEGREE", "profile %s allows degrees 1 to %d, not %d", r.Profile().Name(), r.Profile().MaxDegree(), degree)
	}
	return nil
}
