package carnettest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/examples/tpch"
	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/sample"
)

// lineitem writes a table of TPC-H as dbgen does, and the same rows into SQLite as
// integers of the smallest unit.
func lineitem(t *testing.T, orders int64) (file string, ref truth) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "lineitem.tbl")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, sample.WriteTbl(f, sample.Lineitems(1, orders)))
	require.NoError(t, f.Close())
	ref = newTruth(t)
	ref.exec(t, "CREATE TABLE lineitem (quantity INTEGER, price INTEGER, discount INTEGER, tax INTEGER, returnflag TEXT, linestatus TEXT, shipdate TEXT)")
	tx, err := ref.Begin()
	require.NoError(t, err)
	for l := range sample.Lineitems(1, orders) {
		ship := time.Unix(l.Ship*86400, 0).UTC().Format(time.DateOnly)
		_, err := tx.Exec("INSERT INTO lineitem VALUES (?,?,?,?,?,?,?)", l.Quantity, l.ExtendedPrice, l.Discount, l.Tax, l.ReturnFlag, l.LineStatus, ship)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	return file, ref
}

// Q1 and Q6 of TPC-H, in the units of the columns of lineitem above.
const (
	q1Truth = `SELECT returnflag, linestatus, SUM(quantity), SUM(price), SUM(price*(100-discount)), SUM(price*(100-discount)*(100+tax)),
		SUM(quantity) || '/' || COUNT(*), SUM(price) || '/' || COUNT(*), SUM(discount) || '/' || COUNT(*), COUNT(*)
		FROM lineitem WHERE shipdate <= '1998-09-02' GROUP BY returnflag, linestatus ORDER BY returnflag, linestatus`
	q6Truth = `SELECT SUM(price*discount) FROM lineitem WHERE shipdate >= '1994-01-01' AND shipdate < '1995-01-01'
		AND discount BETWEEN 5 AND 7 AND quantity < 24`
)

func q1Items() []item {
	whole, cents := scaled(0), scaled(2)
	return []item{{}, {}, {number: whole}, {number: cents}, {number: scaled(4)}, {number: scaled(6)}, {number: whole}, {number: cents}, {number: cents}, {number: whole}}
}

// askTPCH publishes lineitem by one of the example's schemas and compares the answers to
// the example's questions with SQLite's.
func askTPCH(t *testing.T, n *Network, product, schemaName, file string, ref truth, questions ...string) {
	t.Helper()
	s, err := tpch.Schema(schemaName)
	require.NoError(t, err)
	n.Product(t, carnet.ProductID(product), n.Publish(t, Publication{Owner: "kz", Name: product, Schema: s, File: file}))
	for _, q := range questions {
		sql, err := tpch.Query(q)
		require.NoError(t, err)
		text, items, groups := q1Truth, q1Items(), 4
		if strings.HasPrefix(q, "q6") {
			text, items, groups = q6Truth, []item{{number: scaled(4)}}, 1
		}
		want := ref.rows(t, text)
		require.Len(t, want, groups, "the reference has all groups")
		require.NotEqual(t, "NULL", want[0][len(want[0])-1])
		got := n.Ask(t, "buyer", carnet.ProductID(product), sql)
		same(t, items, got.Result, want, sql)
		require.GreaterOrEqual(t, got.Attested, 1)
	}
}

var fiveKeyholders = Options{Keyholders: 5, Threshold: 3, Owners: []Owner{{"kz", "KZ"}}}

// Rule: TPC-H's pricing summary (Q1) with its filter and all eight aggregates, and its
// forecast of revenue change (Q6), asked of encrypted cubes that five keyholders of
// whom three release guard, equal SQLite's answers over the same rows, to the cent.
func TestTPCH(t *testing.T) {
	if testing.Short() {
		t.Skip("2.8 million cells")
	}
	orders := int64(sample.Orders / 1000)
	if long() {
		orders = sample.Orders / 100
	}
	t.Parallel()
	file, ref := lineitem(t, orders)
	n := Start(t, fiveKeyholders)
	askTPCH(t, n, "pricing", "pricing", file, ref, "q1")
	askTPCH(t, n, "revenue", "revenue", file, ref, "q6")
}

// Rule: the same of encrypted records, by products of four columns.
func TestTPCHRecords(t *testing.T) {
	if !long() {
		t.Skip("185 columns, re-executed by five keyholders")
	}
	t.Parallel()
	file, ref := lineitem(t, 400)
	askTPCH(t, Start(t, fiveKeyholders), "lines", "records", file, ref, "q1-records", "q6-records")
}

// Rule: PostgreSQL runs the example's questions as they are written and answers as
// SQLite does, so they mean what TPC-H means.
func TestTPCHOnPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	ctx := Context(t)
	s, err := postgres.Start(ctx)
	postgres.Need(t, err)
	t.Cleanup(s.Stop)
	file, ref := lineitem(t, 1000)
	_, err = s.Query(ctx, tpch.Table)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, s.Copy(ctx, "COPY lineitem FROM STDIN WITH (DELIMITER '|')", strings.NewReader(strings.ReplaceAll(string(text), "|\n", "\n"))))
	for _, q := range []string{"q1", "q6", "q1-records", "q6-records"} {
		sql, err := tpch.Query(q)
		require.NoError(t, err)
		rows, err := s.Query(ctx, sql)
		require.NoError(t, err, q)
		truth, items := q1Truth, q1Items()
		if strings.HasPrefix(q, "q6") {
			truth, items = q6Truth, []item{{number: scaled(4)}}
		}
		want := ref.rows(t, truth)
		require.Len(t, rows, len(want), q)
		for i := range rows {
			for j, text := range rows[i] {
				if items[j].number == nil {
					require.Equal(t, want[i][j], text, q)
					continue
				}
				_, digits, _ := strings.Cut(text, ".") // averages are rounded there
				require.Equal(t, items[j].number(want[i][j]).FloatString(len(digits)), text, "%s, row %d, column %d", q, i, j)
			}
		}
	}
}
