package plan

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/schema"
)

// curator answers as the whole system does, without encryption: the noise of a number is a
// function of what is opened, numbers are charged once, and a query that does not fit into
// the budget has no answer. The noise is that of a single part: what a buyer does not know
// who colludes with t-1 keyholders.
type curator struct {
	b        *bench
	seed     int
	off      bool // no noise, and no budget
	fresh    bool // noise is drawn anew for every answer: the rule that the tests need is broken
	drawn    int
	plans    map[string]*Plan
	exact    map[string][]int64
	released map[carnet.Hash]bool
	spent    int64
}

func newCurator(b *bench) *curator {
	return &curator{b: b, plans: map[string]*Plan{}, exact: map[string][]int64{}, released: map[carnet.Hash]bool{}}
}

// again forgets what was released, and changes all noise.
func (c *curator) again(seed int) {
	c.seed, c.spent, c.released = seed, 0, map[carnet.Hash]bool{}
}

// ask returns the opened numbers; ok is false if the budget does not allow them.
func (c *curator) ask(t *testing.T, sql string) (values []int64, ok bool) {
	p := c.plans[sql]
	if p == nil {
		p = c.b.compile(t, sql)
		c.plans[sql], c.exact[sql] = p, c.b.open(t, p)
	}
	values = append(values, c.exact[sql]...)
	if c.off {
		return values, true
	}
	require.Len(t, p.Spendings, 1)
	s := &p.Spendings[0]
	number := func(i int) carnet.Hash { return p.Charge(i, carnet.Hash{}) }
	cost := s.Cost(func(i int) bool { return c.released[number(i)] })
	if privacy.Add(c.spent, cost) > s.Terms.Budget {
		return nil, false
	}
	c.spent += cost
	for i := range values {
		h := number(i)
		c.released[h] = true
		if c.fresh {
			c.drawn++
		}
		key := carnet.Keyed(h[:], "carnet/test/noise", fmt.Append(nil, c.seed, c.drawn))
		values[i] += privacy.Sample(privacy.NewStream(key), p.Openings[i].Variance).Int64()
	}
	return values, true
}

// most is the accuracy that nobody exceeds who guesses a fair bit from what costs rho: half,
// and half of the total variation distance, which is sqrt(rho/2) at most (Pinsker).
func most(rho int64) float64 { return 0.5 + math.Sqrt(float64(rho)/privacy.Unit/2)/2 }

// persons is a table of n units with one row each, of which some have a secret.
func persons(t *testing.T, n int, secret func(i int) bool, budget, number int64) *bench {
	var codes strings.Builder
	for i := range n {
		fmt.Fprintf(&codes, "{value: \"p%02d\"},", i)
	}
	s, err := schema.Parse("persons.yaml", fmt.Appendf(nil, `
name: trade
version: 1
title: Persons
dimensions:
  - {name: person, codes: [%s]}
measures:
  - {name: ill, min: "0", max: "1"}
limits: {rows: 1000, datasets: 1}
layouts: [cube]
`, codes.String()))
	require.NoError(t, err)
	rows := make([]schema.Row, n)
	for i := range rows {
		rows[i] = schema.Row{Dims: []int{i}, Measures: []int64{0}, Null: []bool{false}}
		if secret(i) {
			rows[i].Measures[0] = 1
		}
	}
	b := newBench(t, s, carnet.LayoutCube, false, []owner{{"a", "KZ", rows}})
	b.product.Datasets[0].Manifest.Terms.Privacy = privately(budget, number, 1)
	return b
}

// Averaging: a thousand repeats are one answer, and cost as much as one. With noise drawn
// anew the average would be the exact number, which shows that the test can fail.
func TestAttackAveraging(t *testing.T) {
	c := newCurator(persons(t, 20, func(i int) bool { return i%3 == 0 }, 500_000, 1_000))
	c.seed = 1 // whose noise is not zero by chance
	const sql = "SELECT SUM(ill) FROM trade"
	average := func() float64 {
		sum := 0.0
		for range 1_000 {
			v, ok := c.ask(t, sql)
			require.True(t, ok)
			sum += float64(v[0])
		}
		return sum / 1_000
	}
	first, _ := c.ask(t, sql)
	require.NotEqual(t, int64(7), first[0])
	require.Equal(t, float64(first[0]), average())
	require.EqualValues(t, 1_000, c.spent)
	c.fresh = true
	require.InDelta(t, 7, average(), 4*math.Sqrt(500)/math.Sqrt(1_000), "without the rule the noise is averaged away")
}

