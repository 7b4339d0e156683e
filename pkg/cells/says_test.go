package cells

import (
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// What columns say is the same in all layouts and scales: the digits of a measure, each times its
// place value, are its number, the digits of its square that number squared, and so
// are products of digits.
func TestSays(t *testing.T) {
	const prime = 1<<61 + 15
	x := uint64(3)
	p := NewPoints(prime, 3, func() uint64 { x = x*0x9e3779b97f4a7c15 + 1; return x })
	form := func(layout carnet.Layout, scale int, nullable bool) *Form {
		bound := new(big.Int).Exp(big.NewInt(10), big.NewInt(14), nil).String()
		s := &schema.Schema{Name: "t" + strconv.Itoa(scale), Version: 1, Limits: schema.Limits{Rows: 100_000, Datasets: 4}, Layouts: []carnet.Layout{layout},
			Dimensions: []schema.Dimension{{Name: "d", Codes: []schema.Code{{Value: "1"}, {Value: "2"}}}},
			Measures:   []schema.Measure{{Name: "value", Unit: "USD", Scale: scale, Min: "-" + bound, Max: bound, Squares: layout == carnet.LayoutCube, Nullable: nullable}}}
		e, err := s.Encode(layout)
		require.NoError(t, err)
		return &Form{e, s.Hash()}
	}
	power := func(base, n int64) *big.Int { return new(big.Int).Exp(big.NewInt(base), big.NewInt(n), nil) }
	// total adds up an atom in units, as a buyer does with what is opened.
	total := func(f *Form, quantities map[string]uint, scale int) []uint64 {
		out := make([]uint64, 3)
		unit := p.inverse(p.constant(power(10, int64(scale))))
		for q, shift := range quantities {
			for k, v := range p.Says(&Part{Quantity: q, Forms: [2]*Form{f}}) {
				out[k] = (out[k] + Product(Product(v, p.constant(power(2, int64(shift))), prime), unit, prime)) % prime
			}
		}
		return out
	}
	digits := func(f *Form, a schema.Atom) map[string]uint {
		out := map[string]uint{}
		for _, c := range f.Digits(a) {
			out["."+strconv.Itoa(int(c.ID))] = c.Shift
		}
		return out
	}
	sum, square := schema.Atom{Kind: schema.Sum, X: "value"}, schema.Atom{Kind: schema.Square, X: "value"}
	cube, cents, records := form(carnet.LayoutCube, 0, false), form(carnet.LayoutCube, 2, true), form(carnet.LayoutRecords, 2, false)
	require.Greater(t, len(records.Digits(sum)), 2, "the second digit counts by its place")
	value := total(cube, digits(cube, sum), 0)
	require.Equal(t, value, total(cents, digits(cents, sum), 2))
	require.Equal(t, value, total(records, digits(records, sum), 2))
	squared := p.times(value, value)
	require.Equal(t, squared, total(cube, digits(cube, square), 0))
	products := map[string]uint{}
	for _, a := range records.Digits(sum) {
		for _, b := range records.Digits(sum) {
			products["."+strconv.Itoa(int(a.ID))+"."+strconv.Itoa(int(b.ID))] = a.Shift + b.Shift
		}
	}
	require.Equal(t, squared, total(records, products, 4))
	// A digit by itself says something else, and so does whether there is a value.
	for q := range digits(records, sum) {
		require.NotEqual(t, value, p.Says(&Part{Quantity: q, Forms: [2]*Form{records}}))
	}
	there := digits(cents, schema.Atom{Kind: schema.NotNull, X: "value"})
	require.Len(t, there, 1)
	for q := range there {
		require.NotEqual(t, p.ones(), p.Says(&Part{Quantity: q, Forms: [2]*Form{cents}}))
		for d := range digits(cents, sum) {
			require.Equal(t, p.Says(&Part{Quantity: d, Forms: [2]*Form{cents}}), p.Says(&Part{Quantity: q + d, Forms: [2]*Form{cents}}))
		}
	}
	require.Equal(t, p.ones(), p.Says(&Part{Forms: [2]*Form{cube}}))
	require.Equal(t, p.times(p.ones(), p.Says(&Part{Quantity: ".1", Forms: [2]*Form{cube}})),
		p.Says(&Part{Quantity: "|.1", Forms: [2]*Form{cube, cube}}), "both sides of a product across files")
}
