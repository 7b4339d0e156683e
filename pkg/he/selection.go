package he

import (
	"fmt"
	"math/big"
)

const (
	// SelectionBits bounds the entries of a shared selection: each is an integer of
	// magnitude below 2^SelectionBits, whatever its author did.
	SelectionBits = 89
	// MinSelectionSoundness is the least SelectionSoundness at which a check of a
	// selection is worth doing.
	MinSelectionSoundness = 100
)

// SelectionSoundness says how well one random linear check modulo Q tells a vector of
// zeros and ones from any other vector of integers below 2^SelectionBits: a cheat
// passes with probability at most 2^-SelectionSoundness.
//
// An entry w passes limb q for free if w^2 = w modulo q. As Z_Q is no field, an entry
// other than 0 and 1 can do that in several limbs at once; the check is as good as the
// limbs that are left in the worst case. 0 says that Z_Q has an idempotent other than
// 0 and 1 that small: it passes all limbs, and no check helps. It holds at the full
// level only, which is the level of every opening.
func (p *Profile) SelectionSoundness() int { return p.soundness }

// soundness works SelectionSoundness out for a product of primes.
func soundness(primes []uint64) int {
	var least *big.Int
	for set := range 1 << len(primes) {
		if !smallCheat(primes, set) {
			continue
		}
		left := big.NewInt(1)
		for l, q := range primes {
			if set>>l&1 == 0 {
				left.Mul(left, new(big.Int).SetUint64(q))
			}
		}
		if least == nil || left.Cmp(least) < 0 {
			least = left
		}
	}
	return least.BitLen() - 1
}

// smallCheat reports whether some integer other than 0 and 1, of magnitude below
// 2^SelectionBits, is 0 or 1 modulo every prime of the set.
func smallCheat(primes []uint64, set int) bool {
	limit := new(big.Int).Lsh(big.NewInt(1), SelectionBits)
	small := func(x *big.Int) bool {
		return x.CmpAbs(limit) < 0 && !(x.IsInt64() && (x.Int64() == 0 || x.Int64() == 1))
	}
	m := big.NewInt(1)
	for l, q := range primes {
		if set>>l&1 == 1 {
			m.Mul(m, new(big.Int).SetUint64(q))
		}
	}
	for ones := set; ; ones = (ones - 1) & set {
		e := new(big.Int) // 1 modulo the primes of ones, 0 modulo the rest of the set
		for l, q := range primes {
			if ones>>l&1 == 1 {
				b := new(big.Int).SetUint64(q)
				rest := new(big.Int).Quo(m, b)
				e.Add(e, rest.Mul(rest, new(big.Int).ModInverse(rest, b)))
			}
		}
		e.Mod(e, m)
		for _, x := range []*big.Int{e, new(big.Int).Add(e, m), new(big.Int).Sub(e, m)} {
			if small(x) {
				return true
			}
		}
		if ones == 0 {
			return false
		}
	}
}

// UniformScalars sets out, of at most N scalars, to the uniform ones that the key
// names: scalar j is word j of every limb of the polynomial that Uniform makes.
func (r *Ring) UniformScalars(key [32]byte, out []Scalar) {
	if len(out) > r.p.n {
		panic(fmt.Sprintf("he: %d scalars of one polynomial", len(out)))
	}
	x := r.expansion(key)
	words := make([]uint64, len(out))
	for l := range r.p.mods {
		x.Words(l, 0, words)
		for j, w := range words {
			out[j][l] = w
		}
	}
}
