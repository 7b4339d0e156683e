package sample

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/ingest"
	"github.com/carnet-network/carnet/pkg/schema"
)

func csvOf(t testing.TB, seed uint64, jurisdiction string, rows int64) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteCSV(&b, Generate(seed, jurisdiction, rows)))
	return b.Bytes()
}

// TestSameEverywhere pins the bytes: examples and documentation quote results.
func TestSameEverywhere(t *testing.T) {
	const head = "number,year,month,section,chapter,partner,trader,value,weight\n" +
		"KZ-2025-0000001,2025,08,06,30,UZ,White Falcon Cargo 891,17539.45,2103\n"
	require.True(t, strings.HasPrefix(string(csvOf(t, 1, "KZ", 3)), head))
	for _, c := range []struct {
		jurisdiction, want string
	}{
		{"KZ", "639b11bfdd27aafa"}, {"UZ", "cb6f7bf766827045"}, {"CN", "d3d0797aebc7265e"}, {"BR", "1881e69045045158"},
	} {
		sum := sha256.Sum256(csvOf(t, 42, c.jurisdiction, 10_000))
		require.Equal(t, c.want, hex.EncodeToString(sum[:8]), c.jurisdiction)
	}
	require.NotEqual(t, csvOf(t, 1, "KZ", 10), csvOf(t, 2, "KZ", 10))
}

// TestFitsTheSchemas loads every jurisdiction into both example schemas; nothing may
// be refused or clipped.
func TestFitsTheSchemas(t *testing.T) {
	for _, name := range []string{"cube", "records"} {
		text, err := os.ReadFile("../../examples/customs/" + name + ".yaml")
		require.NoError(t, err)
		s, err := schema.Parse(name+".yaml", text)
		require.NoError(t, err)
		e, err := s.Encode(s.Layouts[0])
		require.NoError(t, err)
		for _, jurisdiction := range []string{"KZ", "UZ", "CN", "FR"} {
			r, err := ingest.NewCSV(jurisdiction+".csv", bytes.NewReader(csvOf(t, 7, jurisdiction, 5000)), 0)
			require.NoError(t, err)
			table := ingest.NewTable(e, ingest.Options{})
			require.NoError(t, table.Add(context.Background(), r))
			require.NoError(t, table.Refused())
			require.EqualValues(t, 5000, table.Tables.Rows())
			require.Empty(t, table.Clipped)
			require.Len(t, table.Tables.Builders(), 2, "two years")
		}
	}
}

// TestLooksReal checks the properties that the documentation promises.
func TestLooksReal(t *testing.T) {
	const rows = 50_000
	var noWeight, noPartner, refunds, large int
	chapters, months, years, traders := map[string]int{}, map[int]int{}, map[int]int{}, map[string]bool{}
	for d := range Generate(3, "UZ", rows) {
		require.NotEqual(t, "UZ", d.Partner, "nobody trades with itself")
		require.GreaterOrEqual(t, d.Value, int64(MinValue))
		require.LessOrEqual(t, d.Value, int64(MaxValue))
		require.LessOrEqual(t, d.Weight, int64(MaxWeight))
		noWeight += btoi(!d.HasWeight)
		noPartner += btoi(d.Partner == "")
		refunds += btoi(d.Value < 0)
		large += btoi(d.Value > 50_000_00)
		chapters[d.Chapter]++
		months[d.Month]++
		years[d.Year]++
		traders[d.Trader] = true
	}
	require.Len(t, chapters, 96)
	require.Zero(t, chapters["77"])
	require.Len(t, months, 12)
	require.Len(t, years, 2)
	require.Greater(t, len(traders), 1000)
	require.InDelta(t, 0.08, float64(noWeight)/rows, 0.01)
	require.InDelta(t, 0.005, float64(noPartner)/rows, 0.002)
	require.InDelta(t, 0.004, float64(refunds)/rows, 0.002)
	require.InDelta(t, 0.15, float64(large)/rows, 0.1)
	require.Greater(t, months[9], months[2]*5/4, "a season")
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestStopsEarly(t *testing.T) {
	n := 0
	for range Generate(1, "KZ", math.MaxInt64) {
		if n++; n == 3 {
			break
		}
	}
	require.Equal(t, 3, n)
}

// TestPower compares the integer power with floating point.
func TestPower(t *testing.T) {
	for x := int64(0); x < 61<<16; x += 997 {
		want := math.Exp2(float64(x) / (1 << 16))
		require.InEpsilon(t, want+1, float64(power(x))+1, 1e-5+1/(want+1))
	}
	require.EqualValues(t, 1, power(0))
	require.EqualValues(t, 1<<20, power(20<<16))
}

type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestWriteFails(t *testing.T) {
	require.ErrorContains(t, WriteCSV(&full{}, Generate(1, "KZ", 1)), "disk full")
	require.ErrorContains(t, WriteCSV(&full{5000}, Generate(1, "KZ", 1000)), "disk full")
}

func BenchmarkGenerate(b *testing.B) {
	n := int64(b.N)
	for range Generate(1, "KZ", n) {
	}
}
