package privacy

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// stream is the randomness of a numbered test.
func stream(seed, n int) *Stream {
	return NewStream(carnet.Keyed([]byte("test"), "carnet/test/noise", []byte(fmt.Sprint(seed, " ", n))))
}

// mass is the probability of every value of the discrete Gaussian from -far to far, by the
// definition.
func mass(variance float64, far int) []float64 {
	out, sum := make([]float64, 2*far+1), 0.0
	for i := range out {
		x := float64(i - far)
		out[i] = math.Exp(-x * x / (2 * variance))
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// Samples have the distribution that is asked for, by Pearson's test over all values that
// are expected five times or more. The seeds are fixed, so the test can't fail by chance.
func TestSampleIsDiscreteGaussian(t *testing.T) {
	const samples = 40_000
	for seed, variance := range []int64{1, 2, 3, 10, 100, 1_000} {
		t.Run(fmt.Sprint(variance), func(t *testing.T) {
			far := int(8*math.Sqrt(float64(variance))) + 8
			want, got := mass(float64(variance), far), make([]float64, 2*far+1)
			for i := range samples {
				x := Sample(stream(seed, i), big.NewInt(variance))
				require.LessOrEqual(t, x.CmpAbs(big.NewInt(int64(far))), 0)
				got[int(x.Int64())+far]++
			}
			chi, freedom, restWant, restGot := 0.0, -1.0, 0.0, 0.0
			for i := range want {
				if e := want[i] * samples; e >= 5 {
					chi += (got[i] - e) * (got[i] - e) / e
					freedom++
				} else {
					restWant, restGot = restWant+e, restGot+got[i]
				}
			}
			if restWant >= 1 {
				chi += (restGot - restWant) * (restGot - restWant) / restWant
				freedom++
			}
			require.Less(t, chi, freedom+5*math.Sqrt(2*freedom), "chi squared of %v degrees of freedom", freedom)
		})
	}
}

// Wide noise has mean, variance and kurtosis of a Gaussian, and no value is repeated: a
// sampler that drew too few bits would lie on a grid.
func TestSampleOfWideNoise(t *testing.T) {
	const samples = 20_000
	variance := new(big.Int).Lsh(big.NewInt(1), 80)
	var sum, square, fourth float64
	seen, low := map[string]bool{}, [2]int{}
	for i := range samples {
		x := Sample(stream(77, i), variance)
		require.False(t, seen[x.String()])
		seen[x.String()] = true
		low[x.Bit(0)]++
		f, _ := new(big.Float).SetInt(x).Float64()
		f /= math.Exp2(40)
		sum, square, fourth = sum+f, square+f*f, fourth+f*f*f*f
	}
	n := float64(samples)
	require.InDelta(t, 0, sum/n, 5/math.Sqrt(n))
	require.InDelta(t, 1, square/n, 5*math.Sqrt(2/n))
	require.InDelta(t, 3, fourth/n, 5*math.Sqrt(96/n))
	require.InDelta(t, n/2, float64(low[0]), 5*math.Sqrt(n)/2, "the lowest bit is as good as any")
}

func TestSampleIsAFunctionOfKeyAndVariance(t *testing.T) {
	v := big.NewInt(1_000_000)
	require.Equal(t, Sample(stream(1, 1), v), Sample(stream(1, 1), v))
	same := 0
	for i := range 100 {
		if Sample(stream(1, i), v).Cmp(Sample(stream(2, i), v)) == 0 {
			same++
		}
	}
	require.Less(t, same, 5)
}

// A sample ends whatever its stream brings: at the limit it is 0.
func TestSampleEnds(t *testing.T) {
	s := stream(1, 1)
	s.used = streamLimit
	require.Zero(t, Sample(s, big.NewInt(100)).Sign())
	most := 0
	for i := range 2_000 {
		s := stream(3, i)
		Sample(s, new(big.Int).Lsh(one, MaxVarianceBits-1))
		most = max(most, s.used)
	}
	require.Less(t, most, streamLimit/16)
	for _, v := range []*big.Int{big.NewInt(0), big.NewInt(-1), new(big.Int).Lsh(one, MaxVarianceBits)} {
		require.Panics(t, func() { Sample(stream(1, 1), v) })
	}
}

// Draws below a bound are uniform, also where the bound is no power of two.
func TestBelow(t *testing.T) {
	for _, m := range []int64{1, 2, 3, 7, 256, 257} {
		s, got := stream(9, int(m)), map[int64]int{}
		const each = 400
		for range each * m {
			v, ok := s.below(big.NewInt(m))
			require.True(t, ok)
			got[v.Int64()]++
		}
		require.Len(t, got, int(m))
		for v, n := range got {
			require.InDelta(t, each, n, 5*math.Sqrt(each), "%d below %d", v, m)
		}
	}
}

func BenchmarkSample(b *testing.B) {
	for _, bits := range []uint{1, 20, 60} {
		b.Run(fmt.Sprintf("variance=2^%d", bits), func(b *testing.B) {
			v := new(big.Int).Lsh(one, bits)
			for i := range b.N {
				Sample(stream(0, i), v)
			}
		})
	}
}
