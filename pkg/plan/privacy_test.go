package plan

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/schema"
)

// noisyBench publishes rows of two owners, both with privacy terms unless nil.
func noisyBench(t require.TestingT, layout carnet.Layout, a, b *carnet.Privacy, rows ...[]schema.Row) *bench {
	s, err := schema.Parse("trade.yaml", []byte(`
name: trade
version: 1
title: Trade
dimensions:
  - {name: month, ordered: true, codes: [{value: "01"}, {value: "02"}, {value: "03"}]}
  - {name: partner, codes: [{value: XA}, {value: XB}]}
measures:
  - {name: value, min: "-50", max: "200", squares: true}
limits: {rows: 1000, datasets: 4}
layouts: [cube, records]
`))
	require.NoError(t, err)
	if len(rows) == 0 {
		for i := range 2 {
			var own []schema.Row
			for r := range 30 {
				own = append(own, schema.Row{Dims: []int{r % 3, (r / 3) % 2}, Measures: []int64{int64(10*i + r - 5)}, Null: []bool{false}})
			}
			rows = append(rows, own)
		}
	}
	var owners []owner
	for i := range rows {
		owners = append(owners, owner{carnet.PartyID(string(rune('a' + i))), "KZ", rows[i]})
	}
	out := newBench(t, s, layout, false, owners)
	for i, p := range []*carnet.Privacy{a, b} {
		if i < len(out.product.Datasets) {
			out.product.Datasets[i].Manifest.Terms.Privacy = p
		}
	}
	return out
}

func privately(budget, number, rows int64) *carnet.Privacy {
	return &carnet.Privacy{Budget: budget, PerNumber: number, RowsPerUnit: rows}
}

func (b *bench) compile(t require.TestingT, sql string) *Plan {
	p, err := Compile(sql, b.product)
	require.NoError(t, err, sql)
	return p
}

// A count moves by one row, a sum by the larger of the schema's bounds, a square by its
// square; times the rows of a unit. The least variance that costs no more than the terms
// let a number cost is taken, and what it costs is rounded up.
func TestNoiseBySensitivity(t *testing.T) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		b := noisyBench(t, layout, privately(1_000_000, 10_000, 1), nil)
		for sql, row := range map[string]int64{
			"SELECT COUNT(*) FROM trade":                     1,
			"SELECT COUNT(*) FROM trade WHERE month = '01'":  1,
			"SELECT SUM(value) FROM trade WHERE owner = 'a'": 200,
			"SELECT SUM(value) FROM trade GROUP BY month":    200,
			"SELECT SUM(value * value) FROM trade":           40_000,
		} {
			p := b.compile(t, sql)
			require.NotEmpty(t, p.Openings)
			for i := range p.Openings {
				o := &p.Openings[i]
				require.Equal(t, fmt.Sprint(row*row*50), o.Variance.String(), "%s %s: D^2 / 2 rho", layout, sql)
				require.Equal(t, new(big.Int).Mul(o.Variance, big.NewInt(10)), o.TotalVariance(), "10 parts of a 5/3 committee")
			}
			require.Len(t, p.Spendings, 1)
			require.EqualValues(t, 10_000, p.Spendings[0].Cost(func(int) bool { return false }), "one number for all groups together: %s", sql)
		}
		three := noisyBench(t, layout, privately(1_000_000, 10_000, 3), nil)
		require.Equal(t, "450", three.compile(t, "SELECT COUNT(*) FROM trade").Openings[0].Variance.String(), "3 rows a unit")
	}
}

