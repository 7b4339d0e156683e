package he

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkEncryptBlock reports values per second on one core.
func BenchmarkEncryptBlock(b *testing.B) {
	for _, p := range Profiles() {
		b.Run(p.Name(), func(b *testing.B) {
			r := NewRing(p)
			e, out := NewEncryptor(r, Seed{1}, [32]byte{2}), r.NewPoly()
			values := make([]uint64, p.N())
			for i := range values {
				values[i] = uint64(i) * 12345
			}
			for i := 0; b.Loop(); i++ {
				require.NoError(b, e.EncryptBlock(BlockID{Block: uint32(i)}, values, out))
			}
			b.ReportMetric(float64(p.N())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}

// BenchmarkPublicBlock is the expansion of the public half of a block.
func BenchmarkPublicBlock(b *testing.B) {
	p := Profiles()[2]
	r := NewRing(p)
	out := r.NewPoly()
	b.SetBytes(int64(p.BlockBytes()))
	for i := 0; b.Loop(); i++ {
		r.PublicBlock([32]byte{1}, BlockID{Block: uint32(i)}, out)
	}
}

// BenchmarkInnerConst is a keyholder's work for one opening of degree 2.
func BenchmarkInnerConst(b *testing.B) {
	r := NewRing(Profiles()[2])
	x, y := r.NewPoly(), r.NewPoly()
	r.Uniform([32]byte{1}, x)
	r.Uniform([32]byte{2}, y)
	for b.Loop() {
		r.InnerConst([]Poly{x, y}, []Poly{y, x})
	}
}
