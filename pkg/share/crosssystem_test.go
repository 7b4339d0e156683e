package share

import (
	"context"
	"math/big"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// cross is a term of a column of one owner and a column of another.
func (s *system) cross(x, y int, left, right functional.Factor) functional.Cross {
	side := func(i int, f functional.Factor) functional.CrossFactor {
		return functional.CrossFactor{Key: s.owners[i].key, File: s.owners[i].file, Factor: f}
	}
	return functional.Cross{Left: side(x, left), Right: side(y, right), Blocks: testBlocks, Weight: 1}
}

// squaredDifferences takes column 0 for ones, 1 for numbers and 2 for their squares.
func (s *system) squaredDifferences(x, y int) []functional.Cross {
	mixed := s.cross(x, y, functional.Sum(1), functional.Sum(1))
	mixed.Weight = -2
	return []functional.Cross{s.cross(x, y, functional.Sum(2), functional.Sum(0)), mixed, s.cross(x, y, functional.Sum(0), functional.Sum(2))}
}

// plainCross is the value of a functional across keys modulo T, in plain integers.
func (s *system) plainCross(f *functional.Functional) uint64 {
	sum := new(big.Int)
	number := func(x *functional.CrossFactor, block, i int) *big.Int {
		v := new(big.Int)
		for _, o := range s.owners {
			if o.key != x.Key {
				continue
			}
			for _, c := range x.Factor.Plus {
				v.Add(v, new(big.Int).SetUint64(o.values[c][block][i]))
			}
			for _, c := range x.Factor.Minus {
				v.Sub(v, new(big.Int).SetUint64(o.values[c][block][i]))
			}
		}
		return v
	}
	for i := range f.Cross {
		t := &f.Cross[i]
		for cell := range testBlocks * s.p.N() {
			v := number(&t.Left, cell/s.p.N(), cell%s.p.N())
			v.Mul(v, number(&t.Right, cell/s.p.N(), cell%s.p.N()))
			sum.Add(sum, v.Mul(v, big.NewInt(int64(t.Weight))))
		}
	}
	return sum.Mod(sum, new(big.Int).SetUint64(s.p.T())).Uint64()
}

// chunks are the stored halves of all owners.
func (s *system) chunks() scan.Chunks {
	m := scan.NewMemory(s.p)
	for _, o := range s.owners {
		for c := range o.c0 {
			for b, c0 := range o.c0[c] {
				m.Put(he.BlockID{File: o.file, Column: uint32(c), Block: uint32(b)}, testBlocks, c0)
			}
		}
	}
	return m
}

func (s *system) crossParts(f *functional.Functional) (out *scan.CrossParts) {
	require.NoError(s.t, scan.Cross(context.Background(), s.r, []*functional.Functional{f}, s.chunks(), scan.Options{}, func(_ int, parts *scan.CrossParts) error {
		out = parts
		return nil
	}))
	return out
}

// corrections are those of the first power.
func (s *system) corrections() map[carnet.KeyID]he.Poly {
	out := map[carnet.KeyID]he.Poly{}
	for _, o := range s.owners {
		out[o.key] = o.deal.Corrections[0]
	}
	return out
}

// crossing is one opening across keys, and what everybody computes for it.
type crossing struct {
	s     *system
	f     *functional.Functional
	parts *scan.CrossParts
	id    carnet.Hash
	bound *big.Int
	k     int
}

func (s *system) crossing(terms ...functional.Cross) *crossing {
	x := &crossing{s: s, f: functional.Across(terms...)}
	x.parts = s.crossParts(x.f)
	x.bound = NoiseBound(s.p, x.f.Degree, Terms(x.f))
	var err error
	x.k, _, err = FloodBits(s.p, s.c, 0, x.bound)
	require.NoError(s.t, err)
	x.id = FunctionalID(s.p, x.f, x.k, nil, x.parts.Contents(s.r))
	return x
}

// responder is keyholder i's, from the bytes it was sent, and what its shares make of the
// parts.
func (x *crossing) responder(i int) (*CrossResponder, he.Scalar) {
	all, _ := x.s.keyholder(i)
	var keys []*KeyShare
	shares := map[carnet.KeyID]he.Poly{}
	for _, k := range all {
		for _, key := range x.parts.Keys {
			if k.Key() == key {
				keys, shares[key] = append(keys, k), k.Power(1)
			}
		}
	}
	return must(NewCrossResponder(x.s.r, x.s.c, i, keys)), x.parts.Share(x.s.r, shares, x.s.corrections())
}

func (x *crossing) answers() (out []Answer) {
	for i := 1; i <= x.s.c.N; i++ {
		rs, value := x.responder(i)
		out = append(out, Answer{i, rs.Respond(x.id, x.k, nil, value)})
	}
	return out
}

// combine is CombineCross for one opening.
func (x *crossing) combine(answers []Answer) (he.Scalar, []int, error) {
	var numbers []int
	var values [][]he.Scalar
	for _, a := range answers {
		numbers, values = append(numbers, a.Number), append(values, []he.Scalar{a.Value})
	}
	sums, liars, _, _, err := CombineCross(x.s.r, x.s.c, numbers, values)
	if err != nil {
		return he.Scalar{}, nil, err
	}
	return sums[0], liars, nil
}

// total is what the buyer decodes.
func (x *crossing) total(answers []Answer) he.Scalar {
	sum, liars, err := x.combine(answers)
	require.NoError(x.s.t, err)
	require.Empty(x.s.t, liars)
	return x.s.r.ScalarAdd(sum, x.parts.Value(x.s.r, x.s.corrections()))
}
