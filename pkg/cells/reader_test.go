package cells_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

func codes(n int) (out []schema.Code) {
	for i := range n {
		out = append(out, schema.Code{Value: fmt.Sprint(i + 1)})
	}
	return out
}

// product unites two owners, in every way in which dimensions are encoded.
func product(t *testing.T, layout carnet.Layout) *plan.Product {
	s := &schema.Schema{
		Name: "trade", Version: 1, Degree: 4, Limits: schema.Limits{Rows: 1000, Datasets: 5}, Layouts: []carnet.Layout{carnet.LayoutRecords, carnet.LayoutCube},
		Dimensions: []schema.Dimension{
			{Name: "month", Codes: codes(5), Encoding: schema.Cumulative}, {Name: "partner", Codes: codes(3), Nullable: true},
			{Name: "chapter", Codes: codes(7), Encoding: schema.TwoDigit}, {Name: "mode", Codes: codes(2)},
		},
		Combine:    []schema.Combination{{Dimensions: []string{"mode", "partner"}, Encoding: schema.Cumulative}},
		Measures:   []schema.Measure{{Name: "value", Min: "-100", Max: "100", Squares: true}, {Name: "weight", Min: "0", Max: "100", Nullable: true}},
		Partitions: []schema.Partition{{Name: "year"}},
	}
	e, err := s.Encode(layout)
	require.NoError(t, err)
	profile, err := he.Lookup(e.Profile)
	require.NoError(t, err)
	committee, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	p := &plan.Product{ID: "acme/trade", Schema: s, Encoding: e, Profile: profile, Committee: committee}
	for i, owner := range []carnet.PartyID{"acme", "bolt"} {
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)}}
		for y := range 2 {
			m.Files = append(m.Files, carnet.File{Nonce: nonce(i, y), Partition: map[string]string{"year": fmt.Sprint(2023 + y)}, Rows: 10, Columns: len(e.Columns), Blocks: e.Blocks(10)})
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: sha256.Sum256([]byte(owner)), Manifest: m})
	}
	return p
}

func nonce(owner, year int) carnet.Nonce { return carnet.Nonce{byte(owner + 1), byte(year)} }

// What is read of the numbers of a query is what its text selects, in both layouts, however
// dimensions are encoded and however the planner writes it.
func TestReader(t *testing.T) {
	type row struct{ month, partner, chapter, mode, owner, year int } // codes from 0, partner 3 is NULL
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		p := product(t, layout)
		for _, c := range []struct {
			where string
			in    func(r row) bool
		}{
			{"month = 2", func(r row) bool { return r.month == 1 }},
			{"month > 2 AND month <> 4", func(r row) bool { return r.month > 1 && r.month != 3 }},
			{"partner IS NULL", func(r row) bool { return r.partner == 3 }},
			{"partner IS NOT NULL AND partner <> '1'", func(r row) bool { return r.partner == 1 || r.partner == 2 }},
			{"chapter = 5", func(r row) bool { return r.chapter == 4 }},
			{"month = 1 OR mode = 2", func(r row) bool { return r.month == 0 || r.mode == 1 }},
			{"month = 1 AND mode = 2", func(r row) bool { return r.month == 0 && r.mode == 1 }},
			{"month = 1 AND owner = 'acme' OR month = 2 AND owner = 'bolt'", func(r row) bool { return r.month == r.owner }},
			{"year = 2023 AND month = 1 OR month = 3", func(r row) bool { return r.year == 0 && r.month == 0 || r.month == 2 }},
			{"mode = 1", func(r row) bool { return r.mode == 0 }},
		} {
			t.Run(string(layout)+" "+c.where, func(t *testing.T) {
				compiled, err := plan.Compile("SELECT COUNT(*), SUM(value), SUM(weight) FROM trade WHERE "+c.where, p)
				require.NoError(t, err)
				reader := cells.NewReader()
				reader.Add(compiled)
				quantities := map[string]bool{}
				for i := range compiled.Openings {
					parts, err := reader.Read(compiled.Openings[i].F)
					require.NoError(t, err)
					require.NotEmpty(t, parts)
					for _, x := range parts {
						quantities[x.Quantity] = true
					}
					for owner := range 2 {
						for year := range 2 {
							var own []cells.Part
							for _, x := range parts {
								if x.Place == (cells.Place{nonce(owner, year)}) {
									own = append(own, x)
								}
							}
							require.LessOrEqual(t, len(own), 1)
							for n := range 5 * 4 * 7 * 2 {
								r := row{n / 56, n / 14 % 4, n / 2 % 7, n % 2, owner, year}
								want := int64(0)
								if c.in(r) {
									want = 1
								}
								got := int64(0)
								if len(own) == 1 {
									got = own[0].Space.Of(own[0].Weight, []int{r.month, r.partner, r.chapter, r.mode})
								}
								require.Equal(t, want, got, r)
							}
						}
					}
				}
				require.Len(t, quantities, 4) // rows, value, weight, and where weight is not NULL
				require.True(t, quantities[""])
			})
		}
	}
}

