package schema

import (
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// columnsOf returns all values of a builder, centred, by column and position.
func columnsOf(b *Builder) [][]*big.Int {
	e := b.Encoding()
	all := make([][]*big.Int, len(e.Columns))
	buf := make([]uint64, e.N)
	for i := range e.Columns {
		for block := range b.Blocks() {
			for j := range buf {
				buf[j] = ^uint64(0) // Column must overwrite everything
			}
			b.Column(i, block, buf)
			for _, v := range buf {
				all[i] = append(all[i], centred(v, e.T))
			}
		}
	}
	return all
}

// recombine adds up the digits of an atom at one position.
func recombine(digits []Column, all [][]*big.Int, pos int) *big.Int {
	sum := new(big.Int)
	for _, c := range digits {
		sum.Add(sum, new(big.Int).Lsh(all[c.ID][pos], c.Shift))
	}
	return sum
}

// TestColumnsRecombine is the main property: whatever the schema and the rows, the
// digits of every slot or cell give back exactly what the rows say.
func TestColumnsRecombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomSchema(t)
		layout := rapid.SampledFrom(s.Layouts).Draw(t, "layout")
		modulus := rapid.SampledFrom([]uint64{65537, 1<<20 + 7, 1<<33 + 17, 1<<45 + 59}).Draw(t, "T")
		e, err := s.EncodeWith(layout, tiny(modulus))
		if err != nil {
			t.Fatalf("%v", err)
		}
		checkBounds(t, e)
		tables := e.NewTables()
		byFile := map[string][]*Row{}
		for range rapid.SampledFrom([]int{0, 1, 5, 15, 16, 17, 33}).Draw(t, "n") {
			r := randomRow(t, s)
			twice := e.Aligned() && slices.ContainsFunc(byFile[key(r.Partition)], func(o *Row) bool { return slices.Equal(o.Dims, r.Dims) })
			if err := tables.Add(r); (err != nil) != twice || twice && carnet.ReasonOf(err) != "BAD_ROW" {
				t.Fatalf("a row with codes that are there (%v): %v", twice, err)
			}
			if twice {
				continue
			}
			byFile[key(r.Partition)] = append(byFile[key(r.Partition)], r)
		}
		for _, b := range tables.Builders() {
			if _, err := b.Digest(); err != nil {
				t.Fatalf("%v", err)
			}
			checkFile(t, b, byFile[key(b.partition)])
		}
	})
}

func checkBounds(t *rapid.T, e *Encoding) {
	half := e.half()
	for i, c := range e.Columns {
		if int(c.ID) != i || c.Min.Sign() > 0 || c.Max.Sign() < 0 {
			t.Fatalf("column %s has number %d and bounds %s..%s", c.Name, c.ID, c.Min, c.Max)
		}
		if new(big.Int).Abs(c.TotalMin).Cmp(half) > 0 || new(big.Int).Abs(c.TotalMax).Cmp(half) > 0 {
			t.Fatalf("column %s may total %s..%s, beyond %s", c.Name, c.TotalMin, c.TotalMax, half)
		}
		lo, hi := e.SumBounds(c, e.schema.MaxRowsTotal())
		if lo.Cmp(c.TotalMin) != 0 || hi.Cmp(c.TotalMax) != 0 {
			t.Fatalf("column %s: %s..%s is not %s..%s", c.Name, lo, hi, c.TotalMin, c.TotalMax)
		}
	}
}

func checkFile(t *rapid.T, b *Builder, rows []*Row) {
	e, s := b.enc, b.enc.schema
	if b.Rows() != int64(len(rows)) || b.Blocks() != e.Blocks(b.Rows()) {
		t.Fatalf("%d rows in %d blocks, want %d rows", b.Rows(), b.Blocks(), len(rows))
	}
	all := columnsOf(b)
	if e.Aligned() { // by slot, nil in empty ones
		placed := make([]*Row, e.Cells)
		for _, r := range rows {
			placed[e.Cell(r.Dims)] = r
		}
		rows = placed
	}
	for _, a := range everyAtom(s) {
		digits := e.Digits(a)
		if digits == nil {
			t.Fatalf("%v is not stored", a)
		}
		want := make([]*big.Int, len(all[0]))
		for i := range want {
			want[i] = new(big.Int)
		}
		for i, r := range rows {
			if r == nil {
				continue
			}
			pos := i
			if e.Layout == carnet.LayoutCube {
				pos = int(e.Cell(r.Dims))
			}
			want[pos].Add(want[pos], valueOf(s, a, r))
		}
		for pos := range want {
			if got := recombine(digits, all, pos); got.Cmp(want[pos]) != 0 {
				t.Fatalf("%v at %d is %s, want %s", a, pos, got, want[pos])
			}
		}
	}
	if e.Layout == carnet.LayoutRecords {
		checkIndicators(t, e, all, rows)
	}
}

