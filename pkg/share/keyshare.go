package share

import (
	"maps"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// KeyShare is one keyholder's view of one dataset key: for each power j of the
// secret the polynomial R_{i,j}, the sum of its parts' expansions times f_A(i), and
// the seeds, from which masks are derived. It takes N*L*8 bytes a power. It does not
// change after it is made and is safe for concurrent use until Zero.
type KeyShare struct {
	r      *he.Ring
	c      Committee
	key    carnet.KeyID
	number int
	seeds  map[Subset][32]byte
	powers []he.Poly

	home       *[32]byte
	homePowers []he.Poly
}

// NewKeyShare expands a bundle that CheckBundle accepted, for powers 1..degree.
func NewKeyShare(r *he.Ring, c Committee, key carnet.KeyID, b Bundle, degree int) (*KeyShare, error) {
	if err := checkDegree(r, degree); err != nil {
		return nil, err
	}
	if err := complete(c, b); err != nil {
		return nil, err
	}
	k := &KeyShare{r: r, c: c, key: key, number: b.Number, seeds: maps.Clone(b.Seeds)}
	part := r.NewPoly()
	for j := 1; j <= degree; j++ {
		sum := r.NewPoly()
		for a := range k.seeds {
			factor := coefficient(r, a, b.Number)
			for _, seed := range b.expanded(a) {
				expandPart(r, seed, j, part)
				r.MulScalarAdd(part, factor, sum)
			}
		}
		k.powers = append(k.powers, sum)
	}
	if b.Home != nil {
		home := *b.Home
		k.home = &home
		for j := 1; j <= degree; j++ {
			p := r.NewPoly()
			expandPart(r, home, j, p)
			k.homePowers = append(k.homePowers, p)
		}
	}
	return k, nil
}

// Key returns the dataset key's id.
func (k *KeyShare) Key() carnet.KeyID { return k.key }

// Number returns the keyholder's number.
func (k *KeyShare) Number() int { return k.number }

// Degree returns the largest power of the secret that is shared.
func (k *KeyShare) Degree() int { return len(k.powers) }

// Power returns R_{i,j} in the NTT domain, 1 <= j <= Degree. The caller must not
// change it.
func (k *KeyShare) Power(j int) he.Poly { return k.powers[j-1] }

// Home reports whether the keyholder holds the key's home part.
func (k *KeyShare) Home() bool { return k.home != nil }

// HomePower returns the home part of power j in the NTT domain, nil without one.
// The caller must not change it.
func (k *KeyShare) HomePower(j int) he.Poly {
	if k.home == nil {
		return nil
	}
	return k.homePowers[j-1]
}

// Zero overwrites everything secret. The share must not be used afterwards.
func (k *KeyShare) Zero() {
	clear(k.seeds)
	if k.home != nil {
		*k.home = [32]byte{}
	}
	for _, ps := range [][]he.Poly{k.powers, k.homePowers} {
		for _, p := range ps {
			for l := range p {
				clear(p[l])
			}
		}
	}
}
