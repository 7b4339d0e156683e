package plan

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestRefusals compares every refusal with testdata/refusals.txt: the layout and the
// query, then what it is answered. "both" is answered the same in both layouts.
func TestRefusals(t *testing.T) {
	benches := map[carnet.Layout]*bench{}
	for _, l := range layouts {
		benches[l] = newBench(t, customs(), l, false, declarants(30))
	}
	refusal := func(l carnet.Layout, sql string) string {
		_, err := Compile(sql, benches[l].product)
		r := RefusalOf(err)
		require.NotNil(t, r, "%s: %s: %v", l, sql, err)
		require.NotEmpty(t, r.Remedy, sql)
		return fmt.Sprintf("  %s %s\n  -> %s\n", r.Reason, r.Error(), r.Remedy)
	}
	in, err := os.ReadFile("testdata/refusals.sql")
	require.NoError(t, err)
	var out strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(string(in), "\n"), "\n") {
		where, sql, _ := strings.Cut(line, ": ")
		l := carnet.Layout(where)
		if where == "both" {
			l = carnet.LayoutCube
			require.Equal(t, refusal(l, sql), refusal(carnet.LayoutRecords, sql))
		}
		out.WriteString(line + "\n" + refusal(l, sql))
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/refusals.txt", []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/refusals.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}

// A division by zero names the group, and its remedy runs.
func TestDivisionByZero(t *testing.T) {
	rows := declarations(6, 1)
	for i := range rows {
		rows[i].Dims[0], rows[i].Measures[0], rows[i].Partition = i%2, int64(i%2*100), []string{"2024", "1"}
	}
	b := newBench(t, customs(), carnet.LayoutCube, false, []owner{{"acme", "DE", rows}})
	_, err := b.ask(t, "SELECT month, COUNT(*) / SUM(value) AS ratio FROM trade GROUP BY month")
	r := RefusalOf(err)
	require.NotNil(t, r)
	require.Equal(t, "DIVISION_BY_ZERO", r.Reason)
	require.Equal(t, "line 1, column 24: COUNT(*) / SUM(value) divides by zero in the group month = 1", err.Error())
	require.Equal(t, "write COUNT(*) / NULLIF(SUM(value), 0); asking again opens the same numbers", r.Remedy)
	require.Equal(t, "month,ratio\n1,\n2,1\n", b.table(t, "SELECT month, COUNT(*) / NULLIF(SUM(value), 0) AS ratio FROM trade GROUP BY month"))
	// HAVING comes first: groups it leaves out are not divided.
	require.Equal(t, "month,ratio\n2,1\n", b.table(t, "SELECT month, COUNT(*) / SUM(value) AS ratio FROM trade GROUP BY month HAVING SUM(value) > 0"))
	_, err = b.ask(t, "SELECT 1 / (COUNT(*) - 6) FROM trade")
	require.ErrorContains(t, err, "1 / (COUNT(*) - 6) divides by zero")
}

// Whatever parses is compiled or refused, and never breaks.
func FuzzCompile(f *testing.F) {
	benches := []*bench{newBench(f, customs(), carnet.LayoutCube, false, declarants(9)), newBench(f, customs(), carnet.LayoutRecords, false, declarants(9)),
		newProfileBench(f, encodedCustoms(), "records-4", declarants(9))}
	in, err := os.ReadFile("testdata/refusals.sql")
	require.NoError(f, err)
	for _, line := range strings.Split(string(in), "\n") {
		_, sql, _ := strings.Cut(line, ": ")
		f.Add(sql)
	}
	f.Add("SELECT month, SUM(value) / NULLIF(COUNT(*), 0) r FROM trade WHERE NOT (partner IS NULL OR size BETWEEN 'small' AND 'medium') GROUP BY 1 HAVING COUNT(*) > 2 ORDER BY r DESC LIMIT 3")
	two := newTwo(newBench(f, customs(), carnet.LayoutCube, false, declarants(9)), newBench(f, imports(), carnet.LayoutCube, false, arrivals(9)))
	for _, list := range [][]string{joins, mirrors, groupedRows} {
		for _, sql := range list {
			f.Add(sql)
		}
	}
	f.Add("SELECT EXTRACT(QUARTER FROM day) q, CORR(value, value), MIN(size), SUM(CASE partner WHEN 'DE' THEN net ELSE 2 * value - 1 END) FILTER (WHERE month / 3 = 1) FROM trade WHERE day + 7 > DATE '2024-01-31' - INTERVAL '1' MONTH GROUP BY q")
	f.Add("SELECT CASE WHEN COUNT(*) > 3 THEN AVG(COALESCE(weight, 0)) END, PERCENTILE_CONT(0.3) WITHIN GROUP (ORDER BY month DESC), MODE() WITHIN GROUP (ORDER BY COALESCE(partner, 'x')), MAX(day) - MIN(day), date_trunc('week', MIN(day))::date FROM trade")
	f.Fuzz(func(t *testing.T, sql string) {
		if _, err := query.Parse(sql); err != nil {
			return
		}
		if got, err := two.ask(t, sql); err != nil {
			require.NotNil(t, RefusalOf(err), err)
		} else {
			require.NotNil(t, got)
		}
		for _, b := range benches {
			p, err := Compile(sql, b.product)
			if err != nil {
				require.NotNil(t, RefusalOf(err), err)
				continue
			}
			if _, err := p.Evaluate(b.open(t, p)); err != nil {
				require.Contains(t, []string{"DIVISION_BY_ZERO", "UNSUPPORTED"}, carnet.ReasonOf(err)) // the latter: a date beyond the calendar
			}
		}
	})
}
