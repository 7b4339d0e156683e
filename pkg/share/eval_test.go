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
	column := func(o *owner, f functional.Factor, b, i int) *big.Int {
		v := new(big.Int)
		for _, c := range f.Plus {
			v.Add(v, x.SetUint64(o.values[c][b][i]))
		}
		for _, c := range f.Minus {
			v.Sub(v, x.SetUint64(o.values[c][b][i]))
		}
		return v
	}
	for k, o := range s.owners {
		for _, t := range f.Keys[k].Linear {
			for cell := range s.p.N() * testBlocks {
				if t.Cells == nil || slices.Contains(t.Cells, uint32(cell)) {
					sum.Add(sum, column(o, functional.Sum(t.Column), cell/s.p.N(), cell%s.p.N()))
				}
			}
		}
		for _, t := range f.Keys[k].Products {
			for cell := range s.p.N() * testBlocks {
				b, i := cell/s.p.N(), cell%s.p.N()
				y.SetInt64(1)
				for _, f := range t.Factors {
					y.Mul(y, column(o, f, b, i))
				}
				sum.Add(sum, y)
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
	factor := func(f functional.Factor, block int) (c0, a he.Poly) {
		c0, a = s.r.NewPoly(), s.r.NewPoly()
		for _, c := range f.Plus {
			s.r.Add(c0, o.c0[c][block], c0)
			s.r.Add(a, s.public(o, c, block), a)
		}
		for _, c := range f.Minus {
			s.r.Sub(c0, o.c0[c][block], c0)
			s.r.Sub(a, s.public(o, c, block), a)
		}
		return c0, a
	}
	for block := range testBlocks {
		for _, t := range f.Keys[k].Linear {
			c0, a := factor(functional.Sum(t.Column), block)
			s.r.Add(d[0], c0, d[0])
			s.r.Add(d[1], a, d[1])
		}
		for _, t := range f.Keys[k].Products {
			product := make([]he.Poly, 1, f.Degree+1)
			product[0] = s.one()
			for _, f := range t.Factors { // (sum_j p_j s^j) * (c0 + a*s)
				c0, a := factor(f, block)
				next := make([]he.Poly, len(product)+1)
				for j := range next {
					next[j] = s.r.NewPoly()
				}
				for j, p := range product {
					s.r.MulAdd(p, c0, next[j])
					s.r.MulAdd(p, a, next[j+1])
				}
				product = next
			}
			for j, p := range product {
				s.r.Add(d[j], p, d[j])
			}
		}
	}
	return d
}

// one is the polynomial 1 in the NTT domain.
func (s *system) one() he.Poly {
	p := s.r.NewPoly()
	for l := range p {
		for i := range p[l] {
			p[l][i] = 1
		}
	}
	return p
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
		var fields [][]byte
		for _, p := range d[1:] {
			fields = append(fields, wire.AppendPoly(nil, s.p, p))
		}
		hd[k] = carnet.Digest("carnet/HD/product/1", fields...)
	}
	return hd
}
