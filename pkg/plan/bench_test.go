package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// wide is a product of real size, manifests only: a dimension of 97 chapters, 200
// partners and 12 months, monthly files of several owners.
func wide(b *testing.B, l carnet.Layout, owners int, rows int64) *Product {
	s := &schema.Schema{Name: "wide", Version: 1, Layouts: []carnet.Layout{l}, Limits: schema.Limits{Rows: 1 << 20, Datasets: 16},
		Measures:   []schema.Measure{{Name: "value", Scale: 2, Min: "0", Max: "1000000"}, {Name: "weight", Min: "0", Max: "1000000", Nullable: true}},
		Partitions: []schema.Partition{{Name: "year"}}}
	for _, d := range []struct {
		name string
		n    int
	}{{"chapter", 97}, {"partner", 200}, {"month", 12}} {
		var list []schema.Code
		for i := range d.n {
			list = append(list, schema.Code{Value: fmt.Sprint(i + 1)})
		}
		s.Dimensions = append(s.Dimensions, schema.Dimension{Name: d.name, Codes: list})
	}
	e, err := s.Encode(l)
	require.NoError(b, err)
	p := &Product{ID: "acme/trade", Schema: s, Encoding: e}
	p.Profile, err = he.Lookup(e.Profile)
	require.NoError(b, err)
	p.Committee, err = share.NewCommittee(5, 3)
	require.NoError(b, err)
	for i := range owners {
		m := carnet.Dataset{ID: carnet.DatasetID(fmt.Sprint(i)), Owner: carnet.PartyID(fmt.Sprint(i)), Jurisdiction: "DE", Layout: l, Profile: e.Profile, Key: carnet.KeyID{byte(i)}}
		for y := range 8 {
			m.Files = append(m.Files, carnet.File{Nonce: carnet.Nonce{byte(i), byte(y)}, Partition: map[string]string{"year": fmt.Sprint(2017 + y)}, Rows: rows, Columns: len(e.Columns), Blocks: e.Blocks(rows)})
		}
		p.Datasets = append(p.Datasets, Dataset{Hash: carnet.Hash{byte(i)}, Manifest: m})
	}
	return p
}

func BenchmarkCompile(b *testing.B) {
	cube, records := wide(b, carnet.LayoutCube, 10, 100_000), wide(b, carnet.LayoutRecords, 10, 100_000)
	for _, c := range []struct {
		name string
		p    *Product
		sql  string
	}{
		{"cube/total", cube, "SELECT COUNT(*), SUM(value), AVG(weight) FROM trade"},
		{"cube/groups", cube, "SELECT chapter, month, SUM(value) FROM trade WHERE partner BETWEEN 10 AND 50 GROUP BY chapter, month"},
		{"records/total", records, "SELECT COUNT(*), SUM(value), AVG(weight) FROM trade"},
		{"records/groups", records, "SELECT partner, SUM(value), AVG(weight) FROM trade GROUP BY partner"},
		{"records/pairs", records, "SELECT chapter, month, COUNT(*) FROM trade GROUP BY chapter, month"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, err := Compile(c.sql, c.p)
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkCubeGroups is GROUP BY 1,000 groups of a cube of 1M cells, five aggregates
// over four files of two owners.
func BenchmarkCubeGroups(b *testing.B) {
	p := million(b, 1000, 1000)
	for name, by := range map[string]string{"outer": "a", "inner": "b"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				plan, err := Compile("SELECT "+by+", COUNT(*), SUM(x), AVG(y), SUM(z) FROM big GROUP BY "+by, p)
				require.NoError(b, err)
				require.Len(b, plan.Groups, 1000)
			}
		})
	}
}

// million is a product of two cubes of two dimensions, two years each, manifests only.
func million(t testing.TB, a, b int) *Product {
	s := &schema.Schema{Name: "big", Version: 1, Layouts: []carnet.Layout{carnet.LayoutCube}, Limits: schema.Limits{Rows: 1 << 20, Datasets: 2},
		Measures:   []schema.Measure{{Name: "x", Min: "-1000", Max: "1000"}, {Name: "y", Min: "0", Max: "1000"}, {Name: "z", Min: "0", Max: "9"}},
		Partitions: []schema.Partition{{Name: "year"}}}
	for name, n := range map[string]int{"a": a, "b": b} {
		d := schema.Dimension{Name: name}
		for i := range n {
			d.Codes = append(d.Codes, schema.Code{Value: fmt.Sprint(i)})
		}
		s.Dimensions = append(s.Dimensions, d)
	}
	slices.SortFunc(s.Dimensions, func(x, y schema.Dimension) int { return strings.Compare(x.Name, y.Name) })
	e, err := s.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	p := &Product{ID: "acme/big", Schema: s, Encoding: e}
	p.Profile, err = he.Lookup(e.Profile)
	require.NoError(t, err)
	p.Committee, err = share.NewCommittee(5, 3)
	require.NoError(t, err)
	for i := range 2 {
		m := carnet.Dataset{ID: carnet.DatasetID(fmt.Sprint(i)), Owner: carnet.PartyID(fmt.Sprint(i)), Jurisdiction: "DE", Layout: carnet.LayoutCube, Profile: e.Profile, Key: carnet.KeyID{byte(i)}}
		for y := range 2 {
			m.Files = append(m.Files, carnet.File{Nonce: carnet.Nonce{byte(i), byte(y)}, Partition: map[string]string{"year": fmt.Sprint(2017 + y)}, Rows: 1000, Columns: len(e.Columns), Blocks: e.Blocks(1000)})
		}
		p.Datasets = append(p.Datasets, Dataset{Hash: carnet.Hash{byte(i)}, Manifest: m})
	}
	return p
}
