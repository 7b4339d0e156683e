package carnettest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

// Mirror statistics: what kz says it exported to uz, and what uz says it imported from
// kz, each under a schema of its own.
func mirrorExample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "examples", "mirror", name))
	require.NoError(t, err)
	return string(text)
}

// mirrored is the rows of both sides, and SQLite's tables of them: amounts in hundredths.
func mirrored(t *testing.T) (exports, imports string, ref truth) {
	ref = newTruth(t)
	ref.exec(t, "CREATE TABLE exports (chapter TEXT, month INTEGER, value INTEGER)")
	ref.exec(t, "CREATE TABLE imports (route TEXT, month INTEGER, chapter TEXT, cif INTEGER)")
	chapters := []string{"01", "02", "84", "97"}
	var out, in strings.Builder
	out.WriteString("chapter,month,value\n")
	in.WriteString("route,month,chapter,cif\n")
	for r := range 60 {
		chapter, month, value := chapters[r%4], r%3+1, 1000*r+7
		if chapter != "97" { // kz exports none
			fmt.Fprintf(&out, "%s,%d,%d.%02d\n", chapter, month, value/100, value%100)
			ref.exec(t, fmt.Sprintf("INSERT INTO exports VALUES ('%s', %d, %d)", chapter, month, value))
		}
		if chapter == "84" && month == 3 { // uz saw none of it
			continue
		}
		cif, text := fmt.Sprint(value+value/10), fmt.Sprintf("%d.%02d", (value+value/10)/100, (value+value/10)%100)
		if r%7 == 0 || chapter == "02" && month == 1 {
			cif, text = "NULL", ""
		}
		route := []string{"rail", "road"}[r%2]
		fmt.Fprintf(&in, "%s,%d,%s,%s\n", route, month, chapter, text)
		ref.exec(t, fmt.Sprintf("INSERT INTO imports VALUES ('%s', %d, '%s', %s)", route, month, chapter, cif))
	}
	return out.String(), in.String(), ref
}

// publishMirror publishes both sides, each as a product of its owner's.
func publishMirror(t *testing.T, n *Network, layout carnet.Layout, change ...func(p *Publication)) (kz, uz *Dataset, ref truth) {
	t.Helper()
	exports, imports, ref := mirrored(t)
	publish := func(p Publication) *Dataset {
		for _, c := range change {
			c(&p)
		}
		return n.Publish(t, p)
	}
	kz = publish(Publication{Owner: "kz", Name: "exports", Schema: ParseSchema(t, mirrorExample(t, "exports.yaml")), Layout: layout, CSV: exports})
	uz = publish(Publication{Owner: "uz", Name: "imports", Schema: ParseSchema(t, mirrorExample(t, "imports.yaml")), Layout: layout, CSV: imports})
	n.Product(t, "exports", kz)
	n.Product(t, "imports", uz)
	return kz, uz, ref
}

