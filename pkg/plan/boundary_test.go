package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

var layouts = []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords}

// Tables of 0, 1, N-1, N and N+1 rows.
func TestRowBoundaries(t *testing.T) {
	for _, l := range layouts {
		n := small()[string(l)].N()
		for _, rows := range []int{0, 1, n - 1, n, n + 1, 2 * n} {
			s := customs()
			owners := []owner{{"acme", "DE", declarations(rows, 7)}}
			db := load(t, s, owners)
			b := newBench(t, s, l, false, owners)
			for _, text := range []string{
				"SELECT COUNT(*), SUM(value), COUNT(weight), SUM(weight) FROM trade",
				"SELECT COUNT(*), SUM(weight) FROM trade WHERE partner IS NULL",
				"SELECT month, COUNT(*), SUM(weight) FROM trade GROUP BY month ORDER BY month",
			} {
				got, err := b.ask(t, text)
				require.NoError(t, err, text)
				q := twin{text, strings.ReplaceAll(text, "SUM(value)", "SUM(value) / 100.0")}
				same(t, q, answer(t, db, q.lite), got, true)
			}
		}
	}
}

// oneMeasure is a schema whose single row may reach the bound.
func oneMeasure(bound string) *schema.Schema {
	return &schema.Schema{
		Name: "edge", Version: 1, Layouts: layouts, Limits: schema.Limits{Rows: 1, Datasets: 1},
		Dimensions: []schema.Dimension{{Name: "d", Codes: codes("a", "b")}},
		Measures:   []schema.Measure{{Name: "m", Min: "-" + bound, Max: bound}},
	}
}

// Results of exactly (T-1)/2 and -(T-1)/2 come out right, with one digit.
func TestLargestResults(t *testing.T) {
	for _, l := range layouts {
		half := int64(small()[string(l)+"-tiny"].T()-1) / 2
		for _, v := range []int64{half, -half, half - 1, 1 - half} {
			s := oneMeasure(fmt.Sprint(half))
			b := newBench(t, s, l, true, []owner{{"acme", "DE", []schema.Row{{Dims: []int{1}, Measures: []int64{v}, Null: []bool{false}}}}})
			require.Len(t, b.product.Encoding.Digits(schema.Atom{Kind: schema.Sum, X: "m"}), 1)
			require.Equal(t, fmt.Sprintf("sum\n%d\n", v), b.table(t, "SELECT SUM(m) FROM trade"))
			require.Equal(t, fmt.Sprintf("sum\n%d\n", v), b.table(t, "SELECT SUM(m) FROM trade WHERE d = 'b'"))
			p, err := Compile("SELECT SUM(m) FROM trade", b.product)
			require.NoError(t, err)
			require.EqualValues(t, half, p.Certificate.MaxResult.Int64())
		}
	}
}

// What could wrap is refused before anything is opened, and the remedy's number of
// rows is the one that passes.
func TestOverflowIsRefused(t *testing.T) {
	s := customs()
	s.Measures[1] = schema.Measure{Name: "weight", Min: "0", Max: "200"}
	s.Measures[0].Products = nil
	b := newBench(t, s, carnet.LayoutRecords, true, []owner{{"acme", "DE", nil}, {"bolt", "KZ", nil}})
	const q = "SELECT SUM(weight * weight) FROM trade"
	with := func(rows int64) error {
		m := &b.product.Datasets[0].Manifest
		m.Files = []carnet.File{{Nonce: carnet.Nonce{1}, Partition: map[string]string{"year": "2024", "half": "1"}, Rows: rows, Columns: len(b.product.Encoding.Columns), Blocks: b.product.Encoding.Blocks(rows)}}
		_, err := Compile(q, b.product)
		return err
	}
	digits := b.product.Encoding.Digits(schema.Atom{Kind: schema.Sum, X: "weight"})
	fit := int64(0)
	for i := range digits {
		for j := range digits {
			top := digits[i].Max.Int64() * digits[j].Max.Int64()
			if rows := int64(b.product.Profile.T()-1) / 2 / top; fit == 0 || rows < fit {
				fit = rows
			}
		}
	}
	require.NoError(t, with(fit))
	err := with(fit + 1)
	require.Equal(t, "OVERFLOW", carnet.ReasonOf(err))
	require.Equal(t, carnet.Precondition, carnet.KindOf(err))
	require.Contains(t, RefusalOf(err).Remedy, fmt.Sprintf("at most %d rows fit", fit))

	// A manifest that claims more rows than the schema allows is not believed.
	require.Equal(t, "BAD_PRODUCT", carnet.ReasonOf(with(s.Limits.Rows+1)))
	require.Equal(t, "BAD_PRODUCT", carnet.ReasonOf(with(-1)))
	require.Equal(t, "BAD_PRODUCT", carnet.ReasonOf(with(1<<62)))
}

