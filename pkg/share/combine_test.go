package share

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/he"
)

// codeword is what honest keyholders would answer for a random polynomial with the
// given value at 0.
func codeword(r *he.Ring, c Committee, secret he.Scalar, rng *rand.Rand) []Answer {
	q := r.Profile().Q()
	random := func() he.Scalar {
		v := new(big.Int)
		for range 6 {
			v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(rng.Uint64()))
		}
		return r.ScalarFromBig(v.Mod(v, q))
	}
	coefficients := []he.Scalar{secret}
	for range c.T - 1 {
		coefficients = append(coefficients, random())
	}
	var answers []Answer
	for i := 1; i <= c.N; i++ {
		x, sum := r.ScalarFromBig(big.NewInt(int64(i))), he.Scalar{}
		for _, a := range slices.Backward(coefficients) {
			sum = r.ScalarAdd(r.ScalarMul(sum, x), a)
		}
		answers = append(answers, Answer{i, sum})
	}
	return answers
}

// shift makes an answer a lie.
func shift(r *he.Ring, a Answer, by int64) Answer {
	return Answer{a.Number, r.ScalarAdd(a.Value, r.ScalarFromBig(big.NewInt(by)))}
}

func TestGuarantees(t *testing.T) {
	for _, x := range []struct{ n, t, m, detected, corrected int }{
		{5, 3, 2, 0, 0}, {5, 3, 3, 0, 0}, {5, 3, 4, 1, 0}, {5, 3, 5, 2, 0},
		{7, 3, 6, 2, 1}, {7, 3, 7, 2, 2}, {4, 2, 3, 1, 0}, {4, 2, 4, 1, 1},
		{3, 2, 3, 1, 0}, {1, 1, 1, 0, 0}, {12, 2, 12, 5, 5}, {12, 4, 10, 3, 3}, {12, 4, 9, 3, 2},
	} {
		detected, corrected := Committee{x.n, x.t}.Guarantees(x.m)
		require.Equal(t, []int{x.detected, x.corrected}, []int{detected, corrected}, "%d of %d, %d answers", x.t, x.n, x.m)
	}
	for n := 1; n <= MaxKeyholders; n++ { // t-1 liars: detected with 2t-1 answers, corrected with 3t-2
		for threshold := 1; threshold <= n; threshold++ {
			c := Committee{n, threshold}
			detected, _ := c.Guarantees(2*threshold - 1)
			require.GreaterOrEqual(t, detected, threshold-1)
			_, corrected := c.Guarantees(3*threshold - 2)
			require.GreaterOrEqual(t, corrected, threshold-1)
		}
	}
}

// TestCombineKeepsItsGuarantees lets random sets of keyholders lie at random, in one
// residue or all, alone or along another codeword.
func TestCombineKeepsItsGuarantees(t *testing.T) {
	r := he.NewRing(smallRecords)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, MaxKeyholders).Draw(t, "n")
		c := Committee{n, rapid.IntRange(1, n).Draw(t, "t")}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		secret := r.ScalarFromBig(big.NewInt(rng.Int64()))
		answers := codeword(r, c, secret, rng)
		rng.Shuffle(n, func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
		answers = answers[:rapid.IntRange(c.T, n).Draw(t, "m")]
		detected, corrected := c.Guarantees(len(answers))
		lies := rapid.IntRange(0, detected).Draw(t, "lies")
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			for i := range lies {
				answers[i] = shift(r, answers[i], int64(i+1))
			}
		case 1:
			for i := range lies { // only one residue: zero modulo all other primes
				answers[i].Value[i%r.Profile().Limbs()] ^= 1
			}
		case 2:
			other := codeword(r, c, he.Scalar{}, rng)
			for i := range lies {
				answers[i] = other[answers[i].Number-1]
			}
		}
		value, liars, err := Combine(r, c, answers)
		switch {
		case err == nil && value != secret:
			t.Fatalf("a wrong value was accepted")
		case err == nil && len(liars) != lies:
			t.Fatalf("%d liars are named, %d lied", len(liars), lies)
		case err != nil && lies <= corrected:
			t.Fatalf("%d lies were not corrected: %v", lies, err)
		}
	})
}

