package he

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSelectionSoundness holds the built-in profiles against figures worked out by
// hand: one limb always passes for free, two of 52 bits do, since some pair has an
// idempotent of 85 bits.
func TestSelectionSoundness(t *testing.T) {
	for name, least := range map[string]int{"cube": 109, "cube-wide": 119, "records": 109, "records-wide": 164, "records-ifma": 103} {
		p, err := Lookup(name)
		require.NoError(t, err)
		require.GreaterOrEqual(t, p.SelectionSoundness(), least, name)
		require.Less(t, p.SelectionSoundness(), p.Q().BitLen(), name)
	}
	for _, p := range Profiles() {
		require.GreaterOrEqual(t, p.SelectionSoundness(), MinSelectionSoundness, p.Name())
	}
	// A reduced level of the narrow profile does not qualify.
	p, err := Lookup("records-ifma")
	require.NoError(t, err)
	require.Less(t, soundness(p.Primes()[:3]), MinSelectionSoundness)
}

// TestSoundnessOfTinyPrimes compares with trying every integer: with 2^89 far above
// Q every idempotent is in range, and nothing is left to check.
func TestSoundnessOfTinyPrimes(t *testing.T) {
	require.Zero(t, soundness([]uint64{97, 193}))
	// One prime above the bound: 0 and 1 are its only idempotents, so all of it is left.
	require.Equal(t, 0, soundness([]uint64{1<<59 + 21}), "a multiple of a prime below the bound passes it")
}

func TestProfileWithoutSoundCheck(t *testing.T) {
	_, err := NewProfile(Literal{Name: "x", LogN: 14, Limbs: 2, LimbBits: 55, TBits: 45, MaxDegree: 1, Encoding: Coefficients})
	require.ErrorContains(t, err, "a check of a selection errs with")
}

// TestSmallCheat finds the idempotents of a product of two primes by trying all.
func TestSmallCheat(t *testing.T) {
	primes := []uint64{1<<55 - 55, 1<<55 - 67} // primality does not matter here, only that they are coprime
	m := new(big.Int).Mul(new(big.Int).SetUint64(primes[0]), new(big.Int).SetUint64(primes[1]))
	require.Greater(t, m.BitLen(), SelectionBits)
	require.True(t, smallCheat(primes, 0b01))
	require.True(t, smallCheat(primes, 0b10))
	require.True(t, smallCheat(primes, 0))
	// The difference of the primes is 12: 1/12 modulo either is large or small by luck;
	// what counts is that the answer agrees with the two candidates.
	a := new(big.Int).SetUint64(primes[1])
	e := new(big.Int).Mul(a, new(big.Int).ModInverse(a, new(big.Int).SetUint64(primes[0])))
	limit := new(big.Int).Lsh(big.NewInt(1), SelectionBits)
	want := false
	for _, x := range []*big.Int{e, new(big.Int).Sub(e, m), new(big.Int).Sub(m, new(big.Int).Sub(e, big.NewInt(1))), new(big.Int).Sub(big.NewInt(1), e)} {
		want = want || x.CmpAbs(limit) < 0
	}
	require.Equal(t, want, smallCheat(primes, 0b11))
}

func TestUniformScalars(t *testing.T) {
	p, err := NewProfile(Literal{Name: "test", LogN: 6, Limbs: 3, LimbBits: 55, TBits: 45, MaxDegree: 1, Encoding: Coefficients})
	require.NoError(t, err)
	r := NewRing(p)
	all := r.NewPoly()
	r.Uniform([32]byte{7}, all)
	out := make([]Scalar, 5)
	r.UniformScalars([32]byte{7}, out)
	for j := range out {
		for l := range all {
			require.Equal(t, all[l][j], out[j][l])
		}
		for l := len(all); l < MaxLimbs; l++ {
			require.Zero(t, out[j][l])
		}
	}
	require.Panics(t, func() { r.UniformScalars([32]byte{}, make([]Scalar, p.N()+1)) })
}
