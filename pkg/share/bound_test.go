package share

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

func TestTerms(t *testing.T) {
	f := &functional.Functional{Keys: []functional.KeyTerms{
		{Linear: []functional.Linear{{Blocks: 7}, {Blocks: 100, Cells: []uint32{1, 2, 3}}}},
		{Products: []functional.Product{{Blocks: 5, Factors: []functional.Factor{functional.Sum(1, 2), {Plus: []uint32{3, 4}, Minus: []uint32{5}}}}, {Blocks: 1, Factors: []functional.Factor{functional.Sum(1), functional.Sum(1)}}}},
	}}
	require.Equal(t, int64(7+3+30+1), Terms(f))
	many := make([]uint32, 1<<16)
	f.Keys[1].Products[0] = functional.Product{Blocks: math.MaxUint32, Factors: []functional.Factor{{Plus: many}, {Plus: many}}}
	require.Equal(t, int64(math.MaxInt64), Terms(f))
	_, _, err := FloodBits(smallRecords, must(NewCommittee(3, 2)), 0, NoiseBound(smallRecords, 2, Terms(f)))
	requireReason(t, "NOISE_TOO_LARGE", err)
}

func TestNoiseBound(t *testing.T) {
	p := must(he.Lookup("records"))
	require.Equal(t, big.NewInt(20*1024), NoiseBound(p, 1, 1024))
	want := new(big.Int).SetUint64(p.T())
	want.Mul(want, big.NewInt(400*1024*16384))
	require.Equal(t, want, NoiseBound(p, 2, 1024))
}

// TestFloodBitsOfTheScheme compares with the figures that the scheme's text gives
// for 16.8M rows or cells.
func TestFloodBitsOfTheScheme(t *testing.T) {
	for _, x := range []struct {
		profile  string
		n, t     int
		degree   int
		terms    int64
		k, least int // k and whole releaseBits
	}{
		{"cube", 5, 3, 1, 1 << 24, 115, 23},
		{"cube", 5, 3, 1, 1 << 20, 115, 27},
		{"records", 5, 3, 2, 1024, 170, 29},
		{"records", 3, 2, 2, 1024, 172, 31},
		{"records-ifma", 5, 3, 2, 1024, 161, 23},
		{"records-ifma", 10, 6, 2, 1024, 157, 19},
		{"cube-wide", 5, 3, 1, 1 << 24, 121, 29},
		{"cube-wide", 10, 6, 1, 1 << 24, 117, 25},
		{"records-wide", 5, 3, 2, 1024, 216, 66},
		{"records-3", 5, 3, 3, 1024, 228, 30},
		{"records-3", 10, 6, 3, 1024, 224, 26},
		{"records-3", 5, 3, 3, 1 << 24, 228, 16},
		{"records-4", 5, 3, 4, 1024, 285, 32},
		{"records-4", 10, 6, 4, 1024, 281, 28},
		{"records-4", 5, 3, 4, 1 << 26, 285, 16},
	} {
		k, bits, err := FloodBits(must(he.Lookup(x.profile)), must(NewCommittee(x.n, x.t)), 0,
			NoiseBound(must(he.Lookup(x.profile)), x.degree, x.terms))
		require.NoError(t, err)
		require.Equal(t, x.k, k, "%s %d/%d", x.profile, x.n, x.t)
		require.Equal(t, x.least, bits, "%s %d/%d", x.profile, x.n, x.t)
	}
}

// TestFloodBitsIsLargest checks the defining inequality on both sides.
func TestFloodBitsIsLargest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]*he.Profile{smallRecords, smallCube}).Draw(t, "profile")
		nt := rapid.SampledFrom(committees).Draw(t, "committee")
		c := must(NewCommittee(nt[0], nt[1]))
		homes := rapid.IntRange(0, c.N).Draw(t, "homes")
		b := NoiseBound(p, rapid.IntRange(1, 2).Draw(t, "degree"), rapid.Int64Range(1, 1<<40).Draw(t, "terms"))
		k, bits, err := FloodBits(p, c, homes, b)
		if err != nil {
			return
		}
		opens := func(k int) bool {
			s := new(big.Int).Lsh(big.NewInt(1), uint(k))
			s.Add(s, big.NewInt(1)).Mul(s, big.NewInt(int64(c.Parts()+homes))).Add(s, b).Add(s, big.NewInt(1))
			s.Mul(s, new(big.Int).SetUint64(p.T())).Lsh(s, 1)
			return s.Cmp(p.Q()) < 0
		}
		if !opens(k) || opens(k+1) {
			t.Fatalf("k = %d is not the largest that fits", k)
		}
		// 2^k >= B * 2^bits * 2^63, and not with one bit more
		hides := new(big.Int).Lsh(b, uint(bits+63))
		if two := new(big.Int).Lsh(big.NewInt(1), uint(k)); two.Cmp(hides) < 0 || bits > 0 && two.Cmp(hides.Lsh(hides, 1)) >= 0 && new(big.Int).And(b, new(big.Int).Sub(b, big.NewInt(1))).Sign() == 0 {
			t.Fatalf("releaseBits = %d does not fit k = %d", bits, k)
		}
	})
}

func TestFloodBitsRefuses(t *testing.T) {
	c := must(NewCommittee(5, 3))
	for _, b := range []*big.Int{big.NewInt(0), big.NewInt(-1), smallCube.Q(), new(big.Int).Lsh(big.NewInt(1), 60)} {
		_, _, err := FloodBits(smallCube, c, 0, b)
		requireReason(t, "NOISE_TOO_LARGE", err)
	}
}

func TestMaxReleases(t *testing.T) {
	c := must(NewCommittee(5, 3))
	require.Equal(t, int64(1<<20/3), MaxReleases(c, 20))
	require.Equal(t, int64(0), MaxReleases(c, 0))
	require.Equal(t, int64(1<<62/3), MaxReleases(c, 200))
	require.Equal(t, int64(1<<16), MaxReleases(must(NewCommittee(3, 3)), 16))
}
