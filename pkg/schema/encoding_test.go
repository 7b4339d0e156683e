package schema

import (
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// TestGoldenEncodings pins columns, digits and profiles of the examples. They are the
// meaning of published files: a difference here is a change of format.
func TestGoldenEncodings(t *testing.T) {
	for _, name := range examples {
		s := example(t, name)
		for _, l := range s.Layouts {
			e, err := s.Encode(l)
			require.NoError(t, err)
			var b strings.Builder
			b.WriteString(e.Explain())
			fmt.Fprintf(&b, "\nT = %d, N = %d\n", e.T, e.N)
			for _, c := range e.Columns {
				fmt.Fprintf(&b, "%d %s shift=%d width=%d one=%s..%s total=%s..%s\n", c.ID, c.Name, c.Shift, c.Width, c.Min, c.Max, c.TotalMin, c.TotalMax)
			}
			file := "testdata/encoding/" + s.Name + "." + string(l) + ".txt"
			if *update {
				require.NoError(t, os.MkdirAll("testdata/encoding", 0o755))
				require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	s := example(t, "customs/cube.yaml")
	_, err := s.Encode(carnet.LayoutRecords)
	require.Equal(t, "LAYOUT_NOT_OFFERED", carnet.ReasonOf(err))
	_, err = s.Encode("heap")
	require.Equal(t, "LAYOUT_NOT_OFFERED", carnet.ReasonOf(err))
	_, err = s.EncodeWith(carnet.LayoutCube, tiny(65537)) // not even the count of rows fits in digits
	require.Equal(t, "VALUES_TOO_WIDE", carnet.ReasonOf(err))
}

// TestSplitIsTheSmallest compares with trying every width of every number of digits.
func TestSplitIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layout := rapid.SampledFrom([]carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords}).Draw(t, "layout")
		rows := rapid.Int64Range(1, 1<<12).Draw(t, "rows")
		total := rows * rapid.Int64Range(1, 4).Draw(t, "datasets")
		half := rapid.Int64Range(1, 1<<40).Draw(t, "half")
		f := &frame{layout, rows, total, big.NewInt(half), layout == carnet.LayoutRecords && rapid.Bool().Draw(t, "multiplied")}
		a := &atom{Atom: Atom{Kind: Sum}, lo: big.NewInt(-rapid.Int64Range(0, 1<<50).Draw(t, "lo")), hi: big.NewInt(rapid.Int64Range(0, 1<<50).Draw(t, "hi"))}
		parts := f.split(a)
		fits := func(p part) bool { return f.worst(a, p).Cmp(f.half) <= 0 }
		if parts == nil {
			if fits(part{}) {
				t.Fatal("one digit fits and none was chosen")
			}
			for w := uint(1); w < 60 && fits(part{width: w}); w++ {
				for shift := uint(0); shift < 160; shift += w {
					if fits(part{shift: shift}) {
						t.Fatalf("width %d at shift %d fits and none was chosen", w, shift)
					}
				}
			}
			return
		}
		shift := uint(0)
		for i, p := range parts {
			if p.shift != shift || !fits(p) || (p.width == 0) != (i == len(parts)-1) {
				t.Fatalf("bad parts %v", parts)
			}
			shift += p.width
		}
		for w := uint(1); w < 60 && fits(part{width: w}); w++ {
			for low := 0; low < len(parts)-1; low++ {
				if fits(part{shift: uint(low) * w}) {
					t.Fatalf("%d digits of width %d are enough, %v were chosen", low+1, w, parts)
				}
			}
		}
	})
}

func TestCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, err := randomSchema(t).EncodeWith(carnet.LayoutCube, tiny(1<<45+59))
		if err != nil {
			t.Fatal(err)
		}
		for cell := range uint32(e.Cells) {
			codes := e.CodesOf(cell)
			if got := e.Cell(codes); got != cell {
				t.Fatalf("cell %d has codes %v, which are cell %d", cell, codes, got)
			}
			for i := range codes {
				if codes[i] == len(e.schema.Dimensions[i].Codes) {
					codes[i] = -1
				}
			}
			if got := e.Cell(codes); got != cell {
				t.Fatalf("NULL as -1 gives cell %d, not %d", got, cell)
			}
		}
	})
}

func TestCellOrder(t *testing.T) {
	s := example(t, "customs/cube.yaml")
	e, err := s.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	require.Equal(t, 96*13*12, e.Cells)
	require.EqualValues(t, 0, e.Cell([]int{0, 0, 0}))
	require.EqualValues(t, 1, e.Cell([]int{0, 0, 1}), "the last dimension is innermost")
	require.EqualValues(t, 12, e.Cell([]int{0, 1, 0}))
	require.EqualValues(t, 12*12, e.Cell([]int{0, -1, 0}), "NULL comes after the last code")
	require.EqualValues(t, 13*12, e.Cell([]int{1, 0, 0}))
	require.Equal(t, []int{95, 12, 11}, e.CodesOf(uint32(e.Cells-1)))
}

