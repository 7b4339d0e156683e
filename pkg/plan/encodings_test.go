package plan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// lines is a schema with every encoding: 300 countries, NULL included, in two digits.
func lines() *schema.Schema {
	s := &schema.Schema{
		Name: "lines", Version: 1, Limits: schema.Limits{Rows: 5000, Datasets: 2}, Layouts: []carnet.Layout{carnet.LayoutRecords},
		Dimensions: []schema.Dimension{
			{Name: "flag", Codes: codes("A", "N", "R")},
			{Name: "status", Codes: codes("F", "O")},
			{Name: "month", Codes: months(), Encoding: schema.Cumulative},
			{Name: "country", Nullable: true, Encoding: schema.TwoDigit},
			{Name: "mode", Codes: codes("air", "rail", "road", "sea")},
		},
		Measures: []schema.Measure{{Name: "price", Min: "0", Max: "1000"}, {Name: "tax", Min: "0", Max: "100", Nullable: true}},
		Combine:  []schema.Combination{{Dimensions: []string{"flag", "status"}}},
	}
	for i := range 299 {
		s.Dimensions[3].Codes = append(s.Dimensions[3].Codes, schema.Code{Value: fmt.Sprint("c", i)})
	}
	return s
}

func shipped(n int) []owner {
	var rows []schema.Row
	for i := range n {
		rows = append(rows, schema.Row{
			Dims:     []int{i % 3, i / 3 % 2, i * 7 % 12, i*17%300 - 1, i / 2 % 4},
			Measures: []int64{int64(i * 31 % 1000), int64(i % 100)}, Null: []bool{false, i%5 == 0},
		})
	}
	return []owner{{"acme", "DE", rows}}
}

// What questions take: the degree, and the products of columns they add up, which the
// noise is counted by.
func TestWhatEncodingsTake(t *testing.T) {
	s, owners := lines(), shipped(700)
	db := load(t, s, owners)
	benches := map[string]*bench{}
	for _, name := range []string{"records", "records-3", "records-4"} {
		benches[name] = newProfileBench(t, s, name, owners)
	}
	for _, c := range []struct {
		items, where string
		degree       int
		tuples       int64 // of columns, per opening at most
	}{
		{"COUNT(*)", "month <= 3", 1, 1},
		{"COUNT(*)", "month BETWEEN 3 AND 5", 1, 2},
		{"COUNT(*)", "month > 3", 1, 2},
		{"COUNT(*)", "month IN (1, 2, 5, 6, 7, 12)", 1, 5},
		{"SUM(price)", "TRUE", 1, 1},
		{"SUM(price)", "month > 3", 2, 2},
		{"SUM(price)", "flag = 'A' AND status = 'O'", 2, 1},
		{"SUM(price)", "flag = 'A' OR status = 'O'", 2, 3}, // all less two of six
		{"SUM(price)", "mode <> 'sea'", 2, 2},
		{"COUNT(*)", "country = 'c40'", 2, 1},
		{"COUNT(*)", "country <> 'c40'", 2, 3}, // all less one and less NULL
		{"COUNT(*)", "country IS NULL", 2, 1},
		{"COUNT(*)", "country BETWEEN 'c0' AND 'c2'", 2, 120}, // byte by byte: no range of numbers
		{"SUM(price)", "country = 'c40'", 3, 1},
		{"SUM(price)", "country = 'c40' OR country = 'c41'", 3, 2},
		{"SUM(price)", "country = 'c40' AND month > 3", 4, 2},
		{"SUM(price * price)", "country = 'c40'", 4, 1},
		{"SUM(price)", "month > 3 AND mode = 'sea'", 3, 2},
		{"SUM(price)", "month > 3 AND mode <> 'sea'", 3, 6}, // one product of two and three columns
		{"SUM(price)", "month > 3 AND mode = 'sea' AND flag = 'A'", 4, 4},
		{"SUM(price)", "month > 3 AND flag = 'A' OR month <= 3 AND mode = 'sea'", 3, 6},
		{"VAR_POP(price)", "month BETWEEN 3 AND 5 AND mode = 'sea'", 4, 2},
		{"SUM(price * tax)", "mode = 'sea'", 3, 1},
	} {
		q := "SELECT " + c.items + " FROM trade WHERE " + c.where
		for name, b := range benches {
			most := b.product.Profile.MaxDegree()
			p, err := Compile(q, b.product)
			if c.degree > most {
				require.Equal(t, "DEGREE", RefusalOf(err).Reason, q)
				require.Contains(t, RefusalOf(err).Remedy, fmt.Sprintf("degree: %d", c.degree), q)
				continue
			}
			require.NoError(t, err, q)
			require.Equal(t, c.degree, p.Certificate.Degree, "%s: %s", name, q)
			tuples := int64(0)
			for i := range p.Openings {
				tuples = max(tuples, share.Terms(p.Openings[i].F)/int64(b.product.Encoding.Blocks(700)))
			}
			require.LessOrEqual(t, tuples, c.tuples, "%s: %s", name, q)
			if c.items == "VAR_POP(price)" {
				continue // SQLite has none
			}
			got, err := b.ask(t, q)
			require.NoError(t, err)
			same(t, both(q), answer(t, db, q), got, false)
		}
	}
	for _, q := range []string{
		"SELECT flag, status, COUNT(*), SUM(price) FROM trade GROUP BY flag, status",
		"SELECT status, SUM(tax) FROM trade WHERE flag <> 'N' GROUP BY status",
		"SELECT month, SUM(price) FROM trade WHERE mode = 'sea' GROUP BY month",
		"SELECT country, COUNT(*), SUM(price) FROM trade GROUP BY country",
		"SELECT country, month, COUNT(*) FROM trade WHERE month > 6 AND country IS NOT NULL GROUP BY country, month",
		"SELECT flag, month, COUNT(*), SUM(price) FROM trade WHERE status = 'F' GROUP BY flag, month",
	} {
		got, err := benches["records-4"].ask(t, q)
		require.NoError(t, err, q)
		same(t, both(q), answer(t, db, q), got, false)
	}
}

// A lower degree is opened where it does: openings of one query differ.
func TestEveryOpeningHasItsOwnDegree(t *testing.T) {
	b := newProfileBench(t, lines(), "records-4", shipped(50))
	p, err := Compile("SELECT COUNT(*), SUM(price), SUM(price * price) FROM trade WHERE month <= 4", b.product)
	require.NoError(t, err)
	var degrees []int
	for i := range p.Openings {
		degrees = append(degrees, p.Openings[i].Degree)
	}
	require.Equal(t, []int{1, 2, 3}, degrees)
}

// Conditions that alternate over two cumulative dimensions take weights of 2.
func TestWeightsOfTwoAreRefused(t *testing.T) {
	s := lines()
	s.Dimensions[4].Encoding = schema.Cumulative
	b := newProfileBench(t, s, "records-4", shipped(50))
	const q = "SELECT COUNT(*) FROM trade WHERE (month <= 3 AND mode < 'rail') OR (month > 3 AND mode >= 'rail')"
	_, err := b.ask(t, q)
	r := RefusalOf(err)
	require.NotNil(t, r)
	require.Equal(t, "TOO_COMPLEX", r.Reason)
	require.Contains(t, r.Remedy, "onehot")
	s.Dimensions[4].Encoding = ""
	_, err = newProfileBench(t, s, "records-4", shipped(50)).ask(t, q)
	require.NoError(t, err)
}
