package carnettest

import (
	"database/sql"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the reference

	"github.com/carnet-network/carnet/pkg/plan"
)

// truth is SQLite with the same rows in the clear. Measures are integers of their
// smallest unit there, so that its sums are exact.
type truth struct{ *sql.DB }

func newTruth(t *testing.T) truth {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "truth.db")+"?_pragma=journal_mode(off)&_pragma=synchronous(off)")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	return truth{db}
}

func (r truth) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	_, err := r.Exec(query, args...)
	require.NoError(t, err, query)
}

// rows runs a query; every value becomes text, NULL becomes "NULL".
func (r truth) rows(t *testing.T, query string) (out [][]string) {
	t.Helper()
	rows, err := r.Query(query)
	require.NoError(t, err, query)
	defer rows.Close()
	cols, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		line := make([]any, len(cols))
		for i := range line {
			line[i] = new(any)
		}
		require.NoError(t, rows.Scan(line...))
		text := make([]string, len(cols))
		for i := range line {
			if v := *line[i].(*any); v == nil {
				text[i] = "NULL"
			} else {
				text[i] = fmt.Sprint(v)
			}
		}
		out = append(out, text)
	}
	require.NoError(t, rows.Err())
	return out
}

// item is one column of the output: how it is asked for in both languages, and how
// SQLite's integers become the value.
type item struct {
	carnet, sqlite string
	number         func(text string) *big.Rat // nil: a code, compared as text
}

// scaled reads an integer, or a quotient of two, in units of 10^-scale.
func scaled(scale int) func(string) *big.Rat {
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	return func(s string) *big.Rat {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			panic("not a number: " + s)
		}
		return r.Quo(r, unit)
	}
}

// variance reads "n|sum|sum of squares": the population variance.
func variance(scale int) func(string) *big.Rat {
	return func(s string) *big.Rat {
		f := strings.Split(s, "|")
		n, x, q := scaled(0)(f[0]), scaled(scale)(f[1]), scaled(2*scale)(f[2])
		mean := x.Quo(x, n)
		return q.Sub(q.Quo(q, n), mean.Mul(mean, mean))
	}
}

// same compares an answer with the reference, exactly.
func same(t *testing.T, items []item, got *plan.Result, want [][]string, what string) {
	t.Helper()
	require.Len(t, got.Rows, len(want), "%s\ngot %v\nwant %v", what, Rows(got), want)
	for i, row := range got.Rows {
		for j, v := range row {
			at := fmt.Sprintf("%s\nrow %d, column %d\ngot %v\nwant %v", what, i, j, Rows(got), want)
			switch {
			case want[i][j] == "NULL":
				require.True(t, v.IsNull(), at)
			case items[j].number == nil:
				require.Equal(t, want[i][j], v.String(), at)
			default:
				require.NotNil(t, v.Rat(), at)
				require.Zero(t, items[j].number(want[i][j]).Cmp(v.Rat()), at)
			}
		}
	}
}
