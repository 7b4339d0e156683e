package carnettest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/sample"
	"github.com/carnet-network/carnet/pkg/schema"
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

func tpchFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "examples", "tpch", name))
	require.NoError(t, err)
	return text
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
	n := Start(t, Options{Keyholders: 5, Threshold: 3, Owners: []Owner{{"kz", "KZ"}}})
	for _, name := range []string{"pricing", "revenue"} {
		s, err := schema.Parse(name+".yaml", tpchFile(t, name+".yaml"))
		require.NoError(t, err)
		n.Product(t, carnet.ProductID(name), n.Publish(t, Publication{Owner: "kz", Name: name, Schema: s, Layout: carnet.LayoutCube, File: file}))
	}
	for _, q := range []struct {
		product, truth string
		items          []item
		groups         int
	}{
		{"pricing", q1Truth, q1Items(), 4},
		{"revenue", q6Truth, []item{{number: scaled(4)}}, 1},
	} {
		sql := string(tpchFile(t, map[string]string{"pricing": "q1.sql", "revenue": "q6.sql"}[q.product]))
		got := n.Ask(t, "buyer", carnet.ProductID(q.product), sql)
		want := ref.rows(t, q.truth)
		require.Len(t, want, q.groups, "the reference has all groups")
		require.NotEqual(t, "NULL", fmt.Sprint(want[0][len(want[0])-1]))
		same(t, q.items, got.Result, want, sql)
		require.GreaterOrEqual(t, got.Attested, 1)
	}
}