func TestCombineAllLeavesALiarOutOfEverything(t *testing.T) {
	r, c := he.NewRing(smallRecords), must(NewCommittee(7, 3))
	rng := rand.New(stream("all"))
	const openings = 50
	values := make([][]he.Scalar, c.N)
	var secrets []he.Scalar
	for o := range openings {
		secrets = append(secrets, r.ScalarFromBig(big.NewInt(int64(o))))
		for i, a := range codeword(r, c, secrets[o], rng) {
			values[i] = append(values[i], a.Value)
		}
	}
	numbers := []int{1, 2, 3, 4, 5, 6, 7}
	lie := func(number, o int) { values[number-1][o] = r.ScalarAdd(values[number-1][o], secrets[1]) }
	lie(6, 10)
	lie(2, 40)
	lie(2, 41)
	sums, liars, detected, corrected, err := CombineAll(r, c, numbers, values)
	require.NoError(t, err)
	require.Equal(t, secrets, sums)
	require.Equal(t, []int{2, 6}, liars)
	require.Equal(t, []int{2, 2}, []int{detected, corrected})

	lie(7, 20) // three liars in all, though never more than one in an opening
	_, _, _, _, err = CombineAll(r, c, numbers, values)
	requireReason(t, "INCONSISTENT_ANSWERS", err)
}

func TestCombineRefuses(t *testing.T) {
	r, c := he.NewRing(smallRecords), must(NewCommittee(5, 3))
	a := codeword(r, c, he.Scalar{}, rand.New(stream("refuse")))
	for reason, answers := range map[string][]Answer{
		"TOO_FEW_ANSWERS":      a[:2],
		"INCONSISTENT_ANSWERS": {a[0], a[1], a[2], shift(r, a[3], 1)},
	} {
		_, _, err := Combine(r, c, answers)
		requireReason(t, reason, err)
	}
	for _, answers := range [][]Answer{
		{a[0], a[1], a[1]}, {a[0], a[1], {6, a[2].Value}}, {{0, a[0].Value}, a[1], a[2]},
	} {
		_, _, err := Combine(r, c, answers)
		requireReason(t, "BAD_ANSWERS", err)
	}
	_, _, err := Combine(r, c, nil)
	requireReason(t, "TOO_FEW_ANSWERS", err)
	one := []he.Scalar{{}}
	_, _, _, _, err = CombineAll(r, c, []int{1, 2, 3}, [][]he.Scalar{one, one, {}})
	requireReason(t, "BAD_ANSWERS", err)
	_, _, _, _, err = CombineAll(r, c, []int{1, 2, 3}, [][]he.Scalar{one, one})
	requireReason(t, "BAD_ANSWERS", err)
	sums, _, _, _, err := CombineAll(r, c, []int{1, 2, 3}, [][]he.Scalar{{}, {}, {}})
	require.NoError(t, err)
	require.Empty(t, sums)
}

func BenchmarkCombineAll(b *testing.B) {
	r := he.NewRing(smallRecords)
	for _, liars := range []int{0, 2} {
		b.Run(fmt.Sprint("liars=", liars), func(b *testing.B) {
			c := must(NewCommittee(7, 3))
			values := make([][]he.Scalar, c.N)
			for _, a := range codeword(r, c, he.Scalar{}, rand.New(stream("bench"))) {
				values[a.Number-1] = slices.Repeat([]he.Scalar{a.Value}, 4096)
			}
			for i := range liars {
				values[i][17] = he.Scalar{}
			}
			for b.Loop() {
				_, _, _, _, _ = CombineAll(r, c, []int{1, 2, 3, 4, 5, 6, 7}, values)
			}
		})
	}
}
