package pggrammar

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	pgquery "github.com/wasilibs/go-pgquery"

	"github.com/carnet-network/carnet/pkg/query"
)

var fence = regexp.MustCompile("(?s)```sql\n(.*?)```")

// corpus are queries that are accepted: those that package query tests with, and the
// examples of the reference.
func corpus(t *testing.T) []string {
	accepted, err := os.ReadFile("../../pkg/query/testdata/accepted.sql")
	require.NoError(t, err)
	list := strings.Split(strings.TrimSpace(string(accepted)), "\n")
	page, err := os.ReadFile("../../docs/reference/sql.md")
	require.NoError(t, err)
	for _, b := range fence.FindAllStringSubmatch(string(page), -1) {
		for _, sql := range strings.Split(b[1], ";") {
			if strings.Contains(sql, "SELECT") {
				list = append(list, sql)
			}
		}
	}
	require.Greater(t, len(list), 60)
	return list
}

// bareName is a product's name that needs no quotes here.
var bareName = regexp.MustCompile(`(FROM|JOIN)\s+[a-z]+/[a-z]+`)

// Every query that is accepted is one for PostgreSQL's grammar, as written and as
// package query writes it.
func TestAcceptedIsPostgreSQL(t *testing.T) {
	for _, sql := range corpus(t) {
		s, err := query.Parse(sql)
		require.NoError(t, err, sql)
		_, err = pgquery.Parse(s.String())
		require.NoError(t, err, "%s\n%s", sql, s)
		if bareName.MatchString(sql) {
			continue
		}
		_, err = pgquery.Parse(sql)
		require.NoError(t, err, sql)
	}
}

// Both grammars group operands alike: with the parentheses that package query would
// put around every operand, PostgreSQL reads the same tree.
func TestPrecedenceIsPostgreSQLs(t *testing.T) {
	for _, text := range []string{
		"NOT a = 1 AND b = 1 OR c = 1", "a + b * c - d / e < f", "NOT a IS NULL", "a = 1 IS NULL", "- a * b", "a - b - c > 0", "- a::int + 1 > 0",
		"a BETWEEN 1 + 1 AND 2 AND b IN (1)", "NOT a NOT IN (1, 2) OR b NOT BETWEEN 1 AND 2", "a < b + 1 IS NOT NULL",
	} {
		e, err := query.ParseExpr(text)
		require.NoError(t, err, text)
		plain, err := pgquery.Fingerprint("SELECT 1 WHERE " + text)
		require.NoError(t, err, text)
		full, err := pgquery.Fingerprint("SELECT 1 WHERE " + parenthesised(t, e))
		require.NoError(t, err, text)
		require.Equal(t, plain, full, "%s\n%s", text, parenthesised(t, e))
	}
}

// The comparison of trees can tell trees apart.
func TestFingerprintsDiffer(t *testing.T) {
	one, err := pgquery.Fingerprint("SELECT 1 WHERE (a - b) * c > 0")
	require.NoError(t, err)
	other, err := pgquery.Fingerprint("SELECT 1 WHERE a - b * c > 0")
	require.NoError(t, err)
	require.NotEqual(t, one, other)
}

// parenthesised writes an expression with parentheses around every part.
func parenthesised(t *testing.T, e query.Expr) string {
	whole := true
	out, err := query.Rewrite(e, func(x query.Expr) (query.Expr, error) {
		if whole {
			whole = false
			return nil, nil
		}
		if len(query.Children(x)) == 0 {
			return x, nil
		}
		return &query.ColumnRef{Name: parenthesised(t, x)}, nil
	})
	require.NoError(t, err)
	return "(" + unquoted(query.Format(out)) + ")"
}

// unquoted takes parts that are SQL already out of the quotes of a name.
func unquoted(sql string) string {
	return regexp.MustCompile(`"(\((?:[^"]|"")*\))"`).ReplaceAllStringFunc(sql, func(s string) string {
		return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	})
}
