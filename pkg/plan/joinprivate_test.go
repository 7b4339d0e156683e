package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
)

// private lets a committee of 5 with threshold 2 hold both products.
func (b twoBenches) private() twoBenches { return twoBenches{b[0].private(), b[1].private()} }

// selected evaluates the functionals of the selected codes on the plaintext.
func (b twoBenches) selected(t *testing.T, p *Plan, codes []int) []int64 {
	values := make([]int64, len(p.Openings))
	for i := range p.Openings {
		o := &p.Openings[i]
		require.Nil(t, o.F)
		require.Nil(t, o.Less)
		require.Len(t, o.Choices, len(p.Private.Codes))
		var sum uint64
		for _, c := range codes {
			v, err := plain.Eval(p.Profile, o.Choices[c], b)
			require.NoError(t, err)
			sum = (sum + v) % p.Profile.T()
		}
		values[i] = he.Centre(sum, p.Profile.T())
	}
	return values
}

// privateJoins have private parameters on one side or on both.
var privateJoins = []struct{ sql, column string }{
	{`SELECT month, p.v - q.v AS gap, n, p.v / NULLIF(q.v, 0) FROM (SELECT month, SUM(value) AS v, COUNT(*) AS n FROM trade WHERE partner = PRIVATE($1) GROUP BY month) p
	  JOIN (SELECT month, SUM(amount) AS v FROM mirror WHERE year = 2024 GROUP BY month) q USING (month) ORDER BY month`, "partner"},
	{`SELECT month, p.v, q.n FROM (SELECT month, AVG(value) AS v FROM trade GROUP BY month) p
	  JOIN (SELECT month, COUNT(*) AS n FROM mirror WHERE PRIVATE($1) = mode GROUP BY month) q USING (month) ORDER BY month`, "mode"},
	{`SELECT month, p.v - q.v FROM (SELECT month, SUM(value) AS v FROM trade WHERE size = PRIVATE($1) GROUP BY month) p
	  JOIN (SELECT month, SUM(amount) AS v FROM mirror WHERE year = 2024 AND size = PRIVATE($1) GROUP BY month) q USING (month) ORDER BY month`, "size"},
	{`SELECT month, p.n, q.n FROM (SELECT month, COUNT(*) AS n FROM trade WHERE partner = PRIVATE($1) GROUP BY month) p
	  JOIN (SELECT month, COUNT(*) AS n FROM mirror WHERE origin = PRIVATE($1) GROUP BY month) q USING (month) ORDER BY month`, "partner"},
	{`SELECT month, p.n, q.n FROM (SELECT month, COUNT(*) AS n FROM trade WHERE size IN (PRIVATE($1), PRIVATE($2)) GROUP BY month) p
	  JOIN (SELECT month, COUNT(*) AS n FROM mirror WHERE size IN (PRIVATE($2), PRIVATE($1)) GROUP BY month) q USING (month) ORDER BY month`, "size"},
	{`SELECT year, p.v - q.v, p.n FROM (SELECT year, SUM(value) AS v, COUNT(*) AS n FROM trade WHERE partner = PRIVATE($1) GROUP BY year) p
	  JOIN (SELECT year, SUM(amount) AS v FROM mirror GROUP BY year) q USING (year) ORDER BY year`, "partner"},
	{`SELECT year, p.v, q.v FROM (SELECT year, SUM(value) AS v FROM trade WHERE size IN (PRIVATE($1), PRIVATE($2)) GROUP BY year) p
	  JOIN (SELECT year, SUM(amount) AS v FROM mirror WHERE size IN (PRIVATE($1), PRIVATE($2)) GROUP BY year) q USING (year) ORDER BY year`, "size"},
	{`SELECT month, p.n, q.n FROM (SELECT month, COUNT(*) AS n FROM trade WHERE size = PRIVATE($2) AND partner = PRIVATE($1) GROUP BY month) p
	  JOIN (SELECT month, COUNT(*) AS n FROM mirror WHERE origin = PRIVATE($1) AND size = PRIVATE($2) GROUP BY month) q USING (month) ORDER BY month`, "partner, size"},
	{`SELECT month, COUNT(*), SUM(a.value), AVG(b.amount) FROM trade a JOIN mirror b USING (month) WHERE a.partner = PRIVATE($1) GROUP BY month ORDER BY month`, "partner"},
	{`SELECT m, p.v - q.v AS change FROM (SELECT month AS m, SUM(value) AS v FROM trade WHERE partner = PRIVATE($1) GROUP BY month) p
	  JOIN (SELECT month + 1 AS m, SUM(value) AS v FROM trade WHERE partner = PRIVATE($1) GROUP BY month + 1) q USING (m) ORDER BY m`, "partner"},
}

