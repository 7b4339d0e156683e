package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// What a refusal for overflow names was worked out: the columns that a stored product
// takes, the encoding and profile in which the result fits, and no formula that no
// schema could declare.
func TestOverflowNamesWhatFits(t *testing.T) {
	s := lines()
	s.Measures = []schema.Measure{{Name: "price", Max: "40000", Min: "0"}, {Name: "tax", Min: "0", Max: "1000000", Nullable: true}, {Name: "id", Min: "0", Max: "99999999"}}
	s.Degree = 4
	require.NoError(t, s.Validate())
	owners := shipped(700)
	for i := range owners[0].rows {
		r := &owners[0].rows[i]
		r.Measures, r.Null = append(r.Measures, int64(i)), append(r.Null, false)
	}
	b := newProfileBench(t, s, "records-4", owners)
	remedy := func(sql string) string {
		_, err := Compile(sql, b.product)
		r := RefusalOf(err)
		require.NotNil(t, r, sql)
		require.Equal(t, "OVERFLOW", r.Reason, sql)
		return r.Remedy
	}
	require.Contains(t, remedy("SELECT SUM(price * price) FROM trade WHERE country = 'c40'"),
		"a new version of the schema can set squares: true for price: stored, it is split into 2 columns and fits; or "+
			"with encoding: onehot for country it multiplies 3 columns and profile records-3 would hold it, at 40 bytes a value; or with bounds")
	require.Contains(t, remedy("SELECT SUM(price * tax) FROM trade WHERE country = 'c40'"),
		"a new version of the schema can list tax under products of price: stored, it is split into 2 columns and fits; or with bounds")
	require.Contains(t, remedy("SELECT SUM(price * price * price) FROM trade"), "formula: price * price * price, which is stored in digits")
	require.NotContains(t, remedy("SELECT SUM(id * id * id) FROM trade"), "formula")

	// As written, the stored square fits where the product did not.
	s.Measures[0].Squares = true
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	require.Len(t, e.Digits(schema.Atom{Kind: schema.Square, X: "price"}), 2)
	b = newProfileBench(t, s, "records-4", owners)
	_, err = Compile("SELECT SUM(price * price) FROM trade WHERE country = 'c40'", b.product)
	require.NoError(t, err)
}
