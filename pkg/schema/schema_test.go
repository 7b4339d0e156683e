package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func example(t testing.TB, name string) *Schema {
	t.Helper()
	text, err := os.ReadFile("../../examples/" + name)
	require.NoError(t, err)
	s, err := Parse(name, text)
	require.NoError(t, err)
	return s
}

var examples = []string{"customs/cube.yaml", "customs/records.yaml", "comtrade/schema.yaml", "consignments/schema.yaml", "tpch/pricing.yaml", "tpch/revenue.yaml", "tpch/records.yaml"}

// TestStatement: what is signed is the JSON form, and whoever receives it computes
// the same encoding.
func TestStatement(t *testing.T) {
	for _, name := range examples {
		s := example(t, name)
		body, err := json.Marshal(s)
		require.NoError(t, err)
		var back Schema
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&back))
		require.NoError(t, back.Validate())
		require.Equal(t, *s, back)
		require.Equal(t, s.Hash(), back.Hash())
		for _, l := range s.Layouts {
			a, err := s.Encode(l)
			require.NoError(t, err)
			b, err := back.Encode(l)
			require.NoError(t, err)
			require.Equal(t, a.Columns, b.Columns)
		}
	}
}

func TestValidateNamesPaths(t *testing.T) {
	s := example(t, "customs/cube.yaml")
	s.Dimensions[1].Codes[3].Value = s.Dimensions[1].Codes[0].Value
	s.Limits.Rows = -5
	err := s.Validate()
	require.EqualError(t, err, `the schema has 2 problems; limits.rows: the limit on rows of a dataset is -5; use 1 to 16777216; `+
		`dimensions[1].codes[3].value: the code "CN" is listed twice, first as number 1; remove one`)
	_, err = s.Encode(carnet.LayoutCube)
	require.Equal(t, "BAD_SCHEMA", carnet.ReasonOf(err))
	require.Equal(t, "BAD_SCHEMA", carnet.ReasonOf((&Schema{}).Validate()))
}

func TestCodesKeepTheirText(t *testing.T) {
	s, err := Parse("x.yaml", []byte(`
name: trade
version: 1
dimensions:
  - {name: country, codes: [NO, "null", 01, 1.0, {value: on, label: yes}]}
  - {name: month, codes: {01: January, 02: }}
limits: {rows: 10, datasets: 1}
layouts: [cube]
`))
	require.NoError(t, err)
	require.Equal(t, []Code{{"NO", ""}, {"null", ""}, {"01", ""}, {"1.0", ""}, {"on", "yes"}}, s.Dimensions[0].Codes)
	require.Equal(t, []Code{{"01", "January"}, {"02", ""}}, s.Dimensions[1].Codes)
	require.Equal(t, "trade@1", s.ID())
}

func TestLimitsOfSize(t *testing.T) {
	many := func(n int) *Schema {
		s := &Schema{Name: "x", Version: 1, Limits: Limits{10, 1}, Layouts: []carnet.Layout{carnet.LayoutRecords}}
		for d := range (n + MaxCodes - 1) / MaxCodes {
			dim := Dimension{Name: "d" + string(rune('a'+d))}
			for i := range min(MaxCodes, n-d*MaxCodes) {
				dim.Codes = append(dim.Codes, Code{Value: string(rune('a'+d)) + strings.Repeat("0", 4) + string(rune('0'+i/1000)) + string(rune('0'+i/100%10)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))})
			}
			s.Dimensions = append(s.Dimensions, dim)
		}
		return s
	}
	s := many(30_000)
	require.NoError(t, s.Validate())
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	require.Len(t, e.Columns, 30_001)

	s.Dimensions[0].Codes = append(s.Dimensions[0].Codes, Code{Value: "one more"})
	require.ErrorContains(t, s.Validate(), "has 10001 codes, the limit is 10000")
	require.ErrorContains(t, many(70_000).Validate(), "the schema takes 1")
}

// FuzzParse: any text gives a schema that encodes and survives JSON, or an error
// whose violations have a position.
func FuzzParse(f *testing.F) {
	for _, name := range examples {
		text, err := os.ReadFile("../../examples/" + name)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(lines))
	for _, s := range []string{"", "a: b", "- x", "name: [", "x: &a [*a]", "{}", "codes: {1: 2}", "? [a]\n: b", "\xff\xfe", "!!binary x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("f.yaml", text)
		if err != nil {
			require.Equal(t, "BAD_SCHEMA", carnet.ReasonOf(err))
			for _, v := range Lint("f.yaml", text) {
				require.Regexp(t, `^f\.yaml:[1-9]\d*:[1-9]\d*$`, v.Field)
				require.NotEmpty(t, v.Msg)
			}
			return
		}
		require.NoError(t, s.Validate())
		for _, l := range s.Layouts {
			_, err := s.Encode(l)
			require.NoError(t, err)
		}
		body, err := json.Marshal(s)
		require.NoError(t, err)
		var back Schema
		require.NoError(t, json.Unmarshal(body, &back))
		require.NoError(t, back.Validate())
	})
}
