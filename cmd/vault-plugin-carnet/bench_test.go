package main

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/local"
	"github.com/carnet-network/carnet/pkg/scan"
)

// BenchmarkAnswer is what an answer over two owners takes in the engine and in this
// process, derivation left out; ms/number is per number opened. Run it with
// go test -run '^$' -bench Answer .
func BenchmarkAnswer(b *testing.B) {
	v := install(b, "v1.0.0")
	m, err := keystest.NewMemory(rand.Reader)
	require.NoError(b, err)
	engine := v.sharer(b, v.enable(b, "v1.0.0", keystest.NewPerson("buyer").Public()))
	for _, c := range []struct {
		name   string
		layout carnet.Layout
		sql    string
	}{
		{"sums", carnet.LayoutCube, `SELECT month, partner, COUNT(*), SUM(value) FROM trade GROUP BY month, partner`},
		{"products", carnet.LayoutRecords, `SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month`},
	} {
		for name, s := range map[string]keys.Sharer{
			"process": local.New(m, local.Options{Scan: scan.Options{Workers: 1}, Cubes: scan.NewCubes(64 << 20)}), "engine": engine} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				n := keystest.NewNetwork(b, s.SealingKey(), c.layout, 2, false)
				n.Accept(b, s)
				r := n.Ask(c.sql)
				parts, ids := map[int][]keys.Part{}, n.IDs(r, 0)
				for i, f := range r.Plan.Functionals() {
					if f.Degree > 1 {
						parts[i] = n.Parts(r, i, 0)
					}
				}
				for b.Loop() {
					session, err := s.Open(b.Context(), r)
					require.NoError(b, err)
					for i := range r.Plan.Functionals() {
						if parts[i] != nil {
							require.NoError(b, session.Product(b.Context(), i, parts[i]))
						}
					}
					_, err = session.Seal(b.Context(), ids)
					require.NoError(b, err)
					session.Close()
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N)/float64(len(r.Plan.Openings)), "ms/number")
			})
		}
	}
}
