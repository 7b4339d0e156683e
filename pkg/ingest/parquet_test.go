package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

type flat struct {
	Chapter string   `parquet:"chapter,dict"`
	Unit    *string  `parquet:"unit,optional"`
	Small   int32    `parquet:"small"`
	Big     int64    `parquet:"big"`
	U32     uint32   `parquet:"u32"`
	U64     uint64   `parquet:"u64"`
	Dec32   int32    `parquet:"dec32,decimal(2:9)"`
	Dec64   int64    `parquet:"dec64,decimal(4:18)"`
	DecFix  [16]byte `parquet:"decfix,decimal(2:38)"`
	Double  float64  `parquet:"double"`
	Float   float32  `parquet:"float"`
	Bool    bool     `parquet:"bool"`
	Day     int32    `parquet:"day,date"`
	Stamp   int64    `parquet:"stamp,timestamp"`
	Null    *int64   `parquet:"null,optional"`
}

func flatFile(t testing.TB, rows []flat, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[flat](&b, options...)
	_, err := w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func fixed(v int64) (b [16]byte) {
	x := big.NewInt(v)
	if v < 0 {
		x.Add(x, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	x.FillBytes(b[:])
	return b
}

func TestParquetValues(t *testing.T) {
	kg, seven := "kg", int64(7)
	file := flatFile(t, []flat{
		{"01", &kg, -5, math.MinInt64, math.MaxUint32, math.MaxUint64, -150, 123456789, fixed(-1234), 0.25, 1.5, true, 19753, 1, &seven},
		{Chapter: "ÄÖ", Double: 0.1, DecFix: fixed(1)},
		{Double: math.NaN(), Float: float32(math.Inf(-1))},
	})
	r, err := NewParquet("in.parquet", bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	require.Equal(t, []string{"chapter", "unit", "small", "big", "u32", "u64", "dec32", "dec64", "decfix", "double", "float", "bool", "day", "stamp", "null"}, r.Header())
	records, last := all(t, r)
	stamp := records[0][13]
	require.Contains(t, stamp, "unsupported Parquet type")
	zero := func(chapter, double, float, fix string) []string {
		return []string{chapter, "", "0", "0", "0", "0", "0.00", "0.0000", fix, double, float, "false", "1970-01-01", stamp, ""}
	}
	require.Equal(t, [][]string{
		{"01", "kg", "-5", "-9223372036854775808", "4294967295", "18446744073709551615", "-1.50", "12345.6789", "-12.34", "0.25", "1.5", "true", "2024-01-31", stamp, "7"},
		zero("ÄÖ", "0.1000000000000000055511151231257827021181583404541015625", "0", "0.01"),
		zero("", "NaN", "-Inf", "0.00"),
	}, records)
	require.Equal(t, 3, last.Line)
	require.Nil(t, last.At)
	require.True(t, last.Null[1] && last.Null[14])
	require.False(t, last.Null[0])
	done, total := r.Progress()
	require.Equal(t, []int64{3, 3}, []int64{done, total})
	require.NoError(t, r.Close())
}

func TestFloatTextIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		f := math.Float64frombits(rng.Uint64())
		switch {
		case math.IsNaN(f) || math.IsInf(f, 0):
			continue
		case i%2 == 0:
			f = float64(rng.Int64N(1<<40)-1<<39) / float64(int64(1)<<rng.IntN(20))
		case i%101 == 0:
			f = math.Float64frombits(rng.Uint64() >> 12) // subnormal
		}
		got, ok := new(big.Rat).SetString(floatText(f))
		require.True(t, ok)
		require.Zero(t, got.Cmp(new(big.Rat).SetFloat64(f)), "%v", f)
	}
	for f, want := range map[float64]string{0: "0", 1: "1", -2.5: "-2.5", 1e15: "1000000000000000", 0.125: "0.125", 100: "100"} {
		require.Equal(t, want, floatText(f))
	}
}

func TestParquetRowGroups(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 1000} {
		rows := make([]flat, n)
		for i := range rows {
			rows[i].Big = int64(i)
		}
		file := flatFile(t, rows, parquet.MaxRowsPerRowGroup(300))
		r, err := NewParquet("in.parquet", bytes.NewReader(file), int64(len(file)))
		require.NoError(t, err)
		records, _ := all(t, r)
		require.Len(t, records, n)
		sum := 0
		for i, rec := range records {
			require.Equal(t, big.NewInt(int64(i)).String(), rec[3])
			sum += i
		}
		require.Equal(t, n*(n-1)/2, sum)
		require.NoError(t, r.Close())
	}
}

func TestParquetRefuses(t *testing.T) {
	type nested struct {
		A struct{ B int64 }
		C []int64
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[nested](&b)
	require.NoError(t, w.Close())
	_, err := NewParquet("in.parquet", bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.ErrorContains(t, err, `in.parquet is not a Parquet file that can be read: column "A" is nested or repeated`)

	path := filepath.Join(t.TempDir(), "x.parquet")
	require.NoError(t, os.WriteFile(path, []byte("a,b\n1,2\n"), 0o600))
	_, err = Open(path)
	require.ErrorContains(t, err, "the file does not begin with PAR1")
}

// TestDamagedParquet flips bytes: whatever comes out is an error or rows, not a panic.
func TestDamagedParquet(t *testing.T) {
	kg := "kg"
	rows := make([]flat, 300)
	for i := range rows {
		rows[i] = flat{Chapter: "01", Unit: &kg, Big: int64(i)}
	}
	file := flatFile(t, rows)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		bad := bytes.Clone(file)
		for range 1 + rng.IntN(3) {
			bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
		}
		readDamaged(t, bad)
	}
	for n := 0; n < len(file); n += 97 {
		readDamaged(t, file[:n])
	}
}

func readDamaged(t testing.TB, file []byte) {
	r, err := NewParquet("in.parquet", bytes.NewReader(file), int64(len(file)))
	var rec schema.Record
	for err == nil {
		err = r.Read(&rec)
	}
	if !errors.Is(err, io.EOF) {
		require.Equal(t, "BAD_PARQUET", carnet.ReasonOf(err))
	}
}

func FuzzParquet(f *testing.F) {
	f.Add(flatFile(f, make([]flat, 3)))
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) < 1<<14 {
			readDamaged(t, file)
		}
	})
}

