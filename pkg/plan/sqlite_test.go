package plan

import (
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Every random query over random rows has the answer that SQLite gives, in both
// layouts, or is refused for a reason that holds.
func TestSameAnswersAsSQLite(t *testing.T) {
	stats := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchema(t)
		require.NoError(t, s.Validate())
		owners := drawOwners(t, s)
		db := load(t, s, owners)
		tiny := rapid.Bool().Draw(t, "tiny")
		cube := newBench(t, s, carnet.LayoutCube, tiny, owners)
		records := newBench(t, s, carnet.LayoutRecords, tiny, owners)
		if !tiny {
			records = newProfileBench(t, s, rapid.SampledFrom([]string{"records", "records-3", "records-4"}).Draw(t, "profile"), owners)
		}
		a := &asker{t: t, s: s}
		for range 6 {
			q, sorted := a.query()
			want := answer(t, db, q.lite)
			for _, b := range []*bench{cube, records} {
				got, err := b.ask(t, q.ours)
				if err != nil {
					r := RefusalOf(err)
					require.NotNil(t, r, "%s: %v", q.ours, err)
					require.Contains(t, allowed[b.product.Encoding.Layout], r.Reason, "%s: %v", q.ours, err)
					require.NotZero(t, r.Pos.Line)
					require.NotEmpty(t, r.Near)
					require.NotEmpty(t, r.Remedy, err.Error())
					stats[string(b.product.Encoding.Layout)+" "+r.Reason]++
					continue
				}
				stats[string(b.product.Encoding.Layout)]++
				same(t, q, want, got, sorted)
			}
		}
	})
	t.Log(stats)
}

// allowed are the refusals that a well-formed query can meet.
var allowed = map[carnet.Layout][]string{
	carnet.LayoutCube:    {"NOT_STORED", "DEGREE"},
	carnet.LayoutRecords: {"DEGREE", "OVERFLOW", "TOO_COMPLEX"},
}

// answer runs the query in SQLite.
func answer(t require.TestingT, db *sql.DB, text string) [][]any {
	rows, err := db.Query(text)
	require.NoError(t, err, text)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	var out [][]any
	for rows.Next() {
		row, refs := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			refs[i] = &row[i]
		}
		require.NoError(t, rows.Scan(refs...))
		out = append(out, row)
	}
	require.NoError(t, rows.Err(), text)
	return out
}

// same compares an answer with SQLite's: integers and text exactly, quotients to 11
// digits.
func same(t require.TestingT, q twin, want [][]any, got *Result, sorted bool) {
	require.Len(t, got.Rows, len(want), "%s\n%s\n%v\n%v", q.ours, q.lite, want, got.Rows)
	var wants, gots []string
	for i := range want {
		var w, g []string
		for j, v := range want[i] {
			w = append(w, liteText(v))
			g = append(g, valueText(got.Rows[i][j], v))
		}
		wants = append(wants, strings.Join(w, "|"))
		gots = append(gots, strings.Join(g, "|"))
	}
	if !sorted {
		// Pairs were formatted alike only if rows match, so format without a partner.
		gots = gots[:0]
		for _, row := range got.Rows {
			var g []string
			for j := range row {
				g = append(g, valueText(row[j], columnSample(want, j)))
			}
			gots = append(gots, strings.Join(g, "|"))
		}
		slices.Sort(wants)
		slices.Sort(gots)
	}
	require.Equal(t, wants, gots, "%s\n%s", q.ours, q.lite)
}

// columnSample returns a value of the column that is not NULL.
func columnSample(rows [][]any, j int) any {
	for _, r := range rows {
		if r[j] != nil {
			return r[j]
		}
	}
	return nil
}

func liteText(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case float64:
		return real(v)
	}
	return fmt.Sprint(v)
}

func real(v float64) string {
	if math.Abs(v) < 1e-9 {
		v = 0
	}
	return fmt.Sprintf("%.9e", v)
}

// valueText formats a value the way SQLite's sample of the column is formatted.
func valueText(v Value, like any) string {
	if _, float := like.(float64); float && !v.IsNull() {
		f, _ := v.Rat().Float64()
		return real(f)
	}
	return v.String()
}