// checkIndicators compares every indicator with what the codes of the row say.
func checkIndicators(t *rapid.T, e *Encoding, all [][]*big.Int, rows []*Row) {
	width, dims := 0, map[int]bool{}
	for i := range e.Axes {
		a := &e.Axes[i]
		width += a.Width()
		for _, d := range a.Dimensions {
			dims[d] = true
			if e.AxisOf(d) != i {
				t.Fatalf("dimension %d is on axis %d, not %d", d, e.AxisOf(d), i)
			}
		}
		checkAxis(t, e, i, all, rows)
	}
	indicators := 0
	for _, c := range e.Columns {
		if c.Kind == Indicator {
			indicators++
		}
	}
	if width != indicators || len(dims) != len(e.schema.Dimensions) {
		t.Fatalf("%d indicators of %d dimensions, the axes have %d of %d", indicators, len(e.schema.Dimensions), width, len(dims))
	}
}

func checkAxis(t *rapid.T, e *Encoding, i int, all [][]*big.Int, rows []*Row) {
	a := &e.Axes[i]
	numbers := make([]int, len(rows))
	for row, r := range rows {
		if r == nil {
			continue
		}
		for _, d := range a.Dimensions {
			dim := &e.schema.Dimensions[d]
			code := r.Dims[d]
			if code < 0 {
				code = len(dim.Codes)
			}
			numbers[row] = numbers[row]*dim.Cardinality() + code
		}
	}
	check := func(test Test, code int, passes func(number int) bool) {
		c := &e.Columns[a.Column(test, code)]
		if c.Kind != Indicator || c.Axis != i || c.Test != test || c.Code != code {
			t.Fatalf("column %s is not test %d with %d on axis %d", c.Name, test, code, i)
		}
		for pos, v := range all[c.ID] {
			want := int64(0)
			if pos < len(rows) && rows[pos] != nil && passes(numbers[pos]) {
				want = 1
			}
			if v.Int64() != want {
				t.Fatalf("indicator %s at %d is %s, want %d", c.Name, pos, v, want)
			}
		}
	}
	switch a.Coding {
	case OneHot:
		for code := range a.Size {
			check(Equals, code, func(n int) bool { return n == code })
		}
	case Cumulative:
		for code := range a.Size - 1 {
			check(AtMost, code, func(n int) bool { return n <= code })
		}
	case TwoDigit:
		if a.Radix*a.Radix < a.Size || (a.Radix-1)*(a.Radix-1) >= a.Size {
			t.Fatalf("radix %d of %d codes", a.Radix, a.Size)
		}
		for code := range a.Highs() {
			check(HighIs, code, func(n int) bool { return n/a.Radix == code })
		}
		for code := range a.Radix {
			check(LowIs, code, func(n int) bool { return n%a.Radix == code })
		}
	}
}

// TestFullAtTheBounds fills a dataset to its last row with the extreme values: every
// total then is as large as it can get, and still does not wrap.
func TestFullAtTheBounds(t *testing.T) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		for _, low := range []bool{true, false} {
			s := &Schema{Name: "full", Version: 1, Limits: Limits{Rows: 100, Datasets: 1}, Layouts: []carnet.Layout{layout},
				Dimensions: []Dimension{{Name: "d", Codes: []Code{{Value: "a"}, {Value: "b"}}}},
				Measures: []Measure{
					{Name: "x", Min: "-1000003", Max: "999983", Squares: true, Products: []string{"y"}},
					{Name: "y", Min: "-7", Max: "123456789"}}}
			e, err := s.EncodeWith(layout, tiny(1<<20+7))
			require.NoError(t, err)
			b, err := e.NewBuilder(nil, 100)
			require.NoError(t, err)
			r := &Row{Measures: []int64{999983, 123456789}, Null: make([]bool, 2)}
			if low {
				r.Measures = []int64{-1000003, -7}
			}
			for i := range 100 {
				r.Dims = []int{i % 2}
				require.NoError(t, b.Add(r))
			}
			err = b.Add(r)
			require.EqualError(t, err, "the dataset has more than the 100 rows that schema full@1 allows")
			_, err = b.Digest()
			require.NoError(t, err)
			all := columnsOf(b)
			for _, a := range everyAtom(s) {
				sum := new(big.Int)
				for pos := range all[0] {
					sum.Add(sum, recombine(e.Digits(a), all, pos))
				}
				require.Zero(t, sum.Cmp(new(big.Int).Mul(valueOf(s, a, r), big.NewInt(100))), "%v", a)
			}
		}
	}
}

