package ingest

import (
	"context"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

func encoding(t testing.TB, yaml string, l carnet.Layout) *schema.Encoding {
	t.Helper()
	s, err := schema.Parse("s.yaml", []byte(yaml))
	require.NoError(t, err)
	e, err := s.Encode(l)
	require.NoError(t, err)
	return e
}

// load reads an input; the error is that of reading it or of its rows.
func load(t testing.TB, text string, opt Options) (*Table, error) {
	t.Helper()
	r, err := NewCSV("in.csv", strings.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	table := NewTable(encoding(t, small, carnet.LayoutCube), opt)
	if err := table.Add(context.Background(), r); err != nil {
		return nil, err
	}
	return table, table.Refused()
}

func TestLoadCollectsBadRows(t *testing.T) {
	_, err := load(t, "chapter,value,weight\n01,1,1\n03,x,\n02,1\n01,1,1\n01,1000,1\n", Options{})
	require.Equal(t, "BAD_ROWS", carnet.ReasonOf(err))
	require.ErrorContains(t, err, "3 of 5 rows")
	require.Equal(t, `in.csv:3:1: dimension chapter has no code "03"; known are 01, 02
in.csv:3:4: measure value: "x" is not a decimal number such as -1234.50
in.csv:4: the record has 2 fields, the header has 3; quote fields that contain the separator
in.csv:6:4: measure value: "1000" is above max 100; correct it, or set outside: clip in the schema`, violations(err))

	_, err = load(t, "chapter,value,weight\n"+strings.Repeat("09,0,0\n", 10), Options{MaxErrors: 3})
	require.ErrorContains(t, err, "10 of 10 rows")
	require.Len(t, strings.Split(violations(err), "\n"), 3)
	_, err = load(t, "chapter,value,weight\n", Options{})
	require.Equal(t, "NO_ROWS", carnet.ReasonOf(err))
}

func TestLoadReports(t *testing.T) {
	var done, total int64
	table, err := load(t, "no,chapter,value,weight\n1,01,1,99\n2,02,2,-1\n3,02,2,\n", Options{Progress: func(d, n int64) { done, total = d, n }})
	require.NoError(t, err)
	require.EqualValues(t, 3, table.Read)
	require.Zero(t, table.Bad)
	require.Equal(t, []string{"no"}, table.Unused)
	require.Equal(t, map[string]int64{"weight": 2}, table.Clipped)
	require.EqualValues(t, 3, table.Tables.Rows())
	require.Equal(t, []int64{total, total}, []int64{done, 52})

	// Further inputs are added, and what is said about one of them is said once.
	r, err := NewCSV("more.csv", strings.NewReader("no,other,chapter,value,weight\n1,x,01,1,99\n"), 0)
	require.NoError(t, err)
	require.NoError(t, table.Add(context.Background(), r))
	require.EqualValues(t, 4, table.Tables.Rows())
	require.Equal(t, []string{"no", "other"}, table.Unused)
	require.Equal(t, map[string]int64{"weight": 3}, table.Clipped)
}

func TestLoadStops(t *testing.T) {
	_, err := load(t, "chapter,value\n", Options{})
	require.Equal(t, "BAD_HEADER", carnet.ReasonOf(err))
	_, err = load(t, "chapter,value,weight\n"+strings.Repeat("01,0,0\n", 31), Options{})
	require.Equal(t, "TOO_MANY_ROWS", carnet.ReasonOf(err))
	_, err = load(t, "chapter,value,weight\n01,\"0,0\n", Options{})
	require.Equal(t, "BAD_CSV", carnet.ReasonOf(err))
	table, err := load(t, "chapter,value,weight\n"+strings.Repeat("01,0,0\n", 30), Options{})
	require.NoError(t, err)
	require.EqualValues(t, 30, table.Tables.Rows())

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := NewCSV("in.csv", strings.NewReader("chapter,value,weight\n"), 0)
	require.NoError(t, err)
	require.Equal(t, carnet.Canceled, carnet.KindOf(NewTable(encoding(t, small, carnet.LayoutCube), Options{}).Add(ctx, r)))
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "none.csv"))
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	_, err = Open(dir)
	require.Equal(t, "NOT_A_FILE", carnet.ReasonOf(err))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err = Open(empty)
	require.Equal(t, "BAD_CSV", carnet.ReasonOf(err))
}

// TestComtrade loads the real table in both layouts and checks sums that the file
// itself states: the trade of all chapters is the TOTAL line, but for rounding.
func TestComtrade(t *testing.T) {
	path := "../../../shared/data/comtrade-2010-india-china.csv"
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Skip("the real data is not here")
	}
	text, err := os.ReadFile("../../examples/comtrade/schema.yaml")
	require.NoError(t, err)
	cube := encoding(t, string(text), carnet.LayoutCube)
	table, err := Load(context.Background(), cube, Options{}, path)
	require.NoError(t, err)
	require.NoError(t, table.Refused())
	require.EqualValues(t, 8739, table.Tables.Rows())
	require.Empty(t, table.Clipped)
	require.Equal(t, []string{"Reporter Code", "Partner Code", "Classification", "Estimation Code"}, table.Unused)
	b := table.Tables.Builders()[0]
	require.Equal(t, map[string]string{"year": "2010"}, b.Partition())
	_, err = b.Digest()
	require.NoError(t, err)

	sum := func(a schema.Atom, flow, level string) *big.Int {
		s := cube.Schema()
		out, total := make([]uint64, cube.N), new(big.Int)
		for _, c := range cube.Digits(a) {
			digit := new(big.Int)
			for block := range b.Blocks() {
				n := b.Column(int(c.ID), block, out)
				for j := range n {
					codes := cube.CodesOf(uint32(block*cube.N + j))
					hasFlow := flow == "" || s.Dimensions[0].Codes[codes[0]].Value == flow
					if hasFlow && (level == "" || s.Dimensions[2].Codes[codes[2]].Value == level) {
						digit.Add(digit, new(big.Int).SetUint64(out[j]))
					}
				}
			}
			total.Add(total, digit.Lsh(digit, c.Shift))
		}
		return total
	}
	value, rows := schema.Atom{Kind: schema.Sum, X: "value"}, schema.Atom{Kind: schema.Count}
	require.EqualValues(t, 41_249_115_786, sum(value, "1", "5").Int64(), "the TOTAL line of imports")
	require.EqualValues(t, 41_249_115_782, sum(value, "1", "2").Int64(), "the chapters of imports, rounded one by one")
	require.EqualValues(t, 17_439_991_281, sum(value, "2", "2").Int64(), "the chapters of exports")
	require.EqualValues(t, 6569, sum(rows, "1", "6").Int64()+sum(rows, "2", "6").Int64())
	require.EqualValues(t, 7328, sum(schema.Atom{Kind: schema.NotNull, X: "netweight"}, "", "").Int64(), "weights given")

	records := encoding(t, string(text), carnet.LayoutRecords)
	table, err = Load(context.Background(), records, Options{}, path)
	require.NoError(t, err)
	_, err = table.Tables.Builders()[0].Digest()
	require.NoError(t, err)
}