// A profile without room for the flooding is refused, naming what fits.
func TestNoiseBudget(t *testing.T) {
	s := customs()
	p, err := he.NewProfile(he.Literal{Name: "narrow", LogN: 4, Limbs: 4, LimbBits: 46, TBits: 40, MaxDegree: 2, Encoding: he.Slots})
	require.NoError(t, err)
	e, err := s.EncodeWith(carnet.LayoutRecords, []schema.Candidate{{Name: p.Name(), N: p.N(), T: p.T(), ValueBytes: 32}})
	require.NoError(t, err)
	b := publish(t, s, e, p, declarants(2000))
	_, err = Compile("SELECT SUM(value) FROM trade WHERE month <> 1", b.product)
	r := RefusalOf(err)
	require.NotNil(t, r)
	require.Equal(t, "NOISE_BUDGET", r.Reason)
	require.Regexp(t, "at most [1-9][0-9]* fit", r.Remedy)
	require.Contains(t, r.Remedy, "degree: 3, whose profile records-3 holds this")
	_, err = Compile("SELECT SUM(value) FROM trade WHERE month BETWEEN 3 AND 8", b.product)
	require.Contains(t, RefusalOf(err).Remedy, "for ranges of month a new version of the schema can set encoding: cumulative, which adds up two columns instead of 6")
	_, err = Compile("SELECT SUM(value) FROM trade WHERE month = 1 AND owner = 'corp' AND year = 2024 AND half = 1", b.product)
	require.NoError(t, err)
}

// A query that would use up more releases than its keyholders grant is refused.
func TestMoreOpeningsThanReleases(t *testing.T) {
	s := customs()
	var many []schema.Code
	for i := range 6000 {
		many = append(many, schema.Code{Value: fmt.Sprintf("c%04d", i)})
	}
	s.Dimensions = []schema.Dimension{{Name: "a", Codes: many}}
	s.Layouts = []carnet.Layout{carnet.LayoutRecords}
	p, err := he.NewProfile(he.Literal{Name: "narrow", LogN: 4, Limbs: 4, LimbBits: 28, TBits: 26, MaxDegree: 2, Encoding: he.Slots})
	require.NoError(t, err)
	e, err := s.EncodeWith(carnet.LayoutRecords, []schema.Candidate{{Name: p.Name(), N: p.N(), T: p.T(), ValueBytes: 32}})
	require.NoError(t, err)
	rows := declarations(2, 1)
	for i := range rows {
		rows[i].Partition, rows[i].Dims = []string{fmt.Sprint(2023 + i), "1"}, []int{0}
	}
	b := publish(t, s, e, p, []owner{{"acme", "DE", rows}})
	b.product.Committee = share.Committee{N: 12, T: 1}
	one, err := Compile("SELECT COUNT(*) FROM trade WHERE a = 'c0000'", b.product)
	require.NoError(t, err)
	require.EqualValues(t, 1<<16/12, one.Cost.MaxReleases)
	require.Equal(t, "NOISE_BUDGET", b.refused(t, "SELECT a, COUNT(*) FROM trade GROUP BY a"))
	b.table(t, "SELECT a, COUNT(*) FROM trade WHERE a < 'c5000' GROUP BY a")
}

// Values that no rows can have are not turned into an answer.
func TestImplausibleValues(t *testing.T) {
	b := newBench(t, customs(), carnet.LayoutCube, false, declarants(20))
	p, err := Compile("SELECT COUNT(*) FROM trade", b.product)
	require.NoError(t, err)
	for _, v := range []int64{-1, p.Openings[0].Rows + 1} {
		_, err = p.Evaluate([]int64{v})
		require.Equal(t, "IMPLAUSIBLE_VALUE", carnet.ReasonOf(err))
	}
	_, err = p.Evaluate(nil)
	require.Equal(t, "WRONG_VALUES", carnet.ReasonOf(err))
}

// Groups are limited, and counting them does not take for ever.
func TestTooManyGroups(t *testing.T) {
	s := customs()
	var many []schema.Code
	for i := range 3000 {
		many = append(many, schema.Code{Value: fmt.Sprintf("c%04d", i)})
	}
	s.Dimensions = []schema.Dimension{{Name: "a", Codes: many}, {Name: "b", Codes: many}}
	s.Layouts = []carnet.Layout{carnet.LayoutRecords}
	rows := declarations(3, 1)
	for i := range rows {
		rows[i].Dims = []int{0, 1}
	}
	b := newBench(t, s, carnet.LayoutRecords, false, []owner{{"acme", "DE", rows}})
	require.Equal(t, "TOO_MANY_GROUPS", b.refused(t, "SELECT a, b, COUNT(*) FROM trade GROUP BY a, b"))
	b.table(t, "SELECT a, b, COUNT(*) FROM trade WHERE a < 'c0020' AND b = 'c0001' GROUP BY a, b")
	require.Equal(t, "TOO_COMPLEX", b.refused(t, "SELECT COUNT(*) FROM trade WHERE "+alternating(300)))
	_, err := query.Parse("SELECT COUNT(*) FROM trade WHERE " + alternating(300))
	require.NoError(t, err)
}

// alternating is a condition that does not simplify.
func alternating(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf("(a = 'c%04d' AND b = 'c%04d')", i, i+1))
	}
	return strings.Join(parts, " OR ")
}
