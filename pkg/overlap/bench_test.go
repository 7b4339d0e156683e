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
	"github.com/carnet-network/carnet/pkg/share"
)

// customs unites three owners under the schema of the demo.
func customs(t require.TestingT) *plan.Product {
	text, err := os.ReadFile("../../examples/customs/cube.yaml")
	require.NoError(t, err)
	s, err := schema.Parse("cube.yaml", text)
	require.NoError(t, err)
	e, err := s.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	profile, err := he.Lookup(e.Profile)
	require.NoError(t, err)
	committee, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	p := &plan.Product{ID: "kz/trade", Schema: s, Encoding: e, Profile: profile, Committee: committee}
	for i, owner := range owners[:3] {
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)}}
		m.Terms.MinOwners = 2
		m.Files = []carnet.File{{Nonce: carnet.Nonce{byte(i + 1)}, Rows: 1000, Columns: len(e.Columns), Blocks: e.Blocks(1000)}}
		if len(s.Partitions) > 0 {
			m.Files[0].Partition = map[string]string{}
			for _, x := range s.Partitions {
				m.Files[0].Partition[x.Name] = "2025"
			}
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1)}, Manifest: m})
	}
	return p
}

// Admission of a query over the cube of the demo: by patterns, and by numbers.
func BenchmarkAdmit(b *testing.B) {
	p := customs(b)
	compiled, err := plan.Compile("SELECT partner, month, SUM(value), AVG(value) FROM trade GROUP BY partner, month", p)
	require.NoError(b, err)
	few, err := plan.Compile("SELECT chapter, month, COUNT(*) FROM trade WHERE month <= '02' OR owner <> 'kz' AND month <= '04' GROUP BY chapter, month", p)
	require.NoError(b, err)
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			_, err := plan.Compile("SELECT partner, month, SUM(value), AVG(value) FROM trade GROUP BY partner, month", p)
			require.NoError(b, err)
		}
	})
	b.Run("patterns", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, New([32]byte{1}).Admit(compiled))
		}
		b.ReportMetric(float64(len(compiled.Openings)), "numbers")
	})
	b.Run("gateway", func(b *testing.B) { // looked at, then admitted, beside others
		a := New([32]byte{1})
		require.NoError(b, a.Admit(compiled))
		for i := range 20 {
			p, err := plan.Compile(fmt.Sprintf("SELECT chapter, partner, SUM(value) FROM trade WHERE month = '%02d' AND chapter > '%02d' GROUP BY chapter, partner", i%12+1, 70+i), p)
			require.NoError(b, err)
			require.NoError(b, a.Admit(p))
		}
		var more []*plan.Plan
		for b.Loop() {
			b.StopTimer()
			if len(more) == 0 {
				for i := range 76 {
					p, err := plan.Compile(fmt.Sprintf("SELECT partner, month, SUM(value), AVG(value) FROM trade WHERE chapter <> '%02d' GROUP BY partner, month", i+1), p)
					require.NoError(b, err)
					more = append(more, p)
				}
			}
			p := more[0]
			more = more[1:]
			b.StartTimer()
			require.NoError(b, a.Check(p))
			require.NoError(b, a.Admit(p))
		}
		b.ReportMetric(float64(len(compiled.Openings)), "numbers")
	})
	b.Run("numbers", func(b *testing.B) {
		for b.Loop() {
			a := New([32]byte{1})
			require.NoError(b, a.Admit(few))
			require.True(b, a.anyLinked().split)
		}
		b.ReportMetric(float64(len(few.Openings)), "numbers")
	})
}