func TestBuilderRefuses(t *testing.T) {
	s := example(t, "customs/records.yaml")
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	tables := e.NewTables()
	good := Row{[]string{"2024"}, []int{0, -1, 3}, []int64{-100000000, 0}, []bool{false, true}, ""}
	require.NoError(t, tables.Add(&good))
	for _, c := range []struct {
		name string
		edit func(r *Row)
		want string
	}{
		{"code too large", func(r *Row) { r.Dims = []int{21, 0, 0} }, "dimension section has no code number 21"},
		{"code of null", func(r *Row) { r.Dims = []int{-1, 0, 0} }, "dimension section has no code number -1"},
		{"too few dimensions", func(r *Row) { r.Dims = []int{0} }, "the row has 1 dimensions and 2 measures, the schema has 3 and 2"},
		{"below min", func(r *Row) { r.Measures = []int64{-100000001, 0} }, "measure value is -1000000.01, outside -1000000.00..10000000.00"},
		{"above max", func(r *Row) { r.Measures, r.Null = []int64{0, 5000001}, []bool{false, false} }, "measure weight is 5000001, outside 0..5000000"},
		{"null", func(r *Row) { r.Null = []bool{true, true} }, "measure value is NULL and not nullable"},
		{"year", func(r *Row) { r.Partition = []string{"1999"} }, `partition year does not allow "1999"; known are 2024, 2025, 2026`},
		{"no year", func(r *Row) { r.Partition = nil }, "the row has 0 partition values, the schema has 1"},
	} {
		r := good
		c.edit(&r)
		err := tables.Add(&r)
		require.EqualError(t, err, c.want, c.name)
		require.Equal(t, "BAD_ROW", carnet.ReasonOf(err))
	}
	bad := good
	bad.Partition, bad.Dims = []string{"2026"}, []int{99, 0, 0}
	require.Error(t, tables.Add(&bad))
	require.Len(t, tables.Builders(), 1, "a refused row leaves no empty file")
	require.EqualValues(t, 1, tables.Rows())
	require.Equal(t, map[string]string{"year": "2024"}, tables.Builders()[0].Partition())
}

// TestDigest changes each input of the digest and expects another one.
func TestDigest(t *testing.T) {
	seen := map[carnet.Hash]string{}
	digest := func(name string, edit func(s *Schema), rows ...Row) carnet.Hash {
		s := example(t, "customs/records.yaml")
		edit(s)
		e, err := s.EncodeWith(carnet.LayoutRecords, tiny(1<<45+59))
		require.NoError(t, err)
		b, err := e.NewBuilder(rows[0].Partition, 0)
		require.NoError(t, err)
		for i := range rows {
			require.NoError(t, b.Add(&rows[i]))
		}
		h, err := b.Digest()
		require.NoError(t, err)
		require.Empty(t, seen[h], name)
		seen[h] = name
		return h
	}
	same := func(*Schema) {}
	row := func(year string, section int, v int64, null bool) Row {
		return Row{[]string{year}, []int{section, 0, 0}, []int64{v, 5}, []bool{false, null}, ""}
	}
	digest("one row", same, row("2024", 1, 7, false))
	digest("year", same, row("2025", 1, 7, false))
	digest("code", same, row("2024", 2, 7, false))
	digest("value", same, row("2024", 1, 8, false))
	digest("negative", same, row("2024", 1, -7, false))
	digest("null", same, row("2024", 1, 7, true))
	digest("twice", same, row("2024", 1, 7, false), row("2024", 1, 7, false))
	digest("label", func(s *Schema) { s.Dimensions[0].Codes[0].Label = "x" }, row("2024", 1, 7, false))
	digest("version", func(s *Schema) { s.Version++ }, row("2024", 1, 7, false))
	digest("order", same, row("2024", 1, 7, false), row("2024", 1, 8, false))
	digest("other order", same, row("2024", 1, 8, false), row("2024", 1, 7, false))
}

// TestColumnConcurrently: once rows are added, columns are made by many goroutines.
func TestColumnConcurrently(t *testing.T) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		s := example(t, "comtrade/schema.yaml")
		e, err := s.EncodeWith(layout, tiny(1<<45+59))
		require.NoError(t, err)
		b, err := e.NewBuilder([]string{"2010"}, 0)
		require.NoError(t, err)
		for i := range 50 {
			require.NoError(t, b.Add(&Row{Dims: []int{i % 4, i, 0, 0}, Measures: []int64{int64(i), 1, 1}, Null: make([]bool, 3)}))
		}
		want, err := b.Digest()
		require.NoError(t, err)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				if got, err := b.Digest(); err != nil || got != want {
					t.Errorf("digest %s, %v, want %s", got, err, want)
				}
				out := make([]uint64, e.N)
				b.Column(3, 1, out)
			})
		}
		wait.Wait()
	}
}