// Rule: two products of different owners and schemas, published to one committee, are
// joined by groups, and the answer is that of SQLite over both plaintexts: groups of one
// side only, NULLs, ratios. A difference is opened as one number, under both keys.
func TestMirror(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	kz, uz, ref := publishMirror(t, n, carnet.LayoutCube)
	gaps, ratios := mirrorExample(t, "gaps.sql"), mirrorExample(t, "ratios.sql")

	asked := n.Submit(t, "buyer", "exports", gaps)
	require.Equal(t, []carnet.ProductID{"imports"}, asked.Query.With)
	require.Len(t, asked.Query.Inputs, 2)
	differences := 0
	for _, o := range asked.Plan.Openings {
		if o.Less != nil {
			differences++
			require.Len(t, o.F.Keys, 2)
			require.Equal(t, []carnet.PartyID{"kz", "uz"}, o.Owners)
		}
	}
	require.Equal(t, 4, differences, "one for each chapter: nobody knows before that kz has none of one")
	got, err := n.Open(t, asked)
	require.NoError(t, err)
	cents := scaled(2)
	same(t, []item{{"chapter", "", nil}, {"gap", "", cents}}, got.Result, ref.rows(t, gaps), gaps)
	require.Equal(t, 3, got.Attested)
	require.EqualValues(t, len(asked.Plan.Openings)+differences, n.Keyholders[0].Charged(t, kz.Key.Key)+n.Keyholders[0].Charged(t, uz.Key.Key))

	got = n.Ask(t, "buyer", "exports", ratios)
	require.NotEmpty(t, got.Result.Rows)
	same(t, []item{{"chapter", "", nil}, {"month", "", nil}, {"exported", "", cents}, {"imported", "", cents}, {"ratio", "", scaled(0)}, {"gap", "", cents}},
		got.Result, ref.rows(t, strings.ReplaceAll(ratios, "q.v / NULLIF(p.v, 0)", "q.v || '/' || p.v")), ratios)

	// Rows, group by group.
	rows := "SELECT chapter, COUNT(*) AS pairs, SUM(a.value) - SUM(b.cif) AS gap FROM exports a JOIN imports b USING (chapter) WHERE route = 'rail' GROUP BY chapter ORDER BY chapter"
	got = n.Ask(t, "buyer", "exports", rows)
	same(t, []item{{"chapter", "", nil}, {"pairs", "", scaled(0)}, {"gap", "", cents}}, got.Result, ref.rows(t, rows), rows)

	// Kept beside the query, both products open the answer again when one has changed.
	snapshot, err := asked.Snapshot()
	require.NoError(t, err)
	more := n.Publish(t, Publication{Owner: n.Owners[2].ID, Name: "imports", Schema: ParseSchema(t, mirrorExample(t, "imports.yaml")), Layout: carnet.LayoutCube, CSV: "route,month,chapter,cif\nrail,1,01,5.00\n"})
	n.Product(t, "imports", uz, more)
	_, err = n.Client(t, "buyer").Reopen(Context(t), n.Identity("buyer"), asked.Hash, nil)
	require.Equal(t, "PRODUCT_CHANGED", carnet.ReasonOf(err))
	again, err := n.Client(t, "buyer").Reopen(Context(t), n.Identity("buyer"), asked.Hash, snapshot)
	require.NoError(t, err)
	require.Len(t, again.Result.Rows, 3)
}

// Rule: each owner's terms judge what is asked of its own product, and every keyholder
// keeps both owners', with a gateway that skips its check as well.
func TestMirrorTerms(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Policy: anything{}})
	publishMirror(t, n, carnet.LayoutCube, func(p *Publication) {
		terms := OpenTerms()
		switch p.Owner {
		case "kz": // who knows nothing of routes
			terms.Filters, terms.Aggregates, terms.MinOwners = []string{"month", "chapter"}, []string{"sum", "count"}, 1
		case "uz":
			terms.Purposes = []string{Purpose}
		}
		p.Terms = &terms
	})
	gaps, ratios := mirrorExample(t, "gaps.sql"), mirrorExample(t, "ratios.sql")
	got := n.Ask(t, "buyer", "exports", ratios)
	require.NotEmpty(t, got.Result.Rows)
	c := n.Client(t, "buyer")
	for sql, purpose := range map[string]string{gaps: "marketing", strings.Replace(gaps, "SUM(value)", "AVG(value)", 1): Purpose} {
		asked, err := c.Ask(Context(t), n.Identity("buyer"), "exports", sql, purpose, 0)
		require.NoError(t, err)
		reason, dataset := "PURPOSE_NOT_ALLOWED", "uz/imports"
		if purpose == Purpose {
			reason, dataset = "AGGREGATE_NOT_ALLOWED", "kz/exports"
		}
		n.refusedBy(t, asked.Hash, reason)
		var status *client.Status
		Eventually(t, "refusals at the gateway", time.Minute, func() bool {
			status, err = c.Status(Context(t), asked.Hash)
			require.NoError(t, err)
			return len(status.Refusals) > 0
		})
		require.Contains(t, status.Refusals[0].Message, dataset)
	}
}

// Rule: a home veto on one side of a join holds for the numbers that its side is in.
func TestMirrorHome(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	home := n.Keyholders[0]
	_, _, ref := publishMirror(t, n, carnet.LayoutCube, func(p *Publication) {
		if p.Owner == "uz" {
			p.Home = home.Party
		}
	})
	gaps := mirrorExample(t, "gaps.sql")
	got := n.Ask(t, "buyer", "exports", gaps)
	require.Len(t, got.Homes, 1)
	require.Equal(t, home.Party, got.Homes[0].Party)
	same(t, []item{{"chapter", "", nil}, {"gap", "", scaled(2)}}, got.Result, ref.rows(t, gaps), gaps)
}
