package overlap

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// manyYears unites three owners with files of 13 years, over two dimensions of 128 and 64
// codes. need says how many owners a number about each has to combine.
func manyYears(t require.TestingT, need map[carnet.PartyID]int) *plan.Product {
	codes := func(n int) (out []schema.Code) {
		for i := range n {
			out = append(out, schema.Code{Value: fmt.Sprint(i)})
		}
		return out
	}
	s := &schema.Schema{
		Name: "trade", Version: 1, Limits: schema.Limits{Rows: 1000, Datasets: 5}, Layouts: []carnet.Layout{carnet.LayoutCube},
		Dimensions: []schema.Dimension{{Name: "a", Codes: codes(128)}, {Name: "b", Codes: codes(64)}},
		Measures:   []schema.Measure{{Name: "value", Min: "0", Max: "100"}},
		Partitions: []schema.Partition{{Name: "year"}},
	}
	e, err := s.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	profile, err := he.Lookup(e.Profile)
	require.NoError(t, err)
	committee, err := share.NewCommittee(5, 2)
	require.NoError(t, err)
	p := &plan.Product{ID: "kz/trade", Schema: s, Encoding: e, Profile: profile, Committee: committee}
	for i, owner := range owners[:3] {
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)}}
		m.Terms.MinOwners = need[owner]
		for y := range 13 {
			m.Files = append(m.Files, carnet.File{Nonce: carnet.Nonce{byte(i + 1), byte(y)}, Partition: map[string]string{"year": fmt.Sprint(2000 + y)}, Rows: 10, Columns: len(e.Columns), Blocks: e.Blocks(10)})
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1)}, Manifest: m})
	}
	return p
}

// mixed selects another set of so many years in every cell: year i where the code has bit i.
func mixed(years int, where string) string {
	var terms []string
	for y := range years {
		dim, size, bit := "a", 128, y
		if y >= 7 {
			dim, size, bit = "b", 64, y-7
		}
		var list []string
		for c := range size {
			if c>>bit&1 == 1 {
				list = append(list, fmt.Sprintf("'%d'", c))
			}
		}
		terms = append(terms, fmt.Sprintf("year = '%d' AND %s IN (%s)", 2000+y, dim, strings.Join(list, ", ")))
	}
	return "SELECT SUM(value) FROM trade WHERE (" + strings.Join(terms, " OR ") + ") AND " + where
}

// A number of which nearly every cell selects other files has more selections than are
// looked at. It is refused where somebody demands company, and else counts as if each of its
// files had been asked for by itself.
func TestNumbersOfTooManySelections(t *testing.T) {
	p, a := manyYears(t, everyone(2)), New([32]byte{1})
	require.Equal(t, "OVERLAP_NOT_COMPARED", admit(t, a, p, mixed(13, "owner <> 'uz'")))
	require.Equal(t, "OVERLAP_NOT_COMPARED", admit(t, a, p, mixed(13, "TRUE")))
	require.Equal(t, "OVERLAP_NOT_COMPARED", admit(t, a, p, "SELECT owner, SUM(value) "+strings.TrimPrefix(mixed(13, "TRUE"), "SELECT SUM(value) ")+" GROUP BY owner"))

	// What is free of terms is not refused, and not forgotten either.
	p, a = manyYears(t, map[carnet.PartyID]int{"uz": 2}), New([32]byte{1})
	require.Empty(t, admit(t, a, p, mixed(13, "owner IN ('kz', 'kg')")))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE year = '2003'"))
}

// Selections of who demands nothing are kept as what they span, however many there are.
func TestSelectionsAreThinned(t *testing.T) {
	p, a := manyYears(t, nil), New([32]byte{1})
	require.Empty(t, admit(t, a, p, mixed(12, "owner = 'kz'")))
	require.Len(t, a.anyLinked().patterns, 4095)
	require.Empty(t, admit(t, a, p, mixed(12, "owner IN ('kz', 'kg')")))
	require.LessOrEqual(t, len(a.anyLinked().patterns), 26)
	require.Empty(t, admit(t, a, p, mixed(12, "owner = 'kg'")))
	for i := range p.Datasets {
		if p.Datasets[i].Manifest.Owner == "uz" {
			p.Datasets[i].Manifest.Terms.MinOwners = 2
		}
	}
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, mixed(12, "owner IN ('kz', 'uz')")))
}

// Where nobody demands company nothing is refused, however much there is to look at.
func TestRoomWithoutDemands(t *testing.T) {
	a, l := New([32]byte{1}), many(40, 25, maxPatterns, rand.New(rand.NewPCG(1, 2)))
	space := &cells.Space{Weights: cells.NewWeights([]int{2}), Schema: &schema.Schema{}}
	for _, p := range l.patterns {
		n := number{kind: p.key()}
		for _, e := range p {
			n.parts = append(n.parts, counted{Part: cells.Part{Space: space, Weight: 1}, place: e.place})
		}
		if l.numbers = append(l.numbers, n); len(l.numbers) == 2 {
			break
		}
	}
	l.whole = l.patterns
	require.NoError(t, a.fit(l, &asked{most: 1, room: maxRoom}, nil, nil))
}

// What is too complex to be read is refused where somebody demands company. Where nobody does
// it was answered, maybe long before it is read, and counts as everything of its files.
func TestWhatCantBeRead(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, map[carnet.PartyID]int{"uz": 2}), New([32]byte{1})
	a.runs = 5
	require.Equal(t, "SELECTION_TOO_COMPLEX", admit(t, a, p, "SELECT month, SUM(value) FROM trade GROUP BY month"))
	require.Empty(t, a.places)
	require.Empty(t, admit(t, a, p, "SELECT month, SUM(value) FROM trade WHERE owner IN ('kz', 'kg') GROUP BY month"))
	a.runs = maxRuns
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 1 AND owner <> 'cn'"))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 1"))
}