// In a union the largest noise that one dataset needs counts, and each dataset pays by its
// own sensitivity. What another dataset alone is asked for has no noise.
func TestNoiseOfUnions(t *testing.T) {
	b := noisyBench(t, carnet.LayoutCube, privately(1_000_000, 10_000, 1), privately(5_000_000, 1_000, 2))
	p := b.compile(t, "SELECT COUNT(*) FROM trade")
	require.Len(t, p.Openings, 1)
	require.Equal(t, "2000", p.Openings[0].Variance.String(), "2^2 / (2 * 0.001)")
	require.Len(t, p.Spendings, 2)
	require.Equal(t, []Spent{{0, 0, 250}}, p.Spendings[0].Numbers, "1 / (2 * 2000)")
	require.Equal(t, []Spent{{0, 0, 1_000}}, p.Spendings[1].Numbers)

	own := b.compile(t, "SELECT COUNT(*) FROM trade WHERE owner = 'a'")
	require.Equal(t, "50", own.Openings[0].Variance.String())
	require.Len(t, own.Spendings, 1)

	half := noisyBench(t, carnet.LayoutCube, privately(1_000_000, 10_000, 1), nil)
	each := half.compile(t, "SELECT owner, COUNT(*) FROM trade GROUP BY owner")
	require.Len(t, each.Openings, 2)
	require.Len(t, slices.DeleteFunc(slices.Clone(each.Openings), func(o Opening) bool { return o.Variance == nil }), 1)
	require.Empty(t, half.compile(t, "SELECT COUNT(*) FROM trade WHERE owner = 'b'").Spendings)
}

// A unit has its rows in any groups: the sum of the squares by which it moves them, over
// twice the variance, is never more than what the groups together are charged.
func TestGroupsCostAsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.Int64Range(1, 4).Draw(t, "rows of a unit")
		terms := privately(1_000_000, rapid.Int64Range(1, 500_000).Draw(t, "per number"), rows)
		mine := make([]schema.Row, rows)
		for i := range mine {
			mine[i] = schema.Row{Dims: []int{rapid.IntRange(0, 2).Draw(t, "month"), rapid.IntRange(0, 1).Draw(t, "partner")},
				Measures: []int64{rapid.Int64Range(-50, 200).Draw(t, "value")}, Null: []bool{false}}
		}
		others := make([]schema.Row, rapid.IntRange(1, 10).Draw(t, "others"))
		for i := range others {
			others[i] = schema.Row{Dims: []int{i % 3, i % 2}, Measures: []int64{int64(i)}, Null: []bool{false}}
		}
		layout := rapid.SampledFrom([]carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords}).Draw(t, "layout")
		sql := rapid.SampledFrom([]string{
			"SELECT month, SUM(value) FROM trade GROUP BY month",
			"SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month",
			"SELECT partner, AVG(value), VAR_POP(value) FROM trade GROUP BY partner",
			"SELECT month, partner, COUNT(*) FROM trade GROUP BY month, partner",
			"SELECT CASE WHEN month > '01' THEN 'late' ELSE 'early' END AS part, SUM(value) FROM trade GROUP BY CASE WHEN month > '01' THEN 'late' ELSE 'early' END",
			"SELECT SUM(value) FILTER (WHERE month = '01') - SUM(value) FILTER (WHERE partner = 'XA'), COUNT(*) FROM trade",
			"SELECT m, p.v - q.v, p.n FROM (SELECT month AS m, SUM(value) AS v, COUNT(*) AS n FROM trade GROUP BY month) p JOIN (SELECT CASE WHEN month = '03' THEN '01' ELSE '02' END AS m, SUM(value) AS v FROM trade GROUP BY CASE WHEN month = '03' THEN '01' ELSE '02' END) q USING (m)",
			"SELECT month, p.v - q.v, p.v FROM (SELECT month, SUM(value) AS v FROM trade WHERE partner = 'XA' GROUP BY month) p JOIN (SELECT month, SUM(value) AS v FROM trade GROUP BY month) q USING (month)",
			"SELECT month, p.v, q.v FROM (SELECT month, SUM(value) AS v FROM trade GROUP BY month) p JOIN (SELECT month, SUM(value) AS v FROM trade WHERE month <> '01' OR partner = 'XA' GROUP BY month) q USING (month)",
			"SELECT partner, MIN(month), COUNT(*) FILTER (WHERE month <> '02'), SUM(value * value) FROM trade GROUP BY partner",
			"SELECT SUM(value), SUM(CASE WHEN partner = 'XA' THEN value ELSE -value END), COUNT(*) FROM trade WHERE month <> '02' OR partner = 'XB'",
		}).Draw(t, "sql")
		// The same table with the unit's rows, and with rows that are worth nothing instead:
		// an empty slot in records, which the file's row count still has, and nothing in a cube.
		with := noisyBench(t, layout, terms, nil, slices.Concat(others, mine))
		without := noisyBench(t, layout, terms, nil, others)
		_, err := Compile(sql, with.product)
		if r := RefusalOf(err); r != nil && layout == carnet.LayoutRecords {
			require.Equal(t, "DEGREE", r.Reason)
			return
		}
		p, q := with.compile(t, sql), without.compile(t, sql)
		a, b := with.open(t, p), without.open(t, q)
		require.Len(t, b, len(a))
		charged := p.Spendings[0].Cost(func(int) bool { return false })
		actual := new(big.Rat)
		for i := range a {
			d := big.NewInt(a[i] - b[i])
			actual.Add(actual, new(big.Rat).SetFrac(d.Mul(d, d), new(big.Int).Lsh(p.Openings[i].Variance, 1)))
		}
		require.LessOrEqual(t, actual.Cmp(big.NewRat(charged, privacy.Unit)), 0, "%s: %s of %d millionths", sql, actual, charged)
	})
}

