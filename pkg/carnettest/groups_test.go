package carnettest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/ident"
)

const firmsYAML = `
name: firms
version: 1
unit: firm
dimensions:
  - name: month
    codes: [{value: "01"}, {value: "02"}, {value: "03"}, {value: "04"}]
  - name: chapter
    codes: [{value: "27"}, {value: "84"}]
measures:
  - {name: value, min: "0", max: "1000"}
partitions:
  - name: year
limits: {rows: 1000, datasets: 4}
layouts: [cube, records]
`

// firms is a table of one year: eight firms, one of which is alone in March.
func firms(year int, alone string) string {
	text := "year,month,chapter,firm,value\n"
	for r := range 24 {
		month := []string{"01", "02", "04"}[r%3]
		text += fmt.Sprintf("%d,%s,%s,F%d,%d\n", year, month, []string{"27", "84"}[r/3%2], r/3, r)
	}
	return text + fmt.Sprintf("%d,%s,27,F0,500\n", year, alone)
}

// Rule: groups that the owner signed are kept from the table to the answer, in both
// layouts, and by what is added later.
func TestGroups(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	s := ParseSchema(t, firmsYAML)
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		name := string(layout)
		terms := OpenTerms()
		terms.MinGroup = 3
		first := n.Publish(t, Publication{Owner: "kz", Name: name, Schema: s, Layout: layout, CSV: firms(2024, "03"), Terms: &terms})
		want := carnet.Groups{Files: 1, Dimensions: []carnet.GroupedDimension{{Dimension: "month", From: []int{0, 1, 2}}, {Dimension: "chapter"}}}
		require.Equal(t, []carnet.Groups{want}, first.Manifest.Groups)
		require.Equal(t, []cells.DimensionLoss{{Dimension: "month", Codes: 4, Groups: 3}, {Dimension: "chapter", Codes: 2, Groups: 2}}, first.Loss.Dimensions)
		n.Product(t, carnet.ProductID(name), first)
		require.Equal(t, [][]string{{"27", "5"}, {"84", "4"}},
			Rows(n.Ask(t, "buyer", carnet.ProductID(name), "SELECT chapter, COUNT(*) FROM "+name+" WHERE month >= '03' GROUP BY chapter ORDER BY chapter").Result))
		refused := func(sql string) {
			t.Helper()
			_, err := n.Client(t, "buyer").Ask(Context(t), n.Identity("buyer"), carnet.ProductID(name), sql, Purpose, 0)
			require.Equal(t, "GROUPS_TOLD_APART", carnet.ReasonOf(err), "%v", err)
			require.Contains(t, err.Error(), "month 03 and 04")
		}
		refused("SELECT SUM(value) FROM " + name + " WHERE month = '03'")
		refused("SELECT SUM(value) FROM " + name + " WHERE month <> '03'")

		// The next year has groups of its own, made of those of the first.
		prepared := n.Prepare(t, Publication{Owner: "kz", Name: name, Schema: s, Layout: layout, CSV: firms(2025, "03"), Key: first.Key, Terms: &terms})
		prepared.Append, prepared.Terms = true, carnet.Terms{}
		second, err := n.Client(t, "kz").Publish(Context(t), n.Identity("kz"), prepared)
		require.NoError(t, err)
		require.Equal(t, []carnet.Groups{want, want}, second.Manifest.Groups)
		require.Equal(t, [][]string{{"2024", "9"}, {"2025", "9"}},
			Rows(n.Ask(t, "buyer", carnet.ProductID(name), "SELECT year, COUNT(*) FROM "+name+" WHERE month >= '03' GROUP BY year ORDER BY year").Result))
		refused("SELECT SUM(value) FROM " + name + " WHERE month = '04' AND year = '2025'")
	}
}

// Rule: a table that takes another one's place changes as much of every group as the terms' minimum,
// or nothing; the owner's machine compares it with all that was published before.
func TestPublicationsAreCompared(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	s := ParseSchema(t, firmsYAML)
	terms := OpenTerms()
	terms.MinGroup = 3
	table := func(csv string, key *ident.DatasetKey) (Publication, client.Earlier) {
		p := Publication{Owner: "kz", Schema: s, Layout: carnet.LayoutRecords, CSV: csv, Terms: &terms, Key: key}
		enc, err := s.Encode(p.Layout)
		require.NoError(t, err)
		census := cells.NewCensus(s, true)
		census.Remember()
		p.Name = "earlier"
		tables := n.load(t, p, enc, census)
		p.Name = ""
		return p, client.Earlier{Tables: tables, Census: census}
	}
	p, first := table(firms(2024, "03"), nil)
	one := n.Publish(t, p)
	publish := func(csv string, told bool, earlier ...client.Earlier) error {
		p, itself := table(csv, one.Key)
		prepared := n.Prepare(t, p)
		prepared.Restart, prepared.Earlier, prepared.ChangesTold, prepared.Census = true, earlier, told, itself.Census
		_, err := n.Client(t, "kz").Publish(Context(t), n.Identity("kz"), prepared)
		return err
	}
	reason := func(want string, err error) {
		t.Helper()
		require.Equal(t, want, carnet.ReasonOf(err), "%v", err)
	}
	more := firms(2024, "03") + "2024,01,27,F50,9\n"
	reason("EARLIER_NEEDED", publish(more, false))
	reason("CHANGE_TOO_SMALL", publish(more, false, first))
	_, other := table(more, one.Key)
	reason("EARLIER_DIFFERS", publish(more, false, other))
	reason("", publish(firms(2024, "03"), false, first))
	reason("EARLIER_NEEDED", publish(more, false, first))
	enough := more + "2024,01,27,F51,9\n2024,01,27,F52,9\n"
	reason("", publish(enough, false, first, first))
	_, third := table(enough, one.Key)
	reason("CHANGE_TOO_SMALL", publish(more, false, first, first, third))
	reason("", publish(more, true))
}

// Rule: what two buyers open can't be subtracted, and a gateway that journals everything
// changes nothing: every keyholder refuses the second question.
func TestAttackTwoBuyersSubtract(t *testing.T) {
	t.Parallel()
	const all, others = "SELECT SUM(value) FROM cube", "SELECT SUM(value) FROM cube WHERE owner <> 'kz'"
	company := func(_ int, p *Publication) {
		terms := OpenTerms()
		terms.MinOwners = 2
		p.Terms = &terms
	}
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube, company)
	require.NotEmpty(t, n.Ask(t, "buyer", "cube", all).Result.Rows)
	_, err := n.Client(t, "second").Ask(Context(t), n.Identity("second"), "cube", others, Purpose, 0)
	require.Equal(t, "OVERLAPS_RELEASED", carnet.ReasonOf(err), "%v", err)

	n = Start(t, Options{Policy: anything{}})
	publishTrade(t, n, carnet.LayoutCube, company)
	require.NotEmpty(t, n.Ask(t, "buyer", "cube", all).Result.Rows)
	a, err := n.Client(t, "second").Ask(Context(t), n.Identity("second"), "cube", others, Purpose, 0)
	require.NoError(t, err)
	_, err = n.Wait(t, a)
	require.Equal(t, "OVERLAPS_RELEASED", carnet.ReasonOf(err), "%v", err)
	n.refusedBy(t, a.Hash, "OVERLAPS_RELEASED")
}