// Columns and files that are none of the plan's are refused.
func TestReaderRefusesWhatIsUnknown(t *testing.T) {
	p := product(t, carnet.LayoutRecords)
	compiled, err := plan.Compile("SELECT COUNT(*) FROM trade WHERE month = 1", p)
	require.NoError(t, err)
	reader := cells.NewReader()
	reader.Add(compiled)
	known := nonce(0, 0)
	for name, f := range map[string]*functional.Functional{
		"file":        {Degree: 1, Keys: []functional.KeyTerms{{Linear: []functional.Linear{{File: carnet.Nonce{9}, Column: 0}}}}},
		"column":      {Degree: 1, Keys: []functional.KeyTerms{{Linear: []functional.Linear{{File: known, Column: 9999}}}}},
		"factor":      {Degree: 2, Keys: []functional.KeyTerms{{Products: []functional.Product{{File: known, Factors: []functional.Factor{functional.Sum(0), functional.Sum(9999)}}}}}},
		"other file":  {Degree: 2, Keys: []functional.KeyTerms{{Products: []functional.Product{{File: carnet.Nonce{9}, Factors: []functional.Factor{functional.Sum(0)}}}}}},
		"across":      functional.Across(functional.Cross{Left: functional.CrossFactor{File: known, Factor: functional.Sum(0)}, Right: functional.CrossFactor{File: carnet.Nonce{9}, Factor: functional.Sum(0)}}),
		"across, too": functional.Across(functional.Cross{Left: functional.CrossFactor{File: known, Factor: functional.Sum(9999)}, Right: functional.CrossFactor{File: known, Factor: functional.Sum(0)}}),
	} {
		_, err := reader.Read(f)
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err), name)
	}
}

// Terms with signs and repeated quantities add up; products of measures have one name in
// any order.
func TestReaderAddsUp(t *testing.T) {
	p := product(t, carnet.LayoutRecords)
	compiled, err := plan.Compile("SELECT COUNT(*) FROM trade WHERE month = 1", p)
	require.NoError(t, err)
	reader := cells.NewReader()
	reader.Add(compiled)
	e := p.Encoding
	value, weight := e.Digits(schema.Atom{Kind: schema.Sum, X: "value"})[0].ID, e.Digits(schema.Atom{Kind: schema.Sum, X: "weight"})[0].ID
	month := e.Axes[0].Column(schema.AtMost, 0)
	file := nonce(0, 0)
	read := func(products ...functional.Product) []cells.Part {
		for i := range products {
			products[i].File = file
		}
		parts, err := reader.Read(&functional.Functional{Degree: 3, Keys: []functional.KeyTerms{{Products: products}}})
		require.NoError(t, err)
		return parts
	}
	first := functional.Factor{Plus: []uint32{month}}
	rest := functional.Factor{Plus: []uint32{0}, Minus: []uint32{month}}
	a := read(functional.Product{Factors: []functional.Factor{functional.Sum(value), functional.Sum(weight), first}})
	b := read(functional.Product{Factors: []functional.Factor{functional.Sum(weight), first, functional.Sum(value)}})
	require.Equal(t, a, b)
	require.Len(t, a, 1)
	all := read(functional.Product{Factors: []functional.Factor{functional.Sum(value), functional.Sum(weight), first}},
		functional.Product{Factors: []functional.Factor{functional.Sum(value), functional.Sum(weight), rest}})
	require.Equal(t, all[0].Space.Constant(1), all[0].Weight)
	none := read(functional.Product{Factors: []functional.Factor{first, rest}})
	require.Empty(t, none)
}

