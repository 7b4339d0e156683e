package schema

import (
	"fmt"
	"math/big"
	"strings"
)

// maxScaled bounds the magnitude of a scaled value: 18 digits. Its square fits 128 bits.
const maxScaled = 999_999_999_999_999_999

// A decimalError says what is wrong with a number and how to write it. Sign tells,
// for a number that is only too large, on which side it lies.
type decimalError struct {
	msg  string
	sign int
}

func (e *decimalError) Error() string { return e.msg }

func notDecimal(format string, args ...any) error {
	return &decimalError{msg: fmt.Sprintf(format, args...)}
}

// ParseDecimal reads a decimal number exactly, as an integer of 10^-scale units:
// an optional sign, digits, and optionally a point followed by digits. Zeros after
// the last allowed digit are accepted, other digits are not: nothing is rounded.
// Thousands separators, decimal commas, exponents and spaces are refused with a hint.
// The result has at most 18 digits.
func ParseDecimal(s string, scale int) (int64, error) {
	digits, neg := s, false
	if digits != "" && (digits[0] == '+' || digits[0] == '-') {
		neg, digits = digits[0] == '-', digits[1:]
	}
	var v int64
	seen, after, point, large := 0, 0, false, false
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c == '.' && !point:
			point = true
			continue
		case c < '0' || c > '9':
			return 0, explainDecimal(s)
		}
		seen++
		if point {
			if after++; after > scale {
				if c != '0' {
					return 0, tooPrecise(s, scale)
				}
				continue
			}
		}
		if large = large || v > maxScaled/10; !large {
			v = v*10 + int64(c-'0')
		}
	}
	if seen == 0 {
		return 0, explainDecimal(s)
	}
	for ; after < scale && v != 0 && !large; after++ {
		if large = v > maxScaled/10; !large {
			v *= 10
		}
	}
	switch {
	case large && neg:
		return 0, &decimalError{fmt.Sprintf("%s is too small: at most 18 digits, counting %d after the point", quote(s), scale), -1}
	case large:
		return 0, &decimalError{fmt.Sprintf("%s is too large: at most 18 digits, counting %d after the point", quote(s), scale), 1}
	case neg:
		return -v, nil
	}
	return v, nil
}

func tooPrecise(s string, scale int) error {
	if _, after, _ := strings.Cut(s, "."); len(after) > 18 {
		return notDecimal("%s is not exact in decimal; if it comes from a floating-point column, store that as DECIMAL or as whole numbers", quote(s))
	}
	if scale == 0 {
		return notDecimal("%s is not a whole number and the scale is 0; round it before, or raise the scale", quote(s))
	}
	return notDecimal("%s has more than %d digits after the point; round it before, or raise the scale", quote(s), scale)
}

// explainDecimal finds out what the writer meant.
func explainDecimal(s string) error {
	lower := strings.ToLower(s)
	has := func(chars string) bool { return strings.ContainsAny(s, chars) }
	switch {
	case s == "":
		return notDecimal("a number is missing")
	case strings.Contains(s, "\u2212"):
		return notDecimal("%s has a typographic minus sign; write a hyphen-minus, as in -5", quote(s))
	case strings.Contains(lower, "nan"), strings.Contains(lower, "inf"):
		return notDecimal("%s is not a number; leave the field empty for NULL", quote(s))
	case strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		return notDecimal("%s is in parentheses; write negative numbers with a minus sign", quote(s))
	case has(",'\u2019") && has("."):
		return notDecimal("%s has a thousands separator; write %s", quote(s), quote(strings.NewReplacer(",", "", "'", "", "\u2019", "").Replace(s)))
	case strings.Count(s, ",") == 1:
		return notDecimal("%s has a comma; write a point for decimals and no thousands separators", quote(s))
	case has(",'\u2019_ \u00a0\u202f"):
		return notDecimal("%s has a thousands separator or a space; write digits only", quote(s))
	case has("eE") && strings.ContainsAny(s, "0123456789"):
		return notDecimal("%s has an exponent; write it out in digits", quote(s))
	case has("%$€£¥₸"):
		return notDecimal("%s has a sign of a unit; write the number only", quote(s))
	}
	return notDecimal("%s is not a decimal number such as -1234.50", quote(s))
}

// FormatDecimal writes v x 10^-scale, with exactly scale digits after the point.
func FormatDecimal(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if scale > 0 {
		if len(s) <= scale {
			s = strings.Repeat("0", scale+1-len(s)) + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		return "-" + s
	}
	return s
}

func formatScaled(v int64, scale int) string { return FormatDecimal(big.NewInt(v), scale) }

// quote shows text from outside in a message, shortened to a bearable length.
func quote(s string) string {
	const limit = 40
	if r := []rune(s); len(r) > limit {
		return fmt.Sprintf("%q...", string(r[:limit]))
	}
	return fmt.Sprintf("%q", s)
}