// Digits of cells are bounded by what they hold: one row can move a low digit by all of it.
func TestNoiseOfDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := func(rows []schema.Row) *bench {
			s, err := schema.Parse("trade.yaml", []byte(`
name: trade
version: 1
title: Trade
dimensions:
  - {name: month, codes: [{value: "01"}]}
measures:
  - {name: value, min: "-90000", max: "70000"}
limits: {rows: 1000, datasets: 1}
layouts: [cube, records]
`))
			require.NoError(t, err)
			out := newBench(t, s, carnet.LayoutCube, true, []owner{{"a", "KZ", rows}})
			out.product.Datasets[0].Manifest.Terms.Privacy = privately(1_000_000_000, 100_000_000, 1)
			return out
		}
		var rows []schema.Row
		for range rapid.IntRange(2, 12).Draw(t, "rows") {
			rows = append(rows, schema.Row{Dims: []int{0}, Measures: []int64{rapid.Int64Range(-90000, 70000).Draw(t, "value")}, Null: []bool{false}})
		}
		with, without := b(rows), b(rows[1:])
		for _, c := range with.product.Encoding.Columns {
			p := with.product
			require.Positive(t, p.Encoding.Sensitivity(c).Sign())
		}
		sql := "SELECT SUM(value) FROM trade"
		p, err := Compile(sql, with.product)
		if r := RefusalOf(err); r != nil {
			require.Contains(t, []string{"NOISE_WRAPS", "OVERFLOW"}, r.Reason)
			return
		}
		require.NoError(t, err)
		require.Greater(t, len(p.Openings), 1, "several digits")
		x, y := with.open(t, p), without.open(t, without.compile(t, sql))
		for i := range x {
			o := &p.Openings[i]
			d := big.NewInt(x[i] - y[i])
			require.LessOrEqual(t, d.CmpAbs(o.row), 0, "digit %d", i)
		}
	})
}

