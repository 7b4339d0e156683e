package schema

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		want  int64
	}{
		{"0", 0, 0}, {"-0", 0, 0}, {"+7", 0, 7}, {"-7", 0, -7}, {"007", 0, 7},
		{"1234.50", 2, 123450}, {"1234.5", 2, 123450}, {"1234", 2, 123400}, {"-.5", 1, -5}, {".5", 1, 5}, {"5.", 1, 50},
		{"1.500000000000000000000000000", 1, 15}, {"109.0", 0, 109}, {"0.01", 2, 1}, {"-0.01", 2, -1},
		{"999999999999999999", 0, maxScaled}, {"-999999999999999999", 0, -maxScaled}, {"9999999999999999.99", 2, maxScaled},
		{strings.Repeat("0", 100) + "1", 0, 1},
	} {
		got, err := ParseDecimal(c.text, c.scale)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		want  string
	}{
		{"", 0, "a number is missing"},
		{"-", 0, `"-" is not a decimal number such as -1234.50`},
		{".", 2, `"." is not a decimal number such as -1234.50`},
		{"1.2.3", 2, `"1.2.3" is not a decimal number such as -1234.50`},
		{"--5", 0, `"--5" is not a decimal number such as -1234.50`},
		{"abc", 0, `"abc" is not a decimal number such as -1234.50`},
		{"0x10", 0, `"0x10" is not a decimal number such as -1234.50`},
		{"1,234.50", 2, `"1,234.50" has a thousands separator; write "1234.50"`},
		{"1'234.50", 2, `"1'234.50" has a thousands separator; write "1234.50"`},
		{"1,234,567", 0, `"1,234,567" has a thousands separator or a space; write digits only`},
		{"12,5", 1, `"12,5" has a comma; write a point for decimals and no thousands separators`},
		{"1 234", 0, `"1 234" has a thousands separator or a space; write digits only`},
		{"1_234", 0, `"1_234" has a thousands separator or a space; write digits only`},
		{"1e6", 0, `"1e6" has an exponent; write it out in digits`},
		{"1E-6", 6, `"1E-6" has an exponent; write it out in digits`},
		{"(5)", 0, `"(5)" is in parentheses; write negative numbers with a minus sign`},
		{"\u22125", 0, "\"\u22125\" has a typographic minus sign; write a hyphen-minus, as in -5"},
		{"NaN", 0, `"NaN" is not a number; leave the field empty for NULL`},
		{"-inf", 0, `"-inf" is not a number; leave the field empty for NULL`},
		{"$5", 0, `"$5" has a sign of a unit; write the number only`},
		{"1.005", 2, `"1.005" has more than 2 digits after the point; round it before, or raise the scale`},
		{"0.1000000000000000055511151231257827", 2, `"0.1000000000000000055511151231257827" is not exact in decimal; if it comes from a floating-point column, store that as DECIMAL or as whole numbers`},
		{"1.5", 0, `"1.5" is not a whole number and the scale is 0; round it before, or raise the scale`},
		{"1000000000000000000", 0, `"1000000000000000000" is too large: at most 18 digits, counting 0 after the point`},
		{"-10000000000000000", 2, `"-10000000000000000" is too small: at most 18 digits, counting 2 after the point`},
		{strings.Repeat("9", 50), 0, `"` + strings.Repeat("9", 40) + `"... is too large: at most 18 digits, counting 0 after the point`},
	} {
		_, err := ParseDecimal(c.text, c.scale)
		require.EqualError(t, err, c.want, c.text)
	}
}

func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.IntRange(0, MaxScale).Draw(t, "scale")
		v := rapid.Int64Range(-maxScaled, maxScaled).Draw(t, "v")
		text := FormatDecimal(big.NewInt(v), scale)
		got, err := ParseDecimal(text, scale)
		if err != nil || got != v {
			t.Fatalf("%d at scale %d is %q, read back as %d, %v", v, scale, text, got, err)
		}
	})
}

// FuzzParseDecimal compares with exact rational arithmetic.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-1.50", "+.5", "5.", "1e5", "1,2", "99999999999999999999", "--1", "\u22121", "1.2.3"} {
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, s string, scale int) {
		if scale < 0 || scale > MaxScale {
			return
		}
		v, err := ParseDecimal(s, scale)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		require.True(t, ok, "%q", s)
		unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
		require.Zero(t, exact.Mul(exact, unit).Cmp(new(big.Rat).SetInt64(v)), "%q at scale %d is not %d", s, scale, v)
	})
}
