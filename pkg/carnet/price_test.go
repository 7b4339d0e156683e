package carnet

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAmounts(t *testing.T) {
	for text, want := range map[string]Amount{
		"0": 0, "1": 1_000_000, "12.5": 12_500_000, "0.000001": 1, "-3.25": -3_250_000, "9223372036854.775807": math.MaxInt64,
	} {
		got, err := ParseAmount(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		require.Equal(t, text, got.String())
	}
	require.Equal(t, "-9223372036854.775808", Amount(math.MinInt64).String())
	for _, text := range []string{"", "1.", ".5", "1e3", "1/2", "0x1", "1.0000001", "+1", "9223372036855", "99999999999999", "１", "NaN", " 1"} {
		_, err := ParseAmount(text)
		require.Equal(t, "BAD_AMOUNT", ReasonOf(err), text)
	}
	var a Amount
	require.Error(t, a.UnmarshalText([]byte("1.50")), "a statement has one form of an amount")
	require.NoError(t, a.UnmarshalText([]byte("1.5")))
}

func FuzzAmount(f *testing.F) {
	f.Add("12.5")
	f.Add("-0")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAmount(s)
		if err != nil {
			return
		}
		b, err := ParseAmount(a.String())
		if err != nil || a != b {
			t.Fatalf("%q became %s, which became %s: %v", s, a, b, err)
		}
	})
}

func TestPrices(t *testing.T) {
	good := `{"currency":"CNY","query":"2","group":"0.05","month":"300","subscribers":["bank"],"shares":[{"party":"ministry","per_ten_thousand":500}]}`
	var p Price
	require.NoError(t, json.Unmarshal([]byte(good), &p))
	back, err := json.Marshal(&p)
	require.NoError(t, err)
	require.JSONEq(t, good, string(back))
	for what, text := range map[string]string{
		"currency":    `{"currency":"cny"}`,
		"query":       `{"currency":"CNY","query":"-1"}`,
		"group":       `{"currency":"CNY","group":"1000000.1"}`,
		"subscribers": `{"currency":"CNY","month":"1"}`,
		"shares":      `{"currency":"CNY","shares":[{"party":"a","per_ten_thousand":0}]}`,
		"whole":       `{"currency":"CNY","shares":[{"party":"a","per_ten_thousand":6000},{"party":"b","per_ten_thousand":4001}]}`,
		"twice":       `{"currency":"CNY","shares":[{"party":"a","per_ten_thousand":1},{"party":"a","per_ten_thousand":1}]}`,
	} {
		var e *Error
		require.ErrorAs(t, json.Unmarshal([]byte(text), &p), &e, what)
		require.Equal(t, "BAD_PRICE", e.Reason)
		require.NotEmpty(t, e.Remedy)
		var said []string
		for _, v := range e.Violations {
			said = append(said, v.Field+" "+v.Msg)
		}
		require.Contains(t, strings.Join(said, "\n"), what)
	}
}
