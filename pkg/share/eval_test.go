package share

import (
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/scan"
)

// TestContentsAgreeWithScan: the evaluation below is the plainest possible; package
// scan, which is used for real, names the same contents.
func TestContentsAgreeWithScan(t *testing.T) {
	s := newSystem(t, smallRecords, 1, 1, 0)
	f := s.product([]uint32{0, 1}, []uint32{2})
	d := s.parts(0, f)
	require.Equal(t, s.contents(f)[0], scan.HashProduct(s.r, d[1], d[2]))
}

// plain is the value of the functional modulo T.
func (s *system) plain(f *functional.Functional) uint64 {
	sum, x, y := new(big.Int), new(big.Int), new(big.Int)
	column := func(o *owner, cs []uint32, b, i int) *big.Int {
		v := new(big.Int)
		for _, c := range cs {
			v.Add(v, x.SetUint64(o.values[c][b][i]))
		}
		return v
	}
	for k, o := range s.owners {
		for _, t := range f.Keys[k].Linear {
			for cell := range s.p.N() * testBlocks {
				if t.Cells == nil || slices.Contains(t.Cells, uint32(cell)) {
					sum.Add(sum, column(o, []uint32{t.Column}, cell/s.p.N(), cell%s.p.N()))
				}
			}
		}
		for _, t := range f.Keys[k].Products {
			for cell := range s.p.N() * testBlocks {
				b, i := cell/s.p.N(), cell%s.p.N()
				sum.Add(sum, y.Mul(column(o, t.Factors[0].Plus, b, i), column(o, t.Factors[1].Plus, b, i)))
			}
		}
	}
	return sum.Mod(sum, x.SetUint64(s.p.T())).Uint64()
}

func (s *system) public(o *owner, column uint32, block int) he.Poly {
	a := s.r.NewPoly()
	s.r.PublicBlock(o.key, he.BlockID{File: o.file, Column: column, Block: uint32(block)}, a)
	return a
}

// parts returns D_0..D_d of one key for whole blocks.
func (s *system) parts(k int, f *functional.Functional) []he.Poly {
	o := s.owners[k]
	d := make([]he.Poly, f.Degree+1)
	for i := range d {
		d[i] = s.r.NewPoly()
	}
	factor := func(cs []uint32, block int) (c0, a he.Poly) {
		c0, a = s.r.NewPoly(), s.r.NewPoly()
		for _, c := range cs {
			s.r.Add(c0, o.c0[c][block], c0)
			s.r.Add(a, s.public(o, c, block), a)
		}
		return c0, a
	}
	for block := range testBlocks {
		for _, t := range f.Keys[k].Linear {
			c0, a := factor([]uint32{t.Column}, block)
			s.r.Add(d[0], c0, d[0])
			s.r.Add(d[1], a, d[1])
		}
		for _, t := range f.Keys[k].Products {
			x0, x1 := factor(t.Factors[0].Plus, block)
			y0, y1 := factor(t.Factors[1].Plus, block)
			s.r.MulAdd(x0, y0, d[0])
			s.r.MulAdd(x0, y1, d[1])
			s.r.MulAdd(x1, y0, d[1])
			s.r.MulAdd(x1, y1, d[2])
		}
	}
	return d
}

// inner is the opened coefficient of sum_j D_j*w_j for owner k, with D_0 or without.
func (s *system) inner(k int, f *functional.Functional, w func(j int) he.Poly, withD0 bool) (sum he.Scalar) {
	if s.p.Encoding() == he.Coefficients {
		o := s.owners[k]
		for _, t := range f.Keys[k].Linear {
			for block := range testBlocks {
				g := s.r.NewPoly()
				s.r.MulAdd(s.public(o, t.Column, block), w(1), g)
				if withD0 {
					s.r.Add(g, o.c0[t.Column][block], g)
				}
				s.r.INTT(g)
				for _, cell := range t.Cells {
					if int(cell)/s.p.N() == block {
						var v he.Scalar
						for l := range g {
							v[l] = g[l][int(cell)%s.p.N()]
						}
						sum = s.r.ScalarAdd(sum, v)
					}
				}
			}
		}
		return sum
	}
	d := s.parts(k, f)
	if withD0 {
		sum = s.r.Const(d[0])
	}
	for j := 1; j <= f.Degree; j++ {
		sum = s.r.ScalarAdd(sum, s.r.InnerConst([]he.Poly{d[j]}, []he.Poly{w(j)}))
	}
	return sum
}

// contents returns H_D of every key.
func (s *system) contents(f *functional.Functional) []carnet.Hash {
	hd := make([]carnet.Hash, len(f.Keys))
	for k := range f.Keys {
		if f.Degree == 1 {
			hd[k] = f.Keys[k].LinearHash(s.p.N())
			continue
		}
		d := s.parts(k, f)
		hd[k] = carnet.Digest("carnet/HD/product/1", wire.AppendPoly(nil, s.p, d[1]), wire.AppendPoly(nil, s.p, d[2]))
	}
	return hd
}
