package carnettest

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/plan"
)

// noisyTables are tables whose owners ask for noise, of every kind that can be asked about:
// products "noisycube" and "noisyrecords" of all owners, and the sides of joined rows,
// "noisytonnage" and "noisyprices".
type noisyTables struct {
	sets  map[carnet.ProductID][]*Dataset
	plain Plain
}

func publishNoisy(t *testing.T, n *Network) *noisyTables {
	t.Helper()
	out := &noisyTables{sets: map[carnet.ProductID][]*Dataset{}, plain: Plain{}}
	terms := func(with ...carnet.PartyID) *carnet.Terms {
		x := listing(with...)
		x.Privacy = &carnet.Privacy{Budget: carnet.MaxPrivacyBudget, PerNumber: 100_000, RowsPerUnit: 1}
		return x
	}
	publish := func(product carnet.ProductID, p Publication) {
		p.Name = string(product)
		d := n.Publish(t, p)
		out.sets[product] = append(out.sets[product], d)
		for nonce, b := range PlainOf(d) {
			out.plain[nonce] = b
		}
	}
	for i, o := range n.Owners {
		for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
			publish("noisy"+carnet.ProductID(layout), Publication{Owner: o.ID, Schema: ParseSchema(t, tradeYAML), Layout: layout, CSV: trade(i), Terms: terms()})
		}
	}
	tonnage, prices, _ := alignedRows(t)
	publish("noisytonnage", Publication{Owner: "kz", Schema: ParseSchema(t, tonnageYAML), CSV: tonnage, Terms: terms("uz")})
	publish("noisyprices", Publication{Owner: "uz", Schema: ParseSchema(t, pricesYAML), CSV: prices, Terms: terms("kz")})
	for product, sets := range out.sets {
		n.Product(t, product, sets...)
	}
	return out
}

// noisyQuestion is a question and the columns of its result that have noise; values are those
// of private parameters.
type noisyQuestion struct {
	product carnet.ProductID
	sql     string
	values  []string
	columns []int
}

// noisyPlain are questions about sums and about products of columns of one owner each.
func noisyPlain() []noisyQuestion {
	return []noisyQuestion{
		{"noisycube", "SELECT chapter, COUNT(*), SUM(value), SUM(weight) FROM noisycube GROUP BY chapter", nil, []int{1, 2, 3}},
		{"noisyrecords", "SELECT month, COUNT(*), SUM(value) FROM noisyrecords GROUP BY month", nil, []int{1, 2}},
	}
}

func noisyPrivate() (out []noisyQuestion) {
	for _, who := range []string{"", " AND owner <> 'kz'", " AND owner = 'uz'"} {
		out = append(out,
			noisyQuestion{"noisycube", "SELECT month, COUNT(*), SUM(value), SUM(weight) FROM noisycube WHERE chapter = PRIVATE($1)" + who + " GROUP BY month", []string{"84"}, []int{1, 2, 3}},
			noisyQuestion{"noisycube", "SELECT chapter, COUNT(*), SUM(value), COUNT(weight) FROM noisycube WHERE month = PRIVATE($1)" + who + " GROUP BY chapter", []string{"02"}, []int{1, 2, 3}},
			noisyQuestion{"noisyrecords", "SELECT COUNT(*), SUM(value) FROM noisyrecords WHERE chapter IN (PRIVATE($1), PRIVATE($2))" + who, []string{"01", "84"}, []int{0, 1}})
	}
	return out
}

func noisyAcross() (out []noisyQuestion) {
	for _, where := range []string{"", " WHERE a.year = '2024'", " WHERE a.year = '2025'"} {
		for _, what := range []string{"SUM(a.tons * b.price), COUNT(*)", "SUM((a.value - b.value) * (a.value - b.value)), COUNT(price)", "SUM(a.value * b.price), SUM(a.value * b.value)", "SUM(a.tons * b.value), SUM(a.value)"} {
			out = append(out, noisyQuestion{"noisytonnage", "SELECT " + what + " FROM noisytonnage a JOIN noisyprices b USING (chapter, month, year)" + where, nil, []int{0, 1}})
		}
	}
	return out
}

// ask asks a question, and returns the answer and what it is without noise.
func (x *noisyTables) ask(t *testing.T, n *Network, q noisyQuestion) (got *client.Answer, exact *plan.Result) {
	t.Helper()
	var asked *client.Asked
	if q.values == nil {
		asked = n.Submit(t, "buyer", q.product, q.sql)
	} else {
		asked = n.SubmitPrivate(t, "buyer", q.product, q.sql, q.values...)
	}
	Eventually(t, "all answers", time.Minute, func() bool {
		s, err := n.Client(t, "buyer").Status(Context(t), asked.Hash)
		require.NoError(t, err)
		return s.Answers == len(n.Keyholders)
	})
	got, err := n.Open(t, asked)
	require.NoError(t, err, q.sql)
	require.Empty(t, got.Liars, "every holder of a part draws the same noise")
	require.Len(t, got.Used, len(n.Keyholders))
	_, p, err := n.Client(t, "buyer").Explain(Context(t), q.product, written(q.sql, q.values))
	require.NoError(t, err, q.sql)
	return got, Twin(t, p, x.plain)
}

