package he

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// expMinus returns e^(-k^2/20.48) with 400 bits, by its power series.
func expMinus(k int64) *big.Float {
	f := func(x int64) *big.Float { return new(big.Float).SetPrec(400).SetInt64(x) }
	x := new(big.Float).SetPrec(400).Quo(f(-k*k*100), f(2048))
	x.Quo(x, f(1024)) // e^x = (e^(x/1024))^1024, so that the series converges fast
	sum, term := f(1), f(1)
	for i := int64(1); i < 200; i++ {
		term.Mul(term, x).Quo(term, f(i))
		sum.Add(sum, term)
	}
	for range 10 {
		sum.Mul(sum, sum)
	}
	return sum
}

func TestGaussTableIsExact(t *testing.T) {
	weights, total := make([]*big.Float, errorCut+1), new(big.Float).SetPrec(400)
	for k := range weights {
		weights[k] = expMinus(int64(k))
		if k > 0 {
			weights[k].Mul(weights[k], big.NewFloat(2))
		}
		total.Add(total, weights[k])
	}
	upTo := new(big.Float).SetPrec(400)
	for k := range gaussTable {
		upTo.Add(upTo, weights[k])
		x := new(big.Float).SetPrec(400).Quo(upTo, total)
		want, _ := x.SetMantExp(x, 127).Int(nil)
		have := new(big.Int).SetUint64(gaussTable[k][0])
		have.Lsh(have, 64).Add(have, new(big.Int).SetUint64(gaussTable[k][1]))
		require.Zero(t, have.Cmp(want), "entry %d is %x, want %x", k, have, want)
	}
}

func TestGaussianEdges(t *testing.T) {
	sample := func(hi, lo uint64, sign uint64) int64 { // u = hi*2^64+lo, 127 bits
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:], lo<<1|sign)
		binary.LittleEndian.PutUint64(b[8:], hi<<1|lo>>63)
		out := make([]int64, 1)
		gaussian(b[:], out)
		return out[0]
	}
	for k, entry := range gaussTable {
		hi, lo := entry[0], entry[1]
		require.EqualValues(t, k+1, sample(hi, lo, 0))
		require.EqualValues(t, -k-1, sample(hi, lo, 1))
		require.EqualValues(t, k, sample(hi, lo-1, 0), "one below the entry")
		require.EqualValues(t, -k, sample(hi, lo-1, 1))
	}
	require.EqualValues(t, errorCut, sample(1<<63-1, ^uint64(0), 0))
	require.EqualValues(t, -errorCut, sample(1<<63-1, ^uint64(0), 1))
	require.EqualValues(t, 0, sample(0, 0, 1))
}

func TestGaussianDistribution(t *testing.T) {
	const n = 1 << 20
	random, out := make([]byte, errorBytes*n), make([]int64, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(random)
	gaussian(random, out)

	var counts [2*errorCut + 1]int
	var m1, m2, m3, m4 float64
	for _, e := range out {
		counts[e+errorCut]++
		x := float64(e)
		m1, m2, m3, m4 = m1+x, m2+x*x, m3+x*x*x, m4+x*x*x*x
	}
	variance := 3.2 * 3.2
	require.InDelta(t, 0, m1/n, 5*math.Sqrt(variance/n))
	require.InDelta(t, variance, m2/n, 5*math.Sqrt(2*variance*variance/n))
	require.InDelta(t, 0, m3/n, 5*math.Sqrt(15*math.Pow(variance, 3)/n))
	require.InDelta(t, 3*variance*variance, m4/n, 5*math.Sqrt(96*math.Pow(variance, 4)/n))

	var observed []int
	var expected []float64
	norm := 0.0
	for k := -errorCut; k <= errorCut; k++ {
		norm += math.Exp(-float64(k*k) / (2 * variance))
	}
	tail, tailExpected := 0, 0.0
	for k := -errorCut; k <= errorCut; k++ {
		e := n * math.Exp(-float64(k*k)/(2*variance)) / norm
		if e < 20 {
			tail, tailExpected = tail+counts[k+errorCut], tailExpected+e
			continue
		}
		observed, expected = append(observed, counts[k+errorCut]), append(expected, e)
	}
	observed, expected = append(observed, tail), append(expected, tailExpected)
	freedom := float64(len(expected) - 1)
	require.InDelta(t, freedom, chiSquare(observed, expected), 5*math.Sqrt(2*freedom))
}
