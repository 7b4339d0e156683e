package plain_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
)

type columns map[he.BlockID][]uint64

func (c columns) Values(id he.BlockID) ([]uint64, error) {
	if vs, ok := c[id]; ok {
		return vs, nil
	}
	return nil, errors.New("no such block")
}

func profile(t *testing.T, e he.Encoding) *he.Profile {
	degree := 2
	if e == he.Coefficients {
		degree = 1
	}
	p, err := he.NewProfile(he.Literal{Name: "test", LogN: 4, Limbs: 2, LimbBits: 40, TBits: 20, MaxDegree: degree, Encoding: e})
	require.NoError(t, err)
	return p
}

func TestEval(t *testing.T) {
	file, key := carnet.Nonce{1}, carnet.KeyID{2}
	linear := func(cells []uint32) *functional.Functional {
		return &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: key, Linear: []functional.Linear{{File: file, Column: 1, Blocks: 2, Cells: cells}}}}}
	}
	product := &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Key: key, Products: []functional.Product{{File: file, Blocks: 2, Factors: []functional.Factor{functional.Sum(1, 2), functional.Sum(3)}}}}}}
	slots, cells := profile(t, he.Slots), profile(t, he.Coefficients)
	big := slots.T() - 1 // -1
	src := columns{
		{File: file, Column: 1, Block: 0}: {1, 2, big},
		{File: file, Column: 1, Block: 1}: {10},
		{File: file, Column: 2, Block: 0}: {0, 0, 5, 6},
		{File: file, Column: 2, Block: 1}: {},
		{File: file, Column: 3, Block: 0}: {7, big, big},
		{File: file, Column: 3, Block: 1}: {3},
	}
	v, err := plain.Eval(slots, linear(nil), src)
	require.NoError(t, err)
	require.EqualValues(t, 12, v)
	v, err = plain.Eval(cells, linear([]uint32{1, 2, 3, 16, 31}), src)
	require.NoError(t, err)
	require.EqualValues(t, 11, v)
	v, err = plain.Eval(slots, product, src)
	require.NoError(t, err)
	require.EqualValues(t, 7-2-4+30, v)

	for _, f := range []func() (uint64, error){
		func() (uint64, error) { return plain.Eval(slots, linear([]uint32{1}), src) },
		func() (uint64, error) { return plain.Eval(cells, linear(nil), src) },
		func() (uint64, error) { return plain.Eval(cells, product, src) },
		func() (uint64, error) { return plain.Eval(slots, &functional.Functional{Degree: 1}, src) },
	} {
		_, err := f()
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err))
	}
	_, err = plain.Eval(slots, linear(nil), columns{})
	require.ErrorContains(t, err, "no such block")
}
