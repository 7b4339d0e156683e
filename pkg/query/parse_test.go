package query

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestParseWhole(t *testing.T) {
	s, err := Parse(`-- totals
		SELECT month AS "Monat", COUNT(*) n, SUM(value * weight) /* nested /* comment */ */ / NULLIF(COUNT(value), 0)
		FROM acme/customs.v1 AS c
		WHERE c.month BETWEEN 1 AND 3 OR NOT partner NOT IN ('DE', 'O''Hara') AND year <> 2024
		GROUP BY month, 1
		HAVING COUNT(*) >= 10 AND month IS NOT NULL
		ORDER BY n DESC NULLS LAST, 1, month NULLS FIRST
		LIMIT 10 OFFSET 20;`)
	require.NoError(t, err)
	require.Equal(t, "acme/customs.v1", s.From.Name)
	require.Equal(t, "c", s.From.Alias)
	require.Equal(t, []string{"Monat", "n", ""}, []string{s.Items[0].Alias, s.Items[1].Alias, s.Items[2].Alias})
	require.EqualValues(t, 10, *s.Limit)
	require.EqualValues(t, 20, s.Offset)
	require.Equal(t, []Order{{s.OrderBy[0].Expr, true, false}, {s.OrderBy[1].Expr, false, false}, {s.OrderBy[2].Expr, false, true}}, s.OrderBy)
	require.Equal(t, `SELECT month AS "Monat", COUNT(*) AS n, SUM(value * weight) / NULLIF(COUNT(value), 0) FROM "acme/customs.v1" AS c `+
		`WHERE c.month BETWEEN 1 AND 3 OR NOT partner NOT IN ('DE', 'O''Hara') AND year <> 2024 GROUP BY month, 1 `+
		`HAVING COUNT(*) >= 10 AND month IS NOT NULL ORDER BY n DESC NULLS LAST, 1, month NULLS FIRST LIMIT 10 OFFSET 20`, s.String())
}

func TestPositions(t *testing.T) {
	s, err := Parse("SELECT 'é',\n\tSUM(x)\nFROM p WHERE\n  a = 1 AND b IN (2)")
	require.NoError(t, err)
	require.Equal(t, "line 2, column 2", s.Items[1].Expr.Position().String())
	and := s.Where.(*Binary)
	require.Equal(t, "line 4, column 9", and.At.String())
	require.Equal(t, "line 4, column 5", and.X.Position().String())
	require.Equal(t, "line 4, column 15", and.Y.Position().String())
}

// testdata/accepted.sql has every construct. A module of its own holds it against the
// grammar of PostgreSQL (tools/pggrammar).
func TestAccepted(t *testing.T) {
	for _, sql := range accepted(t) {
		s, err := Parse(sql)
		require.NoError(t, err, sql)
		again, err := Parse(s.String())
		require.NoError(t, err, s.String())
		require.Equal(t, s.String(), again.String())
	}
}

