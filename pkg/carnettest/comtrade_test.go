package carnettest

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
)

// moduleRoot is the folder of go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	require.NoError(t, err)
	return filepath.Dir(strings.TrimSpace(string(out)))
}

// comtrade reads the real records, if this checkout has them beside it.
func comtrade(t *testing.T) (header []string, records [][]string) {
	t.Helper()
	path := filepath.Join(moduleRoot(t), "..", "shared", "data", "comtrade-2010-india-china.csv")
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		t.Skipf("the real data set is not here: %s", path)
	}
	require.NoError(t, err)
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	return all[0], all[1:]
}

// column finds a header.
func column(t *testing.T, header []string, name string) int {
	t.Helper()
	for i, h := range header {
		if h == name {
			return i
		}
	}
	require.Failf(t, "no such column", "%q in %q", name, header)
	return -1
}

// Rule: real official statistics, taken as they are, come back as they are. India's
// trade with China in 2010 is published by two owners, imports by one and exports by
// the other, and sums by chapter and by quantity unit equal SQLite's over the same
// rows. The same trade is reported at several levels of detail: where the source's
// own levels agree, the encrypted answers agree.
func TestComtrade(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of numbers")
	}
	t.Parallel()
	header, records := comtrade(t)
	flow, code, unit := column(t, header, "Trade Flow Code"), column(t, header, "Commodity Code"), column(t, header, "Quantity Unit Code")
	value, weight, quantity := column(t, header, "Value"), column(t, header, "Netweight (kg)"), column(t, header, "Supplementary Quantity")

	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "examples", "comtrade", "schema.yaml"))
	require.NoError(t, err)
	s, err := schema.Parse("examples/comtrade/schema.yaml", text)
	require.NoError(t, err)

	ref := newTruth(t)
	ref.exec(t, "CREATE TABLE trade (jurisdiction TEXT, flow TEXT, chapter TEXT, level INTEGER, unit INTEGER, value INTEGER, netweight INTEGER, quantity INTEGER)")
	tx, err := ref.Begin()
	require.NoError(t, err)
	files := map[string]*strings.Builder{}
	jurisdiction := map[string]string{"1": "KZ", "2": "UZ"} // who publishes which flow
	for _, r := range records {
		j, ok := jurisdiction[r[flow]]
		if !ok {
			continue
		}
		if files[j] == nil {
			files[j] = &strings.Builder{}
			require.NoError(t, csv.NewWriter(files[j]).WriteAll([][]string{header}))
		}
		require.NoError(t, csv.NewWriter(files[j]).WriteAll([][]string{r}))
		null := func(s string) any {
			if s == "" {
				return nil
			}
			return s
		}
		_, err := tx.Exec("INSERT INTO trade VALUES (?,?,?,?,?,?,?,?)", j, r[flow], r[code][:2], len(r[code]), r[unit], r[value], null(r[weight]), null(r[quantity]))
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())

	n := Start(t, Options{})
	kz := n.Publish(t, Publication{Owner: "kz", Name: "imports", Schema: s, Layout: carnet.LayoutCube, CSV: files["KZ"].String()})
	uz := n.Publish(t, Publication{Owner: "uz", Name: "exports", Schema: s, Layout: carnet.LayoutCube, CSV: files["UZ"].String()})
	n.Product(t, "comtrade", kz, uz)
	whole := scaled(0)
	sums := []item{{"COUNT(*)", "COUNT(*)", whole}, {"SUM(value)", "SUM(value)", whole}, {"COUNT(netweight)", "COUNT(netweight)", whole},
		{"SUM(netweight)", "SUM(netweight)", whole}, {"SUM(quantity)", "SUM(quantity)", whole}}
	ask := func(keys []item, tail string) [][]string {
		items := append(keys[:len(keys):len(keys)], sums...)
		var a, b []string
		for _, it := range items {
			a, b = append(a, it.carnet), append(b, it.sqlite)
		}
		question := "SELECT " + strings.Join(a, ", ") + " FROM comtrade " + tail
		got := n.Ask(t, "buyer", "comtrade", question)
		same(t, items, got.Result, ref.rows(t, "SELECT "+strings.Join(b, ", ")+" FROM trade "+tail), question)
		require.Equal(t, 3, got.Attested)
		return Rows(got.Result)
	}
	key := func(names ...string) (keys []item) {
		for _, k := range names {
			keys = append(keys, item{carnet: k, sqlite: k})
		}
		return keys
	}
	// Sums by chapter, of both flows and of each, over subheadings only.
	fine := ask(key("chapter", "flow"), "WHERE level = '6' GROUP BY chapter, flow ORDER BY chapter, flow")
	coarse := ask(key("chapter", "flow"), "WHERE level = '2' GROUP BY chapter, flow ORDER BY chapter, flow")
	ask(key("chapter"), "WHERE level = '6' GROUP BY chapter ORDER BY chapter")
	ask(key("unit", "jurisdiction"), "WHERE level = '6' GROUP BY unit, jurisdiction ORDER BY unit, jurisdiction")
	ask(nil, "WHERE level = '6' AND flow = '1' AND chapter BETWEEN '84' AND '85'")

	// The balance of trade by chapter: each flow as a product of its owner's, the difference
	// opened as one number.
	n.Product(t, "imports", kz)
	n.Product(t, "exports", uz)
	balance := `SELECT chapter, p.v - q.v AS balance FROM (SELECT chapter, SUM(value) AS v FROM exports WHERE level = '6' GROUP BY chapter) p
		JOIN (SELECT chapter, SUM(value) AS v FROM imports WHERE level = '6' GROUP BY chapter) q USING (chapter) ORDER BY chapter`
	asked := n.Submit(t, "buyer", "exports", balance)
	got, err := n.Open(t, asked)
	require.NoError(t, err)
	require.Greater(t, len(got.Result.Rows), 80)
	require.True(t, slices.ContainsFunc(asked.Plan.Openings, func(o plan.Opening) bool { return o.Less != nil }))
	same(t, []item{{"chapter", "", nil}, {"balance", "", whole}}, got.Result, ref.rows(t, `SELECT chapter, SUM(CASE flow WHEN '2' THEN value ELSE -value END)
		FROM trade WHERE level = 6 GROUP BY chapter HAVING COUNT(DISTINCT flow) = 2 ORDER BY chapter`), balance)

	// The levels of the source, in the clear.
	agrees := map[string]bool{}
	for _, r := range ref.rows(t, `SELECT chapter, flow, SUM(CASE level WHEN 6 THEN value END), SUM(CASE level WHEN 2 THEN value END)
		FROM trade GROUP BY chapter, flow`) {
		agrees[r[0]+"/"+r[1]] = r[2] == r[3]
	}
	total := map[string]string{}
	for _, r := range coarse {
		total[r[0]+"/"+r[1]] = r[3]
	}
	compared := 0
	for _, r := range fine {
		at := r[0] + "/" + r[1]
		if agrees[at] {
			compared++
			require.Equal(t, total[at], r[3], "chapter/flow %s: 6-digit sum and 2-digit total", at)
		} else {
			require.NotEqual(t, total[at], r[3], "chapter/flow %s differs in the source", at)
		}
	}
	require.Greater(t, compared, 50, "of %d", len(fine))
	t.Logf("%d of %d chapter totals agree with their subheadings, in the source and encrypted", compared, len(fine))
}