// TestBothFormatsAgree loads the same rows from CSV and Parquet.
func TestBothFormatsAgree(t *testing.T) {
	s, err := schema.Parse("s.yaml", []byte(small))
	require.NoError(t, err)
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	type row struct {
		Chapter string   `parquet:"chapter"`
		Value   int64    `parquet:"value,decimal(2:18)"`
		Weight  *float64 `parquet:"weight,optional"`
	}
	three := 3.0
	dir := t.TempDir()
	pq, csv := filepath.Join(dir, "x"), filepath.Join(dir, "y")
	require.NoError(t, parquet.WriteFile(pq, []row{{"01", -150, &three}, {"02", 7, nil}}))
	require.NoError(t, os.WriteFile(csv, []byte("weight,chapter,value\n3,01,-1.50\n,02,.07\n"), 0o600))
	var digests []carnet.Hash
	for _, path := range []string{pq, csv} {
		table, err := Load(context.Background(), e, Options{}, path)
		require.NoError(t, err)
		require.NoError(t, table.Refused())
		require.EqualValues(t, 2, table.Tables.Rows())
		d, err := table.Tables.Builders()[0].Digest()
		require.NoError(t, err)
		digests = append(digests, d)
	}
	require.Equal(t, digests[0], digests[1])
}

const small = `
name: small
version: 1
dimensions: [{name: chapter, codes: ["01", "02"]}]
measures:
  - {name: value, scale: 2, min: -100, max: 100}
  - {name: weight, min: 0, max: 10, nullable: true, outside: clip}
limits: {rows: 30, datasets: 1}
layouts: [records, cube]
`