// The ways to write one question are one functional, with one noise and one charge.
func TestAttackVariants(t *testing.T) {
	b := noisyBench(t, carnet.LayoutCube, privately(500_000, 1_000, 1), nil)
	b.product.Datasets = b.product.Datasets[:1]
	c := newCurator(b)
	var first []int64
	for _, sql := range []string{
		"SELECT COUNT(*) FROM trade WHERE month = '01'",
		"select count(*) as n from trade t where t.month = '01' limit 7",
		"SELECT COUNT(*) FROM trade WHERE month IN ('01')",
		"SELECT COUNT(*) FROM trade WHERE month IN ('01', '01')",
		"SELECT COUNT(*) FROM trade WHERE NOT month <> '01'",
		"SELECT COUNT(*) FROM trade WHERE NOT (month IN ('02', '03'))",
		"SELECT COUNT(*) FROM trade WHERE month < '02'",
		"SELECT COUNT(*) FROM trade WHERE month BETWEEN '01' AND '01'",
		"SELECT COUNT(*) FROM trade WHERE month = '01' AND month <> '03'",
		"SELECT COUNT(*) FROM trade WHERE month = '01' AND (partner = 'XA' OR partner = 'XB')",
		"SELECT COUNT(*) FROM trade WHERE (month = '01' AND partner = 'XA') OR (partner = 'XB' AND month = '01')",
		"SELECT COUNT(*) FROM trade WHERE month = '01' AND owner = 'a'",
		"SELECT COUNT(*) FROM trade WHERE month = '01' AND jurisdiction = 'KZ'",
		"SELECT COUNT(*) FILTER (WHERE month = '01') FROM trade",
		"SELECT COUNT(value) FROM trade WHERE month = '01'",
		"SELECT month, COUNT(*) FROM trade WHERE month = '01' GROUP BY month",
		"SELECT COUNT(*) + 0 FROM trade WHERE month = '01' HAVING COUNT(*) > -1000",
		"SELECT COUNT(*) * 1000 FROM trade WHERE month = '01'",
	} {
		v, ok := c.ask(t, sql)
		require.True(t, ok, sql)
		if first == nil {
			first = v
		}
		require.Equal(t, first, v, sql)
		require.EqualValues(t, 1_000, c.spent, sql)
	}
	// One of a list that was released as groups costs nothing, all others of it as much as one.
	_, ok := c.ask(t, "SELECT month, COUNT(*) FROM trade GROUP BY month")
	require.True(t, ok)
	require.EqualValues(t, 2_000, c.spent)
	_, ok = c.ask(t, "SELECT COUNT(*) FROM trade WHERE month = '03'")
	require.True(t, ok)
	require.EqualValues(t, 2_000, c.spent)
}

// guesses lets an attacker guess the secret of person 0 over many worlds, and returns how
// often it is right. attack returns how much speaks for the secret.
func guesses(t *testing.T, budget, number int64, off bool, attack func(c *curator) float64) float64 {
	var worlds [2]*curator
	for secret := range worlds {
		worlds[secret] = newCurator(persons(t, 12, func(i int) bool { return i == 0 && secret == 1 || i%4 == 1 }, budget, number))
		worlds[secret].off = off
	}
	const tries = 2_000
	right := 0
	for i := range tries {
		w := i % 2
		worlds[w].again(i)
		if (attack(worlds[w]) > 0.5) == (w == 1) {
			right++
		}
	}
	return float64(right) / tries
}

// Differencing: all, and all but one. Tracker: the one is never selected alone, but with
// others that are then taken away. Repeats of both through other sets, until the budget is
// spent. With noise the accuracy stays within the bound; without, each gets every person.
func TestAttackDifferencingAndTracker(t *testing.T) {
	const budget, number = 250_000, 12_500
	value := func(c *curator, where string) (float64, bool) {
		v, ok := c.ask(t, "SELECT SUM(ill) FROM trade WHERE "+where)
		if !ok {
			return 0, false
		}
		return float64(v[0]), true
	}
	for name, attack := range map[string]func(c *curator) float64{
		"differencing": func(c *curator) float64 {
			sum, n := 0.0, 0.0
			for i := 1; i < 12; i++ { // everybody up to person i, with person 0 and without
				set := "person IN ('p00'"
				for j := 1; j <= i; j++ {
					set += fmt.Sprintf(",'p%02d'", j)
				}
				with, a := value(c, set+")")
				without, b := value(c, set+") AND person <> 'p00'")
				if !a || !b {
					break
				}
				sum, n = sum+with-without, n+1
			}
			return sum / n
		},
		"tracker": func(c *curator) float64 {
			sum, n := 0.0, 0.0
			for i := 1; i < 12; i++ { // C = person 0 or not i; T = not 0 and not i; sum(all) = sum(C) + sum(i)
				pad := fmt.Sprintf("person <> 'p%02d'", i)
				c1, a := value(c, "person = 'p00' OR "+pad)
				c2, b := value(c, "NOT person = 'p00' AND "+pad)
				if !a || !b {
					break
				}
				sum, n = sum+c1-c2, n+1
			}
			return sum / n
		},
		"the one itself": func(c *curator) float64 {
			v, _ := value(c, "person = 'p00'")
			return v
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1.0, guesses(t, budget, number, true, attack), "without noise the attack works")
			got := guesses(t, budget, number, false, attack)
			t.Logf("accuracy %.3f, bound %.3f", got, most(budget))
			require.Less(t, got, most(budget)+3*0.5/math.Sqrt(2_000))
			require.Greater(t, got, 0.5)
		})
	}
}

