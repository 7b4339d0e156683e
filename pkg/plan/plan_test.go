package plan

import (
	"bytes"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/share"
)

// The hash does not depend on the order of datasets and files, nor on map order, and
// compiling over the contributing datasets alone gives the same plan.
func TestHashIsDeterministic(t *testing.T) {
	queries := []string{
		"SELECT COUNT(*), SUM(value), AVG(weight) FROM trade",
		"SELECT jurisdiction, year, COUNT(*), STDDEV(value) FROM trade WHERE half = 1 GROUP BY jurisdiction, year",
		"SELECT month, partner, COUNT(*) FROM trade WHERE owner <> 'corp' GROUP BY month, partner",
		"SELECT SUM(value) FROM trade WHERE (year = 2023 AND month = 1) OR (year = 2024 AND month = 2)",
	}
	for _, l := range layouts {
		b := newBench(t, customs(), l, false, declarants(60))
		seen := map[carnet.Hash]bool{}
		for _, q := range queries {
			first, err := Compile(q, b.product)
			require.NoError(t, err, q)
			require.False(t, seen[first.Hash()])
			seen[first.Hash()] = true
			for range 5 {
				p := *b.product
				p.Datasets = slices.Clone(p.Datasets)
				rand.Shuffle(len(p.Datasets), func(i, j int) { p.Datasets[i], p.Datasets[j] = p.Datasets[j], p.Datasets[i] })
				for i := range p.Datasets {
					files := slices.Clone(p.Datasets[i].Manifest.Files)
					rand.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
					p.Datasets[i].Manifest.Files = files
				}
				again, err := Compile(q, &p)
				require.NoError(t, err)
				require.Equal(t, first.Hash(), again.Hash())
				require.Equal(t, first.Describe(), again.Describe())
			}
			only := *b.product
			only.Datasets = first.Datasets
			again, err := Compile(q, &only)
			require.NoError(t, err)
			require.Equal(t, first.Hash(), again.Hash())
			require.Equal(t, first.Inputs(), again.Inputs())
		}
	}
}

// Every input of an opening changes the hash.
func TestHashBindsEverything(t *testing.T) {
	b := newBench(t, customs(), carnet.LayoutRecords, false, declarants(60))
	const q = "SELECT month, SUM(weight) FROM trade GROUP BY month"
	hash := func(change func(p *Product)) carnet.Hash {
		p := *b.product
		p.Datasets = slices.Clone(p.Datasets)
		p.Datasets[0].Manifest.Files = slices.Clone(p.Datasets[0].Manifest.Files)
		change(&p)
		plan, err := Compile(q, &p)
		require.NoError(t, err)
		return plan.Hash()
	}
	base := hash(func(*Product) {})
	require.Equal(t, base, hash(func(p *Product) { p.Datasets[0].Manifest.Title = "other" }))
	for name, change := range map[string]func(p *Product){
		"dataset":   func(p *Product) { p.Datasets = p.Datasets[1:] },
		"key":       func(p *Product) { p.Datasets[0].Manifest.Key[0] ^= 1 },
		"nonce":     func(p *Product) { p.Datasets[0].Manifest.Files[0].Nonce[0] ^= 1 },
		"committee": func(p *Product) { p.Committee, _ = share.NewCommittee(5, 2) },
	} {
		require.NotEqual(t, base, hash(change), name)
	}
}

// Every distinct home keyholder of an opening's keys is one more flood to make room
// for.
func TestHomePartsNarrowTheFlood(t *testing.T) {
	b := newBench(t, customs(), carnet.LayoutCube, false, declarants(60))
	b.product.Committee = share.Committee{N: 2, T: 1} // one part
	flood := func() int {
		p, err := Compile("SELECT COUNT(*) FROM trade", b.product)
		require.NoError(t, err)
		return p.Certificate.FloodBits
	}
	base := flood()
	b.product.Homes = map[carnet.KeyID]int{b.product.Datasets[0].Manifest.Key: 2, b.product.Datasets[1].Manifest.Key: 2}
	require.Equal(t, base-1, flood())
	b.product.Homes[b.product.Datasets[2].Manifest.Key] = 1
	require.Equal(t, base-2, flood()) // three floods fit only where four do
	b.product.Homes = map[carnet.KeyID]int{{1}: 1}
	require.Equal(t, base, flood())
}

// Owners, cost and certificate say what the functionals contain.
func TestOpenings(t *testing.T) {
	b := newBench(t, customs(), carnet.LayoutRecords, false, declarants(60))
	p, err := Compile("SELECT jurisdiction, COUNT(*), SUM(value), AVG(value) FROM trade GROUP BY jurisdiction", b.product)
	require.NoError(t, err)
	require.Len(t, p.Openings, 4) // COUNT and SUM for each of DE and KZ; AVG adds nothing
	require.Equal(t, []carnet.PartyID{"acme"}, p.Openings[p.Groups[0].Quantities[0][0].Opening].Owners)
	require.Equal(t, []carnet.PartyID{"bolt", "corp"}, p.Openings[p.Groups[1].Quantities[0][0].Opening].Owners)
	require.Equal(t, []string{"avg", "count", "sum"}, p.Aggregates)
	require.Equal(t, []string{"jurisdiction"}, p.GroupBy)
	require.Empty(t, p.Filters)
	require.Len(t, p.Cost.Releases, 3)
	for _, n := range p.Cost.Releases {
		require.Equal(t, 2, n)
	}
	require.EqualValues(t, 110, p.Cost.Rows)
	blocks := 0
	for _, f := range b.files {
		blocks += 2 * f.Blocks()
	}
	require.EqualValues(t, blocks, p.Cost.Blocks)
	require.EqualValues(t, blocks*p.Profile.BlockBytes(), p.Cost.Bytes)
	require.EqualValues(t, 4*p.Profile.ScalarBytes(), p.Cost.AnswerBytes)
	for _, o := range p.Openings {
		require.NoError(t, o.F.Validate(p.Profile.N()))
		require.Equal(t, o.F.Digest(p.Profile.N()), o.Digest)
		k, bits, err := share.FloodBits(p.Profile, p.Committee, 0, o.Bound)
		require.NoError(t, err)
		require.Equal(t, []int{k, bits}, []int{o.FloodBits, o.ReleaseBits})
		require.Negative(t, new(big.Int).Lsh(big.NewInt(max(o.Max, -o.Min)), 1).Cmp(new(big.Int).SetUint64(p.Profile.T())))
	}
}