// A join with private parameters has the answer of the same join with the values written
// into it, whatever they are, and its plan does not depend on them.
func TestPrivateParametersInJoins(t *testing.T) {
	for _, l := range layouts {
		t.Run(string(l), func(t *testing.T) {
			b, refused := newMirror(t, l).private(), 0
			for _, x := range privateJoins {
				compile, ask := b.compile, b.ask
				if !strings.Contains(x.sql, "mirror") {
					compile = func(sql string) (*Plan, error) { return Compile(sql, b[0].product) }
					ask = func(t require.TestingT, sql string) (*Result, error) {
						p, err := compile(sql)
						require.NoError(t, err)
						return p.Evaluate(b[0].open(t, p))
					}
				}
				p, err := compile(x.sql)
				if r := RefusalOf(err); l == carnet.LayoutRecords && r != nil && r.Reason == "DEGREE" {
					refused++
					continue
				}
				require.NoError(t, err, x.sql)
				require.Equal(t, x.column, p.Private.Column)
				answers := map[string]bool{}
				for _, code := range []int{0, len(p.Private.Codes) - 1} {
					codes, values := []int{code}, []string{p.Private.Codes[code]}
					if p.Private.Weight == 2 {
						codes, values = append(codes, (code+1)%len(p.Private.Codes)), append(values, p.Private.Codes[(code+1)%len(p.Private.Codes)])
					}
					if len(p.Private.dims) > 1 {
						values = strings.Split(values[0], ", ")
					}
					chosen, err := p.Private.Select(values)
					require.NoError(t, err)
					require.Equal(t, codes, chosen)
					got, err := p.Evaluate(b.selected(t, p, chosen))
					require.NoError(t, err)
					written := x.sql
					for i, v := range values {
						written = strings.ReplaceAll(written, "PRIVATE($"+string(rune('1'+i))+")", "'"+strings.ReplaceAll(v, "'", "''")+"'")
					}
					want, err := ask(t, written)
					require.NoError(t, err, written)
					require.Equal(t, want.Rows, got.Rows, written)
					answers[fmt.Sprint(got.Rows)] = true
				}
				require.Greater(t, len(answers), 1, "the codes differ in their answers: %s", x.sql)
			}
			require.LessOrEqual(t, refused, len(privateJoins)-3)
		})
	}
}

func TestPrivateJoinsRefused(t *testing.T) {
	b := newMirror(t, layouts[0]).private()
	join := func(p, q string) string {
		return "SELECT month, p.n, q.n FROM (SELECT month, COUNT(*) AS n FROM trade " + p + " GROUP BY month) p JOIN (SELECT month, COUNT(*) AS n FROM mirror " + q + " GROUP BY month) q USING (month)"
	}
	const one, list = "WHERE size = PRIVATE($1)", "WHERE size IN (PRIVATE($1), PRIVATE($2))"
	for _, x := range []struct{ sql, reason, says string }{
		{join(list, ""), "UNSUPPORTED", "p selects privately by a list, and q does not"},
		{join("", list), "UNSUPPORTED", "q selects privately by a list, and p does not"},
		{join("WHERE size IN (PRIVATE($1))", one), "UNSUPPORTED", "p and q select in different ways"},
		{join(one, list), "UNSUPPORTED", "p and q select in different ways"},
		{join(one, "WHERE mode = PRIVATE($1)"), "PRIVATE_COLUMN", "size of p and mode of q do not have the same codes"},
		{join("WHERE month = PRIVATE($1)", ""), "PRIVATE_COLUMN", "month is selected privately, and can't appear elsewhere"},
		{join("WHERE size = PRIVATE($1) AND partner = PRIVATE($2)", one), "PRIVATE_COLUMN", "size, partner of p and size of q do not have the same codes"},
	} {
		_, err := b.compile(x.sql)
		r := RefusalOf(err)
		require.NotNil(t, r, "%s: %v", x.sql, err)
		require.Equal(t, x.reason, r.Reason, "%s: %v", x.sql, err)
		require.Contains(t, r.Msg, x.says)
		require.NotEmpty(t, r.Remedy)
	}
	for i := range b { // a home veto on either side, also on the one that nothing is hidden of
		b[i].product.Homes = map[carnet.KeyID]int{b[i].product.Datasets[0].Manifest.Key: 2}
		_, err := b.compile(join(one, ""))
		require.Equal(t, "PRIVATE_HOME", RefusalOf(err).Reason)
		b[i].product.Homes = nil
	}
	_, err := b.compile(join(one, ""))
	require.NoError(t, err)
}