// deviates is the sum of the squares by which the numbers of an answer differ from the exact
// ones, each in the standard deviation that the answer states. A sum is NULL, or has no deviation,
// where the noise of its count makes that zero, or could; its own noise has no part in it.
func deviates(t *testing.T, q noisyQuestion, exact, got *plan.Result) (sum float64, n int) {
	t.Helper()
	require.Len(t, got.Rows, len(exact.Rows), q.sql)
	for i, row := range got.Rows {
		for _, c := range q.columns {
			if got.Deviations[i][c].IsNull() {
				continue
			}
			d := new(big.Rat).Sub(row[c].Rat(), exact.Rows[i][c].Rat())
			f, _ := d.Quo(d, got.Deviations[i][c].Rat()).Float64()
			sum, n = sum+f*f, n+1
		}
	}
	return sum, n
}

// chiSquared are bounds of a sum of n squares of standard normal values: it is outside of
// them with a probability below 10^-8 (Wilson and Hilferty).
func chiSquared(n int) (least, most float64) {
	v := 2 / (9 * float64(n))
	cube := func(z float64) float64 { return float64(n) * math.Pow(math.Max(0, 1-v+z*math.Sqrt(v)), 3) }
	return cube(-6), cube(6)
}

// requireNoise asks questions and compares the noise of all numbers with what is stated.
func (x *noisyTables) requireNoise(t *testing.T, n *Network, questions []noisyQuestion) {
	t.Helper()
	sum, count, asked := 0.0, 0, 0
	for _, q := range questions {
		got, exact := x.ask(t, n, q)
		asked += len(exact.Rows) * len(q.columns)
		s, c := deviates(t, q, exact, got.Result)
		sum, count = sum+s, count+c
	}
	require.Greater(t, 2*count, asked)
	least, most := chiSquared(count)
	t.Logf("%d numbers, %.1f within %.1f and %.1f", count, sum, least, most)
	require.Greater(t, sum, least)
	require.Less(t, sum, most)
}

// Rule (scheme §10): answers under a private parameter have noise of the variance that they
// state. It is another for every sharing of a selection: so each is charged, and who asks
// again pays again, while opening one answer again tells nothing new.
func TestNoiseOfPrivateParameters(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 4, Threshold: 2})
	x := publishNoisy(t, n)
	x.requireNoise(t, n, noisyPrivate())

	q := noisyPrivate()[0]
	spent := func() int64 { return n.spentOf(t, "kz/noisycube") }
	before := spent()
	asked := n.SubmitPrivate(t, "buyer", q.product, q.sql, q.values...)
	first, err := n.Open(t, asked)
	require.NoError(t, err)
	cost := spent() - before
	require.Positive(t, cost)
	again, err := n.Client(t, "buyer").Reopen(Context(t), n.Identity("buyer"), asked.Hash, nil)
	require.NoError(t, err)
	require.Equal(t, Rows(first.Result), Rows(again.Result))
	require.Equal(t, before+cost, spent())
	other, err := n.Open(t, n.SubmitPrivate(t, "second", q.product, q.sql, q.values...))
	require.NoError(t, err)
	require.NotEqual(t, Rows(first.Result), Rows(other.Result))
	require.Equal(t, before+2*cost, spent())
}

// Rule (scheme §8, §10): products of columns of two owners have noise of the variance that
// they state. A repeat, by whomever, is the same answer and costs nothing; another number has
// other noise.
func TestNoiseAcrossOwners(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	x := publishNoisy(t, n)
	x.requireNoise(t, n, noisyAcross())

	q := noisyAcross()[0]
	spent := func() []int64 {
		return []int64{n.spentOf(t, "kz/noisytonnage"), n.spentOf(t, "uz/noisyprices")}
	}
	before := spent()
	require.Positive(t, before[0])
	require.Positive(t, before[1])
	first := n.Ask(t, "buyer", q.product, q.sql)
	for _, buyer := range []carnet.PartyID{"second", "buyer", "second"} {
		require.Equal(t, Rows(first.Result), Rows(n.Ask(t, buyer, q.product, q.sql).Result), "two buyers have one answer")
	}
	require.Equal(t, before, spent())

	// The parts of a total are other numbers, whose noise is not the total's.
	sum := func(v plan.Value) *big.Rat {
		if r := v.Rat(); r != nil {
			return r
		}
		return new(big.Rat) // NULL: with its noise the count is of nobody
	}
	total, parts := sum(first.Result.Rows[0][0]), new(big.Rat)
	for _, y := range []int{4, 8} {
		parts.Add(parts, sum(n.Ask(t, "buyer", q.product, noisyAcross()[y].sql).Result.Rows[0][0]))
	}
	require.NotZero(t, total.Cmp(parts))
}

// spentOf is what the first keyholder's account says was spent of a dataset's budget.
func (n *Network) spentOf(t *testing.T, dataset carnet.DatasetID) (spent int64) {
	t.Helper()
	n.Keyholders[0].Read(t, func(l *keyholder.Ledger) {
		var err error
		spent, err = l.Spent(t.Context(), dataset)
		require.NoError(t, err)
	})
	return spent
}
