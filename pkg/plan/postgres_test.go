package plan

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/schema"
)

// pgServer is a PostgreSQL server of a test's own.
type pgServer struct{ *postgres.Server }

// startPostgres starts a server; the test is skipped on a machine that has none and need not.
func startPostgres(t *testing.T) *pgServer {
	s, err := postgres.Start(t.Context())
	postgres.Need(t, err)
	t.Cleanup(s.Stop)
	return &pgServer{s}
}

const (
	pgField = "\x1f"
	pgNull  = "\x02"
)

// run executes the set-up and then the queries. Per query it returns the rows, or one
// row with one field that begins with "ERROR".
func (p *pgServer) run(t require.TestingT, setup string, queries []string) [][][]string {
	var script strings.Builder
	script.WriteString(setup + "\n\\set ON_ERROR_STOP off\n")
	for _, q := range queries {
		fmt.Fprintf(&script, "\\echo ---\n%s;\n\\if :ERROR\n\\echo ERROR :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE\n\\endif\n", q)
	}
	out, err := p.Script(context.Background(), script.String(), "-A", "-t", "-F", pgField, "-P", "null="+pgNull)
	require.NoError(t, err)
	blocks := strings.Split(out, "---\n")[1:]
	require.Len(t, blocks, len(queries))
	all := make([][][]string, len(queries))
	for i, b := range blocks {
		for _, line := range strings.Split(strings.TrimSuffix(b, "\n"), "\n") {
			if b != "" {
				all[i] = append(all[i], strings.Split(line, pgField))
			}
		}
	}
	return all
}

// pgTable is the script that creates and fills the table trade: integer dimensions and
// partitions are INTEGER, lists with an order ENUM, dates DATE, other columns TEXT,
// measures NUMERIC.
func pgTable(s *schema.Schema, owners []owner) string {
	var b strings.Builder
	b.WriteString("DROP TABLE IF EXISTS trade CASCADE;\n")
	columns := []string{`jurisdiction TEXT COLLATE "C"`, `owner TEXT COLLATE "C"`}
	for _, p := range s.Partitions {
		columns = append(columns, p.Name+` TEXT COLLATE "C"`)
	}
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		columns = append(columns, d.Name+" "+pgType(&b, d))
	}
	for _, m := range s.Measures {
		columns = append(columns, fmt.Sprintf("%s NUMERIC(30, %d)", m.Name, m.Scale))
	}
	fmt.Fprintf(&b, "CREATE TABLE trade (%s);\n", strings.Join(columns, ", "))
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	for _, o := range owners {
		for _, r := range o.rows {
			values := []string{quote(string(o.jurisdiction)), quote(string(o.id))}
			for _, v := range r.Partition {
				values = append(values, quote(v))
			}
			for i, code := range r.Dims {
				if code < 0 {
					values = append(values, "NULL")
					continue
				}
				d := dimensionDomain(&s.Dimensions[i])
				values = append(values, quote(d.values[code]))
			}
			for i, v := range r.Measures {
				if r.Null[i] {
					values = append(values, "NULL")
				} else {
					values = append(values, big.NewRat(v, power10(s.Measures[i].Scale).Int64()).FloatString(s.Measures[i].Scale))
				}
			}
			fmt.Fprintf(&b, "INSERT INTO trade VALUES (%s);\n", strings.Join(values, ", "))
		}
	}
	return b.String()
}

func pgType(b *strings.Builder, d *schema.Dimension) string {
	switch dom := dimensionDomain(d); {
	case dom.unit != "":
		return "DATE"
	case dom.numeric() && dom.scale > 0:
		return fmt.Sprintf("NUMERIC(20, %d)", dom.scale)
	case dom.numeric():
		return "INTEGER"
	case dom.order == byList:
		var list []string
		for _, c := range d.Codes {
			list = append(list, "'"+c.Value+"'")
		}
		fmt.Fprintf(b, "DROP TYPE IF EXISTS t_%[1]s CASCADE;\nCREATE TYPE t_%[1]s AS ENUM (%[2]s);\n", d.Name, strings.Join(list, ", "))
		return "t_" + d.Name
	}
	return `TEXT COLLATE "C"`
}

// sameAsPostgres compares an answer with PostgreSQL's: text exactly, numbers to 12
// digits, dates without a time of midnight.
func sameAsPostgres(t require.TestingT, q string, want [][]string, got *Result, sorted bool) {
	require.Len(t, got.Rows, len(want), "%s\n%v\n%v", q, want, got.Rows)
	if !sorted {
		slices.SortFunc(want, func(a, b []string) int { return pgCompare(got.Columns, a, b) })
	}
	rows := make([][]string, len(got.Rows))
	for i, r := range got.Rows {
		for _, v := range r {
			if v.IsNull() {
				rows[i] = append(rows[i], pgNull)
			} else {
				rows[i] = append(rows[i], v.String())
			}
		}
	}
	if !sorted {
		slices.SortFunc(rows, func(a, b []string) int { return pgCompare(got.Columns, a, b) })
	}
	for i := range want {
		for j := range want[i] {
			require.True(t, pgSame(got.Columns[j].Type, want[i][j], rows[i][j]), "%s\nrow %d, column %d: PostgreSQL has %q, we have %q", q, i, j, want[i][j], rows[i][j])
		}
	}
}

// pgSame compares two values of a column.
func pgSame(c Type, a, b string) bool {
	if a == pgNull || b == pgNull || c == Text {
		return a == b || strings.TrimLeft(b, "0") == a // a code with leading zeros
	}
	if c == Date {
		return strings.TrimSuffix(a, " 00:00:00") == b || strings.TrimSuffix(a, " 00:00:00+00") == b
	}
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	if !okX || !okY {
		return a == b
	}
	gap := new(big.Rat).Sub(x, y)
	limit := new(big.Rat).Abs(x)
	if limit.Cmp(one) < 0 {
		limit.Set(one)
	}
	return gap.Abs(gap).Cmp(limit.Mul(limit, big.NewRat(1, 1e11))) <= 0
}

// pgCompare orders rows the same for both, close numbers alike.
func pgCompare(columns []ColumnInfo, a, b []string) int {
	for j := range a {
		if pgSame(columns[j].Type, a[j], b[j]) {
			continue
		}
		x, okX := new(big.Rat).SetString(a[j])
		y, okY := new(big.Rat).SetString(b[j])
		if okX && okY {
			return x.Cmp(y)
		}
		return strings.Compare(a[j], b[j])
	}
	return 0
}