func accepted(t require.TestingT) []string {
	text, err := os.ReadFile("testdata/accepted.sql")
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// Precedence is PostgreSQL's: the text on the left parses to the tree of the text on
// the right.
func TestPrecedence(t *testing.T) {
	for left, right := range map[string]string{
		"a = 1 OR b = 1 AND c = 1":              "a = 1 OR (b = 1 AND c = 1)",
		"NOT a = 1 AND b = 1":                   "(NOT (a = 1)) AND b = 1",
		"a = 1 AND b BETWEEN 1 AND 2":           "a = 1 AND (b BETWEEN 1 AND 2)",
		"a BETWEEN 1 AND 2 AND b = 1":           "(a BETWEEN 1 AND 2) AND b = 1",
		"1 - 2 - 3 > 4":                         "(1 - 2) - 3 > 4",
		"1 + 2 * 3 > - 4 * 5":                   "1 + (2 * 3) > (-4) * 5",
		"a < 1 + 2":                             "a < (1 + 2)",
		"NOT NOT a IS NULL":                     "NOT (NOT (a IS NULL))",
		"NOT a IS NULL":                         "NOT (a IS NULL)",
		"a = 1 IS NOT NULL":                     "(a = 1) IS NOT NULL",
		"a IN (1, 2) IS NULL":                   "(a IN (1, 2)) IS NULL",
		"a NOT IN (1) OR b NOT BETWEEN 1 AND 2": "(a NOT IN (1)) OR (b NOT BETWEEN 1 AND 2)",
	} {
		a, err := Parse("SELECT 1 FROM p WHERE " + left)
		require.NoError(t, err, left)
		b, err := Parse("SELECT 1 FROM p WHERE " + right)
		require.NoError(t, err, right)
		require.Equal(t, b.String(), a.String(), left)
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"FROM Trade": "trade", `FROM "Acme/Trade"`: "Acme/Trade", "FROM acme/2024-q1.v2": "acme/2024-q1.v2",
		"FROM 2024q1/a": "2024q1/a", "FROM a/b--comment": "a/b", "FROM a/* c */ WHERE TRUE": "a", "FROM a;": "a",
	} {
		s, err := Parse("SELECT COUNT(*) " + text)
		require.NoError(t, err, text)
		require.Equal(t, want, s.From.Name)
	}
	// Words of SQL that are not reserved stay usable as names.
	s, err := Parse(`SELECT SUM(date), "group", set FROM row WHERE date = 3 GROUP BY "group", "a b", show`)
	require.NoError(t, err)
	require.Equal(t, `SELECT SUM("date"), "group", "set" FROM "row" WHERE "date" = 3 GROUP BY "group", "a b", "show"`, s.String())
}

func TestBounds(t *testing.T) {
	_, err := Parse(strings.Repeat(" ", MaxBytes+1))
	require.Equal(t, "TOO_LONG", carnet.ReasonOf(err))
	for _, deep := range []string{
		strings.Repeat("(", MaxDepth+1), strings.Repeat("NOT ", MaxDepth+1), strings.Repeat("- ", MaxDepth+1),
		strings.Repeat("COALESCE(", MaxDepth+1), strings.Repeat("SUM(", 10000),
		strings.Repeat("CASE ", 10000), strings.Repeat("CASE WHEN TRUE THEN ", MaxDepth+1), strings.Repeat("CAST(", 10000),
		strings.Repeat("EXTRACT(YEAR FROM ", MaxDepth+1), "COUNT(*) FILTER (WHERE " + strings.Repeat("(", MaxDepth), "a" + strings.Repeat("::int", MaxDepth+1),
	} {
		_, err := Parse("SELECT 1 FROM p WHERE " + deep)
		require.Equal(t, "TOO_DEEP", carnet.ReasonOf(err), deep[:10])
	}
	s, err := Parse("SELECT 1 FROM p WHERE " + strings.Repeat("(", MaxDepth-1) + "a=1" + strings.Repeat(")", MaxDepth-1))
	require.NoError(t, err)
	require.NotNil(t, s)
	_, err = Parse("SELECT 1" + strings.Repeat(",1", MaxItems) + " FROM p")
	require.Equal(t, "TOO_LONG", carnet.ReasonOf(err))
	// Long but flat is fine.
	s, err = Parse("SELECT 1 FROM p WHERE a=1" + strings.Repeat(" OR a=1", 9000))
	require.NoError(t, err)
	again, err := Parse(s.String()[:MaxBytes/2] + "1")
	require.True(t, err == nil || again == nil)
}

// An expression written by Format parses to an expression that Format writes the
// same way.
func TestFormatRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawExpr(t, 4)
		text := Format(e)
		s, err := Parse("SELECT " + text + " FROM p WHERE " + text)
		require.NoError(t, err, text)
		require.Equal(t, text, Format(s.Items[0].Expr))
		require.Equal(t, text, Format(s.Where))
	})
}

// Dates that intervals and days move are worked out while they are read.
func TestDates(t *testing.T) {
	for text, want := range map[string]string{
		"date '1998-12-01' - interval '90' day":               "TIMESTAMP '1998-09-02'",
		"DATE '2024-01-31' + INTERVAL '1' MONTH":              "TIMESTAMP '2024-02-29'",
		"DATE '2024-02-29' + INTERVAL '1' YEAR - 1":           "TIMESTAMP '2025-02-28' - 1",
		"DATE '2024-03-01' - 1 + 3":                           "DATE '2024-03-03'",
		"INTERVAL '1 year -2 weeks'":                          "INTERVAL '12 month -14 day'",
		"d - INTERVAL '3 months' * 2":                         "d - INTERVAL '3 month 0 day' * 2",
		"CAST('2024-01-31' AS DATE)":                          "DATE '2024-01-31'",
		"'2024-01-31'::date + 1":                              "DATE '2024-02-01'",
		"TIMESTAMP '2024-01-31 00:00:00'":                     "TIMESTAMP '2024-01-31'",
		"DATE '9999-12-31' + 1":                               "DATE '9999-12-31' + 1",
		"DATE '0001-01-01' - INTERVAL '1' YEAR":               "DATE '0001-01-01' - INTERVAL '12 month 0 day'",
		"extract(year from date '2024-01-31')":                "EXTRACT(YEAR FROM DATE '2024-01-31')",
		"date_part('YEAR', d)::int + EXTRACT('month' FROM d)": "CAST(date_part('year', d) AS INTEGER) + EXTRACT(MONTH FROM d)",
	} {
		e, err := ParseExpr(text)
		require.NoError(t, err, text)
		require.Equal(t, want, Format(e), text)
		again, err := ParseExpr(want)
		require.NoError(t, err, want)
		require.Equal(t, want, Format(again))
		require.True(t, Equal(e, again))
	}
}