// A filter that a dimension's NULL decides about: always true only if NULL rows count
// too.
func TestNullCodesAreNotForgotten(t *testing.T) {
	b := newBench(t, customs(), carnet.LayoutRecords, false, declarants(60))
	degree := func(q string) int {
		p, err := Compile(q, b.product)
		require.NoError(t, err, q)
		return p.Certificate.Degree
	}
	all := "partner IN ('DE', 'FR', 'KZ', 'O''H')"
	require.Equal(t, 1, degree("SELECT SUM(value) FROM trade WHERE "+all+" OR partner IS NULL"))
	require.Equal(t, 2, degree("SELECT SUM(value) FROM trade WHERE "+all))
	require.Equal(t, 1, degree("SELECT SUM(value) FROM trade WHERE month <= 12"))
	require.Equal(t, 1, degree("SELECT SUM(value) FROM trade WHERE year = 2024 AND owner IN ('acme', 'bolt')"))
	require.Equal(t, 2, degree("SELECT month, SUM(value) FROM trade WHERE month < 4 GROUP BY month"))
}

// Results print, and survive JSON with all digits.
func TestResultFormats(t *testing.T) {
	b := newBench(t, customs(), carnet.LayoutCube, false, declarants(60))
	r, err := b.ask(t, "SELECT partner, COUNT(*) AS n, SUM(value), AVG(weight), SUM(weight) / 3 FROM trade GROUP BY partner")
	require.NoError(t, err)
	var table bytes.Buffer
	require.NoError(t, r.WriteTable(&table))
	lines := strings.Split(table.String(), "\n")
	require.Equal(t, " partner |  n |      sum |                avg |           ?column?", lines[0])
	require.Equal(t, "---------+----+----------+--------------------+--------------------", lines[1])
	require.Equal(t, "(5 rows)", lines[len(lines)-2])
	raw, err := json.Marshal(r)
	require.NoError(t, err)
	var back struct {
		Columns []ColumnInfo
		Rows    [][]any
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	require.NoError(t, d.Decode(&back))
	require.Equal(t, r.Columns, back.Columns)
	require.Len(t, back.Rows, len(r.Rows))
	last := len(r.Rows) - 1
	require.Nil(t, back.Rows[last][0]) // NULL comes last
	require.Equal(t, json.Number(r.Rows[0][3].String()), back.Rows[0][3])
	require.Equal(t, []Type{Text, Integer, Numeric, Numeric, Numeric}, []Type{r.Columns[0].Type, r.Columns[1].Type, r.Columns[2].Type, r.Columns[3].Type, r.Columns[4].Type})
}

// Square roots are right to 40 digits, roundings as in PostgreSQL.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := big.NewRat(rapid.Int64Range(1, 1<<62).Draw(t, "num"), rapid.Int64Range(1, 1<<62).Draw(t, "den"))
		r := root(x)
		d := new(big.Rat).Sub(new(big.Rat).Mul(r, r), x)
		d.Quo(d.Abs(d), x)
		require.Negative(t, d.Cmp(scaled(big.NewInt(2), 40)), "%v", x)
		square := new(big.Rat).Mul(x, x)
		if x.IsInt() {
			require.Zero(t, root(square).Cmp(x))
		}
		e := magnitude(x)
		require.True(t, x.Cmp(new(big.Rat).SetInt(power10(max(e, 0)))) < 0 || e < 0)
	})
	for in, want := range map[string]string{"2.345 2": "2.35", "-2.345 2": "-2.35", "2.5 0": "3", "-0.4 0": "0", "1250 -2": "1300", "0.05 1": "0.1"} {
		var v, n string
		for i, c := range in {
			if c == ' ' {
				v, n = in[:i], in[i+1:]
			}
		}
		b := newBench(t, customs(), carnet.LayoutCube, false, declarants(3))
		require.Equal(t, "round,count\n"+want+",5\n", b.table(t, "SELECT ROUND("+v+", "+n+"), COUNT(*) FROM trade"))
	}
	for _, c := range []struct {
		num, den int64
		want     string
	}{{1, 3, "0.33333333333333333"}, {2, 3, "0.66666666666666667"}, {1000, 3, "333.33333333333333"}, {1, 3000, "0.00033333333333333333"}, {5, 2, "2.5"}, {4, 2, "2"}, {-1, 3, "-0.33333333333333333"}, {0, 3, "0"}, {1 << 60, 7, "164703072086692425"}} {
		require.Equal(t, c.want, Value{num: big.NewRat(c.num, c.den), free: true}.String())
	}
}
