package overlap

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
)

// again is the same product published once more: other datasets and files of the same
// owners, schema and partitions.
func again(t require.TestingT, p *plan.Product, layout carnet.Layout, version byte) *plan.Product {
	out := *p
	e, err := p.Schema.Encode(layout)
	require.NoError(t, err)
	out.Encoding = e
	out.Profile, err = he.Lookup(e.Profile)
	require.NoError(t, err)
	out.Datasets = nil
	for i, d := range p.Datasets {
		m := d.Manifest
		m.ID, m.Layout, m.Profile, m.Key = m.ID+carnet.DatasetID(fmt.Sprint(version)), layout, e.Profile, carnet.KeyID{byte(i + 1), version}
		m.Files = append([]carnet.File(nil), m.Files...)
		for j := range m.Files {
			f := &m.Files[j]
			f.Nonce[2], f.Columns, f.Blocks = version, len(e.Columns), e.Blocks(10)
		}
		out.Datasets = append(out.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1), version}, Manifest: m})
	}
	return &out
}

// TestAttackSameRows: the same rows in another layout, another version or another dataset
// give no way around: all owners in the one, all but one in the other.
func TestAttackSameRows(t *testing.T) {
	const no = "OVERLAPS_RELEASED"
	for _, layouts := range [][2]carnet.Layout{{carnet.LayoutCube, carnet.LayoutRecords}, {carnet.LayoutRecords, carnet.LayoutCube},
		{carnet.LayoutCube, carnet.LayoutCube}, {carnet.LayoutRecords, carnet.LayoutRecords}} {
		t.Run(fmt.Sprint(layouts), func(t *testing.T) {
			first := union(t, layouts[0], everyone(2))
			second := again(t, first, layouts[1], 2)
			a := New([32]byte{1})
			require.Empty(t, admit(t, a, first, "SELECT SUM(value) FROM trade"))
			require.Equal(t, no, admit(t, a, second, "SELECT SUM(value) FROM trade WHERE owner <> 'uz'"))
			require.Empty(t, admit(t, a, second, "SELECT SUM(value) FROM trade"), "the same of all is no news")
			require.Empty(t, admit(t, a, second, "SELECT month, SUM(value) FROM trade GROUP BY month"))
			require.Equal(t, no, admit(t, a, first, "SELECT SUM(value) FROM trade WHERE month = 2 AND owner <> 'kz'"))
			require.Empty(t, admit(t, a, first, "SELECT SUM(value) FROM trade WHERE month = 2 AND owner IN ('kz', 'kg')"))
			require.Empty(t, admit(t, a, second, "SELECT SUM(value) FROM trade WHERE month = 2 AND owner IN ('uz', 'kg')"))
			require.Equal(t, no, admit(t, a, first, "SELECT SUM(value) FROM trade WHERE month = 2 AND owner IN ('kz', 'uz')"), "an odd circle")

			// By cells: what the one has of all and the other of all but one are different months.
			b := New([32]byte{2})
			require.Empty(t, admit(t, b, first, "SELECT SUM(value) FROM trade WHERE month = 1"))
			require.Empty(t, admit(t, b, second, "SELECT SUM(value) FROM trade WHERE month = 2 AND owner <> 'uz'"))
			require.Equal(t, no, admit(t, b, second, "SELECT SUM(value) FROM trade WHERE month < 3 AND owner <> 'uz'"))
			require.Equal(t, no, admit(t, b, second, "SELECT VAR_POP(value) FROM trade WHERE month = 1 AND owner <> 'uz'"))
			require.Equal(t, no, admit(t, b, first, "SELECT COUNT(*) FROM trade WHERE month = 2"), "the count came with the sum")
		})
	}
}

// One version that changes by itself is told apart; a dataset of other years is another table.
func TestVersions(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade"))
	next := again(t, p, carnet.LayoutCube, 2)
	mixed := *p
	mixed.Datasets = append([]plan.Dataset{next.Datasets[0]}, p.Datasets[1:]...)
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, &mixed, "SELECT SUM(value) FROM trade"))
	later := again(t, p, carnet.LayoutCube, 3)
	for i := range later.Datasets {
		for j := range later.Datasets[i].Manifest.Files {
			later.Datasets[i].Manifest.Files[j].Partition = map[string]string{"year": fmt.Sprint(2030 + j)}
		}
	}
	require.Empty(t, admit(t, a, later, "SELECT SUM(value) FROM trade WHERE owner <> 'uz'"))
}

// Terms are about their dataset: what an owner publishes without a condition can be asked by
// itself, but makes up for what it has in common with one that has a condition.
func TestOtherTerms(t *testing.T) {
	strict := union(t, carnet.LayoutCube, everyone(2))
	free := again(t, union(t, carnet.LayoutRecords, nil), carnet.LayoutRecords, 2)
	a := New([32]byte{1})
	require.Empty(t, admit(t, a, free, "SELECT SUM(value) FROM trade WHERE owner = 'kz'"))
	require.Empty(t, admit(t, a, free, "SELECT SUM(value) FROM trade WHERE owner = 'kz' AND month = 1"))
	require.Empty(t, admit(t, a, strict, "SELECT SUM(value) FROM trade WHERE owner IN ('kg', 'uz')"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, strict, "SELECT SUM(value) FROM trade WHERE owner IN ('kz', 'uz')"), "less kz's, it is uz's")
	require.Empty(t, admit(t, a, free, "SELECT month, SUM(value) FROM trade WHERE owner = 'kz' AND year = 2024 GROUP BY month"))
	b := New([32]byte{1})
	require.Empty(t, admit(t, b, strict, "SELECT SUM(value) FROM trade"))
	require.Empty(t, admit(t, b, free, "SELECT SUM(value) FROM trade WHERE owner = 'kz'"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, b, free, "SELECT SUM(value) FROM trade WHERE owner IN ('kg', 'uz')"), "less these, all is cn's")
}

// Schemas that differ have the same rows as far as dimensions and measures have the
// same names and codes, as the two tables of the demo.
func TestOtherSchemas(t *testing.T) {
	cube := customs(t)
	text, err := os.ReadFile("../../examples/customs/records.yaml")
	require.NoError(t, err)
	s, err := schema.Parse("records.yaml", text)
	require.NoError(t, err)
	like := *cube
	like.Schema = s
	records := again(t, &like, carnet.LayoutRecords, 2)
	a := New([32]byte{1})
	require.Empty(t, admit(t, a, cube, "SELECT SUM(value), AVG(weight) FROM trade WHERE partner = 'CN'"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, records, "SELECT SUM(value) FROM trade WHERE partner = 'CN' AND owner <> 'uz'"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, records, "SELECT COUNT(weight) FROM trade WHERE partner = 'CN' AND owner <> 'uz'"))
	require.Empty(t, admit(t, a, records, "SELECT SUM(value) FROM trade WHERE section = '01' AND owner <> 'uz'"))
	require.Empty(t, admit(t, a, records, "SELECT SUM(value), AVG(weight) FROM trade WHERE partner = 'CN'"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, cube, "SELECT month, SUM(value) FROM trade WHERE partner = 'CN' AND owner <> 'uz' GROUP BY month"))
}
