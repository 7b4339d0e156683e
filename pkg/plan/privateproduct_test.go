package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Several private conditions are one selection of a combination of codes: the answer is
// that of the query with the values written into it.
func TestPrivateCombinations(t *testing.T) {
	for l, sql := range map[carnet.Layout]string{
		carnet.LayoutCube:    "SELECT month, COUNT(*), SUM(value) FROM trade WHERE size = PRIVATE($2) AND year = '2024' AND PRIVATE($3) = chapter AND partner = PRIVATE($1) GROUP BY month ORDER BY month",
		carnet.LayoutRecords: "SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($2) AND chapter = PRIVATE($1)",
	} {
		t.Run(string(l), func(t *testing.T) {
			b := privateBench(t, l)
			p, err := Compile(sql, b.product)
			require.NoError(t, err)
			x := p.Private
			require.Equal(t, 1, x.Weight)
			require.Zero(t, x.Spare)
			require.Contains(t, strings.Join(p.Describe(), "\n"), "they learn that there is one of each, among "+fmt.Sprint(len(x.Codes))+" combinations")
			nonzero := 0
			for at := 0; at < len(x.Codes); at += 5 {
				values := strings.Split(x.Codes[at], ", ")
				codes, err := x.Select(values)
				require.NoError(t, err)
				require.Equal(t, []int{at}, codes)
				written := sql
				for i, v := range values {
					written = strings.ReplaceAll(written, fmt.Sprintf("PRIVATE($%d)", i+1), "'"+strings.ReplaceAll(v, "'", "''")+"'")
				}
				want, err := Compile(written, b.product)
				require.NoError(t, err)
				expected, err := want.Evaluate(b.open(t, want))
				require.NoError(t, err)
				got, err := p.Evaluate(b.selected(t, p, codes))
				require.NoError(t, err)
				require.Equal(t, expected.Rows, got.Rows, written)
				if len(got.Rows) > 0 && got.Rows[0][0].String() != "0" {
					nonzero++
				}
			}
			require.Positive(t, nonzero)
			for _, values := range [][]string{nil, {x.Codes[0]}, {"", ""}, {"DE", "nothing", "01"}, {"DE", "01", "DE", "01"}} {
				_, err := x.Select(values)
				require.Equal(t, "PRIVATE_VALUES", carnet.ReasonOf(err))
			}
		})
	}
	b := privateBench(t, carnet.LayoutCube)
	for where, reason := range map[string]string{
		"partner = PRIVATE($1) AND chapter = PRIVATE($1)":                                      "UNSUPPORTED",
		"partner = PRIVATE($1) AND chapter = PRIVATE($3)":                                      "UNSUPPORTED",
		"partner = PRIVATE($1) AND partner = PRIVATE($2)":                                      "PRIVATE_COLUMN",
		"partner = PRIVATE($1) AND chapter IN (PRIVATE($2))":                                   "UNSUPPORTED",
		"partner IN (PRIVATE($1), PRIVATE($2)) AND chapter = PRIVATE($3)":                      "UNSUPPORTED",
		"partner = PRIVATE($1) AND year = PRIVATE($2)":                                         "PRIVATE_COLUMN",
		"partner = PRIVATE($1) AND (chapter = PRIVATE($2) OR month = 1)":                       "UNSUPPORTED",
		"partner = PRIVATE($1) AND chapter = PRIVATE($2) AND chapter <> '01'":                  "PRIVATE_COLUMN",
		"partner = PRIVATE($1) AND chapter = PRIVATE($2) AND size = PRIVATE($3) AND day < 'x'": "TYPE_MISMATCH",
	} {
		require.Equal(t, reason, b.refused(t, "SELECT COUNT(*) FROM trade WHERE "+where), where)
	}
}

// Combinations are bounded before anything is made for each of them.
func TestPrivateCombinationsAreBounded(t *testing.T) {
	s := customs()
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf("c%03d", i))
	}
	s.Dimensions[1].Codes, s.Dimensions[2].Codes = codes(many...), codes(many...)
	s.Dimensions = s.Dimensions[1:3]
	s.Layouts = []carnet.Layout{carnet.LayoutCube}
	require.NoError(t, s.Validate())
	b := newBench(t, s, carnet.LayoutCube, false, nil).private()
	_, err := Compile("SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($1) AND chapter = PRIVATE($2)", b.product)
	require.Equal(t, "TOO_MANY_GROUPS", RefusalOf(err).Reason)
}