// aligned is a product of one owner whose rows can be multiplied with another's.
func aligned(t *testing.T, owner carnet.PartyID, number byte) *plan.Product {
	s := &schema.Schema{Name: string(owner), Version: 1, Aligned: true, Layouts: []carnet.Layout{carnet.LayoutRecords}, Limits: schema.Limits{Rows: 20, Datasets: 2},
		Dimensions: []schema.Dimension{{Name: "month", Codes: codes(4)}, {Name: "partner", Codes: codes(3)}},
		Measures:   []schema.Measure{{Name: "value", Min: "0", Max: "100", Squares: true}}}
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	profile, err := he.Lookup(e.Profile)
	require.NoError(t, err)
	committee, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	m := carnet.Dataset{ID: carnet.DatasetID(owner + "/x"), Owner: owner, Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{number},
		Files: []carnet.File{{Nonce: carnet.Nonce{number}, Rows: 10, Columns: len(e.Columns), Blocks: e.Blocks(10)}}}
	return &plan.Product{ID: carnet.ProductID(owner + "/x"), Schema: s, Encoding: e, Profile: profile, Committee: committee,
		Datasets: []plan.Dataset{{Hash: carnet.Hash{number}, Manifest: m}}}
}

// Products across owners are taken of pairs of rows: the selection is of their cells, on
// whichever side it is written.
func TestReaderAcross(t *testing.T) {
	a, b := aligned(t, "acme", 1), aligned(t, "bolt", 2)
	for sql, in := range map[string]func(month, partner int) bool{
		"SELECT SUM(p.value * q.value) FROM \"acme/x\" p JOIN \"bolt/x\" q USING (month, partner)":                         func(int, int) bool { return true },
		"SELECT SUM((p.value - q.value) * (p.value - q.value)) FROM \"acme/x\" p JOIN \"bolt/x\" q USING (month, partner)": func(int, int) bool { return true },
		"SELECT COUNT(*) FROM \"acme/x\" p JOIN \"bolt/x\" q USING (month, partner)":                                       func(int, int) bool { return true },
	} {
		compiled, err := plan.Compile(sql, a, b)
		require.NoError(t, err, sql)
		reader := cells.NewReader()
		reader.Add(compiled)
		crossed := 0
		for i := range compiled.Openings {
			parts, err := reader.Read(compiled.Openings[i].F)
			require.NoError(t, err)
			for _, x := range parts {
				if x.Place != (cells.Place{{1}, {2}}) {
					continue
				}
				crossed++
				for m := range 4 {
					for p := range 3 {
						require.Equal(t, in(m, p), x.Space.Of(x.Weight, []int{m, p}) != 0, sql)
					}
				}
			}
		}
		require.Positive(t, crossed, sql)
	}
	// Indicators of either side select cells of both.
	e := a.Encoding
	month, value := e.Axes[0].Column(schema.Equals, 1), e.Digits(schema.Atom{Kind: schema.Sum, X: "value"})[0].ID
	compiled, err := plan.Compile("SELECT COUNT(*) FROM \"acme/x\" p JOIN \"bolt/x\" q USING (month, partner)", a, b)
	require.NoError(t, err)
	reader := cells.NewReader()
	reader.Add(compiled)
	for _, sides := range [][2]uint32{{month, value}, {value, month}} {
		parts, err := reader.Read(functional.Across(functional.Cross{Left: functional.CrossFactor{Key: carnet.KeyID{1}, File: carnet.Nonce{1}, Factor: functional.Sum(sides[0])},
			Right: functional.CrossFactor{Key: carnet.KeyID{2}, File: carnet.Nonce{2}, Factor: functional.Sum(sides[1])}, Blocks: 1, Weight: 1}))
		require.NoError(t, err)
		require.Len(t, parts, 1)
		require.NotEqual(t, "|", parts[0].Quantity)
		for m := range 4 {
			require.Equal(t, m == 1, parts[0].Space.Of(parts[0].Weight, []int{m, 0}) == 1)
		}
		require.Equal(t, []cells.Range{{Dimension: 0, From: 0, To: 4}}, parts[0].Space.Told(parts[0].Weight, cells.Grouping{{0}, {0, 1, 2}}))
	}
}