// What would wrap with 13 standard deviations of noise from every part is refused, and the
// bounds of what is opened have room for it.
func TestNoiseWraps(t *testing.T) {
	b := noisyBench(t, carnet.LayoutCube, privately(1_000_000, 1, 1), nil)
	p := b.compile(t, "SELECT COUNT(*) FROM trade")
	o := &p.Openings[0]
	tail := privacy.Tail(o.Variance)
	tail.Mul(tail, big.NewInt(10))
	require.Equal(t, -tail.Int64(), o.Min)
	require.Equal(t, 60+tail.Int64(), o.Max)
	require.Equal(t, o.Max, p.Certificate.MaxResult.Int64())
	require.Less(t, 2*uint64(o.Max), p.Certificate.T)

	wide := noisyBench(t, carnet.LayoutCube, privately(1_000_000, 1, 1_000_000), nil)
	require.Equal(t, "NOISE_WRAPS", wide.refused(t, "SELECT SUM(value) FROM trade"))
}

// Groups are there whether they have rows or not, and sums of no rows are numbers: what is
// public depends on the code list only.
func TestNoiseHidesEmptyGroups(t *testing.T) {
	one := []schema.Row{{Dims: []int{0, 0}, Measures: []int64{5}, Null: []bool{false}}}
	b := noisyBench(t, carnet.LayoutCube, privately(1_000_000, 10_000, 1), nil, one)
	p := b.compile(t, "SELECT month, SUM(value) FROM trade GROUP BY month")
	require.Len(t, p.Openings, 3, "no row counts, which would cost as much again")
	r, err := p.Evaluate(b.open(t, p))
	require.NoError(t, err)
	require.Len(t, r.Rows, 3)
	require.Equal(t, "0", r.Rows[1][1].String())
	require.Equal(t, []int{0, 0}, r.Lost)

	// An average over no rows is NULL, and counted as such; a column without averages is not.
	p = b.compile(t, "SELECT month, SUM(value), AVG(value) FROM trade GROUP BY month")
	r, err = p.Evaluate(b.open(t, p))
	require.NoError(t, err)
	require.True(t, r.Rows[1][2].IsNull())
	require.Equal(t, []int{0, 0, 2}, r.Lost)
}

// Standard deviations: exact for sums, to first order for quotients, none for keys.
func TestDeviations(t *testing.T) {
	b := noisyBench(t, carnet.LayoutCube, privately(1_000_000, 500_000, 1), nil)
	p := b.compile(t, "SELECT month, COUNT(*) AS n, SUM(value) AS s, AVG(value) AS a, SUM(value) * 2 + COUNT(*) AS x FROM trade GROUP BY month ORDER BY month DESC LIMIT 2")
	r, err := p.Evaluate(b.open(t, p))
	require.NoError(t, err)
	require.Len(t, r.Deviations, 2)
	// 10 parts of variance 1 and 200^2: rounded up, 4 and 633
	require.Equal(t, "[NULL 4.00 633 31.8 1267]", fmt.Sprint(r.Deviations[0]))
	var table, csv strings.Builder
	require.NoError(t, r.WriteTable(&table))
	require.Contains(t, table.String(), "± 633")
	require.NoError(t, r.WriteCSV(&csv))
	require.Contains(t, csv.String(), "month,n,n_sd,s,s_sd,a,a_sd,x,x_sd\r\n")
}

// Noise is part of what a plan is, and what a number counts as.
func TestNoiseIsInPlanAndCharge(t *testing.T) {
	seen := map[carnet.Hash]bool{}
	for _, terms := range []*carnet.Privacy{nil, privately(1_000_000, 10_000, 1), privately(1_000_000, 20_000, 1)} {
		p := noisyBench(t, carnet.LayoutCube, terms, nil).compile(t, "SELECT COUNT(*) FROM trade")
		for _, h := range []carnet.Hash{p.Hash(), p.Charge(0, carnet.Hash{})} {
			require.False(t, seen[h])
			seen[h] = true
		}
	}
	bad := noisyBench(t, carnet.LayoutCube, privately(0, 0, 0), nil)
	_, err := Compile("SELECT COUNT(*) FROM trade", bad.product)
	require.Equal(t, "BAD_PRODUCT", carnet.ReasonOf(err))
}
