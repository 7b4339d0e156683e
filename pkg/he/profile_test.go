package he

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestProfiles(t *testing.T) {
	ids := map[carnet.Hash]bool{}
	for _, p := range Profiles() {
		found, err := Lookup(p.Name())
		require.NoError(t, err)
		require.Same(t, p, found)
		require.False(t, ids[p.ID()])
		ids[p.ID()] = true

		require.Equal(t, 14, p.LogN())
		require.Equal(t, 1<<14, p.N())
		product := big.NewInt(1)
		for i, q := range p.Primes() {
			require.EqualValues(t, 1, q%uint64(2*p.N()))
			require.True(t, new(big.Int).SetUint64(q).ProbablyPrime(20))
			require.Less(t, q, uint64(1)<<p.LimbBits())
			require.Greater(t, q, p.T())
			if i > 0 {
				require.Less(t, q, p.Primes()[i-1])
			}
			product.Mul(product, new(big.Int).SetUint64(q))
		}
		require.Zero(t, product.Cmp(p.Q()))
		require.Len(t, p.Primes(), p.Limbs())
		require.EqualValues(t, 1, p.T()%uint64(2*p.N()))
		require.True(t, new(big.Int).SetUint64(p.T()).ProbablyPrime(20))
		classical, quantum := p.Secure()
		require.True(t, classical)
		require.Equal(t, p.Q().BitLen() <= 322, quantum)
		require.Equal(t, p.Limbs()<<17, p.BlockBytes())
		require.Equal(t, p.Limbs()*8, p.ScalarBytes())

		p.Q().SetInt64(0) // copies: the profile does not change
		p.Primes()[0] = 0
		require.Zero(t, product.Cmp(p.Q()))
		require.NotZero(t, p.Primes()[0])
	}
	require.Len(t, ids, 7)
	_, err := Lookup("records-narrow")
	require.Equal(t, "UNKNOWN_PROFILE", carnet.ReasonOf(err))
}

func TestNewProfileRefuses(t *testing.T) {
	good := Literal{Name: "x", LogN: 8, Limbs: 3, LimbBits: 55, TBits: 45, MaxDegree: 2, Encoding: Slots}
	_, err := NewProfile(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*Literal){
		"name":              func(l *Literal) { l.Name = "No name" },
		"ring too small":    func(l *Literal) { l.LogN = 3 },
		"ring too large":    func(l *Literal) { l.LogN = 16 },
		"no limbs":          func(l *Literal) { l.Limbs = 0 },
		"too many limbs":    func(l *Literal) { l.Limbs = 7 },
		"limb too wide":     func(l *Literal) { l.LimbBits = 61 },
		"limb too narrow":   func(l *Literal) { l.LimbBits = 19 },
		"T too wide":        func(l *Literal) { l.TBits = 55 },
		"T too narrow":      func(l *Literal) { l.TBits = 9 },
		"degree 0":          func(l *Literal) { l.MaxDegree = 0 },
		"degree 5":          func(l *Literal) { l.MaxDegree = 5 },
		"encoding":          func(l *Literal) { l.Encoding = 0 },
		"cells of degree 2": func(l *Literal) { l.Encoding = Coefficients },
		"too few primes":    func(l *Literal) { l.LogN, l.LimbBits, l.TBits, l.Limbs = 14, 20, 19, 6 },
		"insecure at 2^12":  func(l *Literal) { l.LogN = 12 },
		"insecure at 2^11":  func(l *Literal) { l.LogN, l.Limbs, l.LimbBits, l.TBits = 11, 1, 20, 16 },
		"insecure at 2^13":  func(l *Literal) { l.LogN, l.Limbs = 13, 4 },
	} {
		l := good
		change(&l)
		_, err := NewProfile(l)
		require.Equal(t, "BAD_PROFILE", carnet.ReasonOf(err), name)
		require.Equal(t, carnet.Invalid, carnet.KindOf(err), name)
	}
	p := small(t, 6, 2, 40, 20, Slots)
	classical, quantum := p.Secure()
	require.False(t, classical)
	require.False(t, quantum)
}