// Reconstruction: random sets of persons until the budget is spent, and least squares over
// all answers. Dinur and Nissim: without noise everybody is found.
func TestAttackReconstruction(t *testing.T) {
	const n, queries, worlds = 24, 60, 40
	budget := int64(500_000)
	rng := rand.New(rand.NewPCG(1, 2))
	secret := make([]bool, n)
	for i := range secret {
		secret[i] = rng.IntN(2) == 1
	}
	c := newCurator(persons(t, n, func(i int) bool { return secret[i] }, budget, budget/queries))
	var sets [][]float64
	var sqls []string
	for range 2 * queries { // twice as many as the budget allows
		set, names := make([]float64, n), []string{}
		for i := range set {
			if rng.IntN(2) == 1 {
				set[i], names = 1, append(names, fmt.Sprintf("'p%02d'", i))
			}
		}
		sets, sqls = append(sets, set), append(sqls, "SELECT SUM(ill) FROM trade WHERE person IN ("+strings.Join(names, ", ")+")")
	}
	accuracy := func() float64 {
		right := 0
		for w := range worlds {
			c.again(w)
			var a [][]float64
			var y []float64
			for i, sql := range sqls {
				v, ok := c.ask(t, sql)
				if !ok {
					break
				}
				a, y = append(a, sets[i]), append(y, float64(v[0]))
			}
			if !c.off {
				require.Len(t, a, queries, "the budget ends it")
				require.LessOrEqual(t, c.spent, budget)
			}
			for i, x := range leastSquares(a, y) {
				if (x > 0.5) == secret[i] {
					right++
				}
			}
		}
		return float64(right) / (worlds * n)
	}
	got := accuracy()
	t.Logf("accuracy %.3f, bound %.3f", got, most(budget))
	require.Less(t, got, most(budget)+3*0.5/math.Sqrt(worlds*n))
	c.off = true
	require.Equal(t, 1.0, accuracy())
}

// leastSquares solves a x = y by normal equations.
func leastSquares(a [][]float64, y []float64) []float64 {
	n := len(a[0])
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n+1)
		m[i][i] = 1e-6
		for r := range a {
			for j := range n {
				m[i][j] += a[r][i] * a[r][j]
			}
			m[i][n] += a[r][i] * y[r]
		}
	}
	for i := range m {
		p := i
		for r := i; r < n; r++ {
			if math.Abs(m[r][i]) > math.Abs(m[p][i]) {
				p = r
			}
		}
		m[i], m[p] = m[p], m[i]
		for r := range m {
			if r == i {
				continue
			}
			f := m[r][i] / m[i][i]
			for j := i; j <= n; j++ {
				m[r][j] -= f * m[i][j]
			}
		}
	}
	x := make([]float64, n)
	for i := range x {
		x[i] = m[i][n] / m[i][i]
	}
	return x
}

// Selecting cells that are known to be empty makes another functional, with noise of its
// own: only the budget ends that, and it does.
func TestAttackPadding(t *testing.T) {
	b := noisyBench(t, carnet.LayoutCube, privately(10_000, 1_000, 1), nil, []schema.Row{{Dims: []int{0, 0}, Measures: []int64{1}, Null: []bool{false}}})
	c := newCurator(b)
	seen := map[int64]bool{}
	answered := 0
	for _, month := range []string{"month = '01'", "month <> '02'", "month <> '03'", "month = month"} {
		for _, partner := range []string{"partner = 'XA'", "partner <> 'XC'"} {
			for _, what := range []string{"COUNT(*)", "SUM(value)"} {
				v, ok := c.ask(t, "SELECT "+what+" FROM trade WHERE "+strings.Replace(month, "month = month", "month IN ('01','02','03')", 1)+" AND "+strings.Replace(partner, "partner <> 'XC'", "partner IN ('XA','XB')", 1))
				if !ok {
					continue
				}
				answered++
				seen[v[0]] = true
			}
		}
	}
	require.EqualValues(t, 10, answered)
	require.Greater(t, len(seen), 5)
	require.EqualValues(t, 10_000, c.spent)
	require.Equal(t, "1000", new(big.Int).SetInt64(c.spent/10).String())
}