func TestLookups(t *testing.T) {
	s := example(t, "customs/cube.yaml")
	e, err := s.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	require.Empty(t, e.Axes, "a cube has no indicators")
	require.Len(t, e.Digits(Atom{Kind: Count}), 1)
	require.Equal(t, "value^2.lo", e.Digits(Atom{Kind: Square, X: "value"})[0].Name)
	require.Equal(t, e.Digits(Atom{Product, "value", "weight"}), e.Digits(Atom{Product, "weight", "value"}))
	require.Equal(t, e.Digits(Atom{Kind: NotNull, X: "weight"}), e.Digits(Atom{NotNull, "value", "weight"}), "value is never NULL")
	require.Equal(t, e.Digits(Atom{Kind: Square, X: "value"}), e.Digits(Atom{Product, "value", "value"}))
	for _, a := range []Atom{
		{Kind: NotNull, X: "value"}, {Kind: Square, X: "weight"}, {Kind: Sum, X: "price"}, {Kind: Sum},
		{Product, "value", "price"}, {NotNull, "value", "value"}, {NotNull, "price", "value"}, {Kind: AtomKind(9), X: "value"},
	} {
		require.Nil(t, e.Digits(a), "%v", a)
	}

	s = example(t, "customs/records.yaml")
	e, err = s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	require.Len(t, e.Axes, 3)
	partner := &e.Axes[e.AxisOf(1)]
	require.Equal(t, "partner is null", e.Columns[partner.Column(Equals, 12)].Name)
	require.Equal(t, "section=21", e.Columns[e.Axes[0].Column(Equals, 20)].Name)
}

// TestThreeHundredCodes: a long code list costs 35 columns instead of 300, and a
// combination is one axis.
func TestThreeHundredCodes(t *testing.T) {
	s := &Schema{Name: "long", Version: 1, Limits: Limits{Rows: 3_000_000, Datasets: 1}, Layouts: []carnet.Layout{carnet.LayoutRecords},
		Measures: []Measure{{Name: "value", Min: "0", Max: "100000"}},
		Dimensions: []Dimension{
			{Name: "country", Encoding: TwoDigit, Codes: numbered(299), Nullable: true},
			{Name: "flag", Codes: numbered(3)},
			{Name: "month", Encoding: Cumulative, Codes: numbered(12)},
			{Name: "status", Codes: numbered(2)},
		},
		Combine: []Combination{{Dimensions: []string{"status", "flag"}}},
	}
	require.NoError(t, s.Validate())
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	require.Equal(t, []Axis{
		{Dimensions: []int{0}, Coding: TwoDigit, Size: 300, Radix: 18, First: 1},
		{Dimensions: []int{3, 1}, Coding: OneHot, Size: 6, First: 36},
		{Dimensions: []int{2}, Coding: Cumulative, Size: 12, First: 42},
	}, e.Axes)
	require.Equal(t, 35, e.Axes[0].Width())
	require.Equal(t, []int{0, 1, 2, 1}, []int{e.AxisOf(0), e.AxisOf(1), e.AxisOf(2), e.AxisOf(3)})
	require.Len(t, e.Columns, 1+35+6+11+1)
	for id, name := range map[int]string{1: "country/18=0", 17: "country/18=16", 18: "country%18=0", 35: "country%18=17",
		36: "(status,flag)=(c0,c0)", 38: "(status,flag)=(c0,c2)", 39: "(status,flag)=(c1,c0)", 42: "month<=c0", 52: "month<=c10"} {
		require.Equal(t, name, e.Columns[id].Name)
	}
	require.Equal(t, "records", e.Profile)
	for degree, profile := range map[int]string{2: "records", 3: "records-3", 4: "records-4"} {
		s.Degree = degree
		e, err := s.Encode(carnet.LayoutRecords)
		require.NoError(t, err)
		require.Equal(t, profile, e.Profile)
	}
}

func numbered(n int) (codes []Code) {
	for i := range n {
		codes = append(codes, Code{Value: fmt.Sprintf("c%d", i)})
	}
	return codes
}

// TestBlockBoundaries uses a real profile: N is 16384.
func TestBlockBoundaries(t *testing.T) {
	s := example(t, "customs/records.yaml")
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	n := int64(e.N)
	for rows, blocks := range map[int64]int{0: 1, 1: 1, n - 1: 1, n: 1, n + 1: 2, 2 * n: 2, 2*n + 1: 3} {
		require.Equal(t, blocks, e.Blocks(rows), "%d rows", rows)
		b, err := e.NewBuilder([]string{"2024"}, rows)
		require.NoError(t, err)
		r := &Row{Dims: []int{0, 0, 0}, Measures: []int64{-1, 0}, Null: []bool{false, false}}
		for range rows {
			require.NoError(t, b.Add(r))
		}
		require.Equal(t, blocks, b.Blocks())
		out, total, filled := make([]uint64, e.N), uint64(0), 0
		for block := range blocks {
			filled += b.Column(0, block, out)
			for _, v := range out {
				total += v
			}
		}
		require.EqualValues(t, rows, total)
		require.EqualValues(t, rows, filled)
		hi := e.Digits(Atom{Kind: Sum, X: "value"})[1]
		b.Column(int(hi.ID), 0, out)
		if rows > 0 {
			require.Equal(t, e.T-1, out[0], "the top digit of -1 is -1, modulo T")
		}
		require.Zero(t, b.Column(0, blocks, out), "beyond the last block")
		require.Zero(t, b.Column(len(e.Columns), 0, out), "beyond the last column")
		require.Zero(t, b.Column(-1, -1, out))
	}
}