func drawExpr(t *rapid.T, depth int) Expr {
	pick := rapid.IntRange(0, 19).Draw(t, "node")
	if depth == 0 {
		pick %= 4
	}
	sub := func() Expr { return drawExpr(t, depth-1) }
	yes := rapid.Bool().Draw(t, "not")
	switch pick {
	case 0:
		return &ColumnRef{Name: rapid.SampledFrom([]string{"a", "b c", "select", "x1", `q"q`, "date"}).Draw(t, "name")}
	case 1:
		return &Literal{Kind: Number, Text: rapid.SampledFrom([]string{"0", "1.50", ".5", "1e3"}).Draw(t, "number")}
	case 2:
		return &Literal{Kind: String, Text: rapid.SampledFrom([]string{"", "it's", "--", "é"}).Draw(t, "string")}
	case 3:
		return &Literal{Kind: Null}
	case 4:
		return &Aggregate{Func: Sum, Name: "sum", Arg: sub()}
	case 5:
		return &Call{Func: Coalesce, Args: []Expr{sub(), sub()}}
	case 6:
		return &Unary{Op: rapid.SampledFrom([]Op{Neg, Not}).Draw(t, "unary"), X: sub()}
	case 7:
		return &Between{X: sub(), Lo: sub(), Hi: sub(), Not: yes}
	case 8:
		return &In{X: sub(), List: []Expr{sub(), sub()}, Not: yes}
	case 9:
		return &IsNull{X: sub(), Not: yes}
	case 10:
		return &Aggregate{Func: Corr, Name: "corr", Arg: sub(), Arg2: sub(), Filter: sub()}
	case 11:
		return &Aggregate{Func: PercentileDisc, Name: "percentile_disc", Fraction: sub(), Arg: sub(), Desc: yes}
	case 12:
		return &Aggregate{Func: Count, Name: "count", Filter: sub()}
	case 13:
		c := &Case{Whens: []When{{sub(), sub()}, {sub(), sub()}}}
		if yes {
			c.Operand, c.Else = sub(), sub()
		}
		return c
	case 14:
		return &DatePart{Func: rapid.SampledFrom([]DateFunc{Extract, DatePartF, DateTrunc}).Draw(t, "function"), Field: "month", X: sub()}
	case 15:
		return &Cast{X: sub(), To: rapid.SampledFrom([]Type{NumericType, IntegerType}).Draw(t, "type")}
	}
	op := rapid.SampledFrom([]Op{Add, Sub, Mul, Div, Eq, Ne, Lt, Le, Gt, Ge, And, Or}).Draw(t, "op")
	return &Binary{Op: op, X: sub(), Y: sub()}
}

func FuzzParse(f *testing.F) {
	for _, sql := range accepted(f) {
		f.Add(sql)
	}
	for _, seed := range []string{
		"SELECT COUNT(*) FROM a/b WHERE x IN (1,'2',NULL) GROUP BY y ORDER BY 1 DESC NULLS LAST LIMIT 3 OFFSET 4",
		"select sum(x*y)/nullif(avg(z),0) q from \"p\" where not (a between -1 and 1e2) having count(*)>1",
		"SELECT CORR(a,b) FILTER (WHERE c IS NULL), MODE() WITHIN GROUP (ORDER BY d DESC), CASE x WHEN 1 THEN 2 ELSE y::numeric END FROM p",
		"SELECT EXTRACT(YEAR FROM d), date_trunc('month', d + 3) FROM p WHERE d <= DATE '2024-01-31' - INTERVAL '1 year 2 days'",
		"SELECT SUM(a) FORM p", "SELECT COUNT(*) FROM p WEHRE a ANND b", "SELECT /* ( */ E'x' -- y", "SELECT ((((", "SELECT 'a", "SELECT 1 FROM a-", "SELECT .5e10 FROM 1", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := Parse(sql)
		if err != nil {
			require.NotEmpty(t, carnet.ReasonOf(err))
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			return
		}
		text := s.String()
		if len(text) > MaxBytes {
			return
		}
		again, err := Parse(text)
		if carnet.ReasonOf(err) == "TOO_DEEP" { // parentheses that Format adds count too
			return
		}
		require.NoError(t, err, text)
		require.Equal(t, text, again.String())
	})
}
