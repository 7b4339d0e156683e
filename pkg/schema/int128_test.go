package schema

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestInt128(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Int64().Draw(t, "x")
		y := rapid.Int64().Draw(t, "y")
		z := rapid.Int64().Draw(t, "z")
		want := new(big.Int).Mul(big.NewInt(x), big.NewInt(y))
		want.Add(want, big.NewInt(z))
		got := mul64(x, y).add(int128From(z))
		if got.big().Cmp(want) != 0 {
			t.Fatalf("%d*%d+%d = %s, want %s", x, y, z, got.big(), want)
		}
		// Digits put together again give the value.
		w := uint(rapid.IntRange(1, 53).Draw(t, "w"))
		sum, shift := new(big.Int), uint(0)
		for ; shift+w < 127; shift += w {
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(got.digit(shift, w)), shift))
		}
		sum.Add(sum, new(big.Int).Lsh(big.NewInt(got.digit(shift, 0)), shift))
		if shift >= 64 && sum.Cmp(want) != 0 {
			t.Fatalf("digits of width %d give %s, want %s", w, sum, want)
		}
	})
}

func TestDigitOfLargeShift(t *testing.T) {
	for _, v := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		for _, shift := range []uint{0, 1, 63, 64, 65, 126, 127, 128, 200} {
			want := new(big.Int).Rsh(big.NewInt(v), shift)
			if got := int128From(v).digit(shift, 0); big.NewInt(got).Cmp(want) != 0 {
				t.Fatalf("%d >> %d = %d, want %s", v, shift, got, want)
			}
		}
	}
}
