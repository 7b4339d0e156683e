package plan

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// manyCodes is a schema of two dimensions with many codes.
func manyCodes(codes int) *schema.Schema {
	s := &schema.Schema{Name: "wide", Version: 1, Layouts: []carnet.Layout{carnet.LayoutRecords}, Limits: schema.Limits{Rows: 1000, Datasets: 4}}
	for _, name := range []string{"d", "e"} {
		dim := schema.Dimension{Name: name}
		for c := range codes {
			dim.Codes = append(dim.Codes, schema.Code{Value: fmt.Sprint("c", c)})
		}
		s.Dimensions = append(s.Dimensions, dim)
	}
	return s
}

// TestAttackCostlyQueriesStayCheap compiles the longest queries there can be. A query
// is compiled by the gateway for whoever asks and by every keyholder that finds it in
// the journal, so one text must not take gigabytes: it would stop all of them, and
// again at every start.
func TestAttackCostlyQueriesStayCheap(t *testing.T) {
	b := newBench(t, manyCodes(1000), carnet.LayoutRecords, false, []owner{{"a", "SG", []schema.Row{{Dims: []int{1, 2}}}}})
	fill := func(head, part, tail string) string {
		return head + strings.Repeat(part, (query.MaxBytes-len(head)-len(tail))/len(part)) + tail
	}
	half := strings.Repeat("+1", query.MaxBytes/5)
	for name, sql := range map[string]string{
		"a long sum":              fill("SELECT COUNT(*)", "+1", " FROM trade"),
		"a long sum in a list":    fill("SELECT COUNT(*) FROM trade HAVING COUNT(*)"+half+" IN (1", ",1", ")"),
		"a long condition":        fill("SELECT COUNT(*) FROM trade WHERE ", "d='c1'AND e='c1'OR ", "true"),
		"a long case":             fill("SELECT COUNT(*) FROM trade WHERE CASE ", "WHEN d='c1'THEN 1 ", "END=1"),
		"a long sum of cases":     fill("SELECT SUM(1", "+CASE WHEN d='c1'THEN 1 ELSE 2 END*CASE WHEN e='c1'THEN 1 ELSE 2 END", ") FROM trade"),
		"a long product":          fill("SELECT SUM(1", "*(1+1)", ") FROM trade"),
		"a long sum in WHERE":     fill("SELECT COUNT(*) FROM trade WHERE 1", "+1", "=2"),
		"many filters":            fill("SELECT COUNT(*)", ",COUNT(*)FILTER(WHERE d='c1')", " FROM trade"),
		"many keys":               fill("SELECT COUNT(*)FROM trade GROUP BY d", ",COALESCE(d,'c1')", ""),
		"many different keys":     "SELECT COUNT(*)FROM trade GROUP BY " + keys(400),
		"many differences":        fill("SELECT COUNT(*)", ",SUM(1)-SUM(2)", " FROM trade"),
		"a long join":             fill("SELECT p.v-q.v", "+p.v", " FROM (SELECT d,COUNT(*)"+strings.Repeat("+COUNT(*)", 1000)+" v FROM trade WHERE d='c1' GROUP BY d)p JOIN (SELECT d,COUNT(*)v FROM trade GROUP BY d)q USING(d)"),
		"conditions of a join":    fill("SELECT p.v-q.v FROM (SELECT d,COUNT(*)"+strings.Repeat("+COUNT(*)", 1500)+" v FROM trade WHERE d='c1'", "OR d='c2'", " GROUP BY d)p JOIN (SELECT d,COUNT(*)v FROM trade GROUP BY d)q USING(d)"),
		"codes of two lists":      "SELECT d, MAX(CASE WHEN e < 'c4' THEN e END) FROM trade GROUP BY d",
		"codes of one list":       "SELECT MIN(d), MIN(CASE WHEN d < 'c5' THEN d END) FROM trade",
		"almost all of two lists": "SELECT COUNT(*) FROM trade WHERE d <> 'c1' AND e <> 'c1'",
		"half of two lists":       "SELECT COUNT(*) FROM trade WHERE d < 'c5' AND e < 'c5'",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Compile(sql, b.product)
			runtime.ReadMemStats(&after)
			if err != nil {
				require.NotNil(t, RefusalOf(err), err)
			}
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(128<<20))
		})
	}
}

// keys are different expressions over one column.
func keys(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("COALESCE(d,'c%d')", i))
	}
	return strings.Join(list, ",")
}

// TestAttackWorkIsBounded counts what is hashed and listed, however few terms it is in.
func TestAttackWorkIsBounded(t *testing.T) {
	e := newBench(t, manyCodes(1000), carnet.LayoutRecords, false, []owner{{"a", "SG", []schema.Row{{Dims: []int{1, 2}}}}})
	u, err := prepare(e.product)
	require.NoError(t, err)
	p, err := Compile("SELECT COUNT(*) FROM trade WHERE d < 'c5' AND e < 'c5'", e.product)
	require.NoError(t, err)
	columns := 0
	for _, f := range p.Openings[0].F.Keys[0].Products[0].Factors {
		columns += f.Width()
	}
	require.Greater(t, columns, 800)
	b := &builder{opener: &opener{factors: maxFactors - columns + 1}, u: u}
	require.Equal(t, "TOO_COMPLEX", RefusalOf(b.count(p.Openings[0].F)).Reason)

	cube := *p.Openings[0].F
	cube.Degree, cube.Keys = 1, nil
	keyed(&cube, carnet.KeyID{1}).Linear = []functional.Linear{{File: carnet.Nonce{1}, Blocks: 7, Cells: []uint32{1, 20, 40}}}
	b = &builder{opener: &opener{adds: maxAdds - 3}, u: u}
	require.NoError(t, b.count(&cube))
	require.Equal(t, "TOO_COMPLEX", RefusalOf(b.count(&cube)).Reason)
}

// TestAttackCombinedGroupsAreBounded: groups that leave thousands of numbers of a
// combined axis cost thousands of steps each, and are counted.
func TestAttackCombinedGroupsAreBounded(t *testing.T) {
	s := manyCodes(7000)
	small := schema.Dimension{Name: "f"}
	for c := range 8 {
		small.Codes = append(small.Codes, schema.Code{Value: fmt.Sprint("c", c)})
	}
	s.Dimensions = append(s.Dimensions, small)
	s.Combine = []schema.Combination{{Dimensions: []string{"f", "d"}, Encoding: schema.Cumulative}}
	b := newProfileBench(t, s, "records-4", []owner{{"a", "SG", []schema.Row{{Dims: []int{1, 2, 3}}}}})
	_, err := Compile("SELECT f, e, COUNT(*) FROM trade GROUP BY f, e", b.product)
	r := RefusalOf(err)
	require.NotNil(t, r, "%v", err)
	require.Equal(t, "TOO_COMPLEX", r.Reason)
	_, err = Compile("SELECT f, COUNT(*) FROM trade WHERE e = 'c7' GROUP BY f", b.product)
	require.NoError(t, err)
}
