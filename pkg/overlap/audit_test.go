package overlap

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

var owners = []carnet.PartyID{"kz", "kg", "uz", "cn"}

// union unites four owners with files of two years; uz has no file of the second one.
// need says how many owners a number about each has to combine.
func union(t require.TestingT, layout carnet.Layout, need map[carnet.PartyID]int) *plan.Product {
	codes := func(n int) (out []schema.Code) {
		for i := range n {
			out = append(out, schema.Code{Value: fmt.Sprint(i + 1)})
		}
		return out
	}
	s := &schema.Schema{
		Name: "trade", Version: 1, Limits: schema.Limits{Rows: 1000, Datasets: 5}, Layouts: []carnet.Layout{carnet.LayoutRecords, carnet.LayoutCube},
		Dimensions: []schema.Dimension{{Name: "month", Codes: codes(4), Encoding: schema.Cumulative}, {Name: "mode", Codes: codes(3)}},
		Measures:   []schema.Measure{{Name: "value", Min: "0", Max: "100", Squares: true}},
		Partitions: []schema.Partition{{Name: "year"}},
	}
	e, err := s.Encode(layout)
	require.NoError(t, err)
	profile, err := he.Lookup(e.Profile)
	require.NoError(t, err)
	committee, err := share.NewCommittee(5, 2)
	require.NoError(t, err)
	p := &plan.Product{ID: "kz/trade", Schema: s, Encoding: e, Profile: profile, Committee: committee}
	for i, owner := range owners {
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Jurisdiction: carnet.Jurisdiction(strings.ToUpper(string(owner))), Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)}}
		m.Terms.MinOwners = need[owner]
		for y := range 2 {
			if owner == "uz" && y == 1 {
				continue
			}
			m.Files = append(m.Files, carnet.File{Nonce: carnet.Nonce{byte(i + 1), byte(y)}, Partition: map[string]string{"year": fmt.Sprint(2023 + y)}, Rows: 10, Columns: len(e.Columns), Blocks: e.Blocks(10)})
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1)}, Manifest: m})
	}
	return p
}

func everyone(n int) map[carnet.PartyID]int {
	return map[carnet.PartyID]int{"kz": n, "kg": n, "uz": n, "cn": n}
}

func admit(t require.TestingT, a *Audit, p *plan.Product, sql string) string {
	compiled, err := plan.Compile(sql, p)
	require.NoError(t, err, sql)
	return carnet.ReasonOf(a.Admit(compiled))
}

// Every line is asked after those before it.
func TestAudit(t *testing.T) {
	const no = "OVERLAPS_RELEASED"
	for _, c := range []struct {
		name string
		need map[carnet.PartyID]int
		asks [][2]string // condition, verdict
	}{
		{"all, then all but one", everyone(2), [][2]string{{"TRUE", ""}, {"owner <> 'uz'", no}, {"TRUE", ""}, {"month = 1", ""}, {"month = 1 AND owner <> 'uz'", no}}},
		{"all but one, then all", everyone(2), [][2]string{{"owner <> 'uz'", ""}, {"TRUE", no}, {"owner <> 'uz'", ""}, {"month > 2 AND owner <> 'uz'", ""}}},
		{"all but two", everyone(2), [][2]string{{"TRUE", ""}, {"owner IN ('kz', 'kg')", ""}, {"owner IN ('uz', 'cn')", ""}, {"owner IN ('kz', 'uz')", ""}, {"owner IN ('kg', 'uz')", no}}},
		{"three of them", everyone(3), [][2]string{{"TRUE", ""}, {"owner <> 'kz'", no}, {"owner IN ('kz', 'kg')", no}}},
		{"in steps", everyone(2), [][2]string{{"owner IN ('kz', 'kg')", ""}, {"owner IN ('kg', 'uz')", ""}, {"owner IN ('uz', 'cn')", ""}, {"owner IN ('cn', 'kz')", ""}, {"owner IN ('kz', 'uz')", no}}},
		{"an odd circle", everyone(2), [][2]string{{"owner IN ('kz', 'kg')", ""}, {"owner IN ('kg', 'uz')", ""}, {"owner IN ('kz', 'uz')", no}}}, // (a+b) - (b+c) + (c+a) = 2a
		{"other cells", everyone(2), [][2]string{{"month = 1", ""}, {"month = 2 AND owner <> 'uz'", ""}, {"month = 3", ""}, {"month < 4", no}, {"month IN (1, 3)", ""}}},
		{"cells put together", everyone(2), [][2]string{{"month = 1", ""}, {"month = 2", ""}, {"month < 3 AND owner <> 'uz'", no}}},
		{"mixed cells", everyone(2), [][2]string{{"month = 1 AND owner <> 'uz' OR month = 2 AND owner = 'uz'", ""}, {"month = 1 AND owner <> 'uz'", no}, {"month = 2 AND owner = 'uz' OR month = 3 AND owner <> 'uz'", ""}}},
		{"a year that one has not", everyone(2), [][2]string{{"TRUE", ""}, {"year = 2023", ""}, {"year = 2024", ""}, {"owner <> 'uz' AND year = 2023", no}}},
		{"jurisdictions are owners", everyone(2), [][2]string{{"TRUE", ""}, {"jurisdiction <> 'UZ'", no}}},
		{"only uz asks for company", map[carnet.PartyID]int{"uz": 2}, [][2]string{{"TRUE", ""}, {"owner = 'kz'", ""}, {"owner <> 'kg'", ""}, {"owner IN ('kz', 'cn')", no}, {"owner = 'cn'", no}}},
		{"nobody asks for company", nil, [][2]string{{"TRUE", ""}, {"owner <> 'uz'", ""}, {"owner = 'uz'", ""}}},
		{"nothing of others", map[carnet.PartyID]int{"uz": 2}, [][2]string{{"owner = 'kz'", ""}, {"owner = 'kg'", ""}, {"month = 1 AND owner IN ('uz', 'kz')", ""}, {"owner = 'kz' AND month = 1", no}}},
	} {
		for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
			t.Run(c.name+" "+string(layout), func(t *testing.T) {
				p, a := union(t, layout, c.need), New([32]byte{1})
				for i, ask := range c.asks {
					require.Equal(t, ask[1], admit(t, a, p, "SELECT SUM(value) FROM trade WHERE "+ask[0]), "%d: %s", i, ask[0])
				}
			})
		}
	}
}

// How many rows a file has is in its manifest, so the rest of a count that is known is no
// news, and what is left of a count by it is.
func TestPublicRows(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT COUNT(*) FROM trade"))
	require.Empty(t, admit(t, a, p, "SELECT COUNT(*) FROM trade WHERE owner <> 'uz'"))
	// uz less a month, with all of the others: their rows are public.
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT COUNT(*) FROM trade WHERE owner <> 'uz' OR month < 4"))
}

// Numbers that have no cell in common make up for each other where together they are all rows of
// the others.
func TestPublicRowsOfSeveralNumbers(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT COUNT(*) FROM trade WHERE year = 2023 AND (month <= 2 AND owner <> 'uz' OR month = 1)"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT COUNT(*) FROM trade WHERE year = 2023 AND month > 2 AND owner <> 'uz'"))
	require.Empty(t, admit(t, a, p, "SELECT COUNT(*) FROM trade WHERE year = 2023 AND month = 3 AND owner <> 'uz'"))
}

// Sums of squares and sums are different columns.
func TestQuantities(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade"))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value * value) FROM trade WHERE owner <> 'uz'"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT VAR_POP(value) FROM trade WHERE owner <> 'uz'"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT VAR_POP(value) FROM trade"))
}

// A private parameter counts as all values that it can have.
func TestPrivateParameter(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 3 AND owner <> 'uz'"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE owner <> 'uz' AND month = PRIVATE($1)"))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade"))
}

// Files that are added later are an owner's own until others add some, too.
func TestAppendedFiles(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade"))
	add := func(owner int) {
		m := &p.Datasets[owner].Manifest
		f := m.Files[0]
		f.Nonce, f.Partition = carnet.Nonce{byte(owner + 1), 9}, map[string]string{"year": "2025"}
		m.Files = append(m.Files[:len(m.Files):len(m.Files)], f)
	}
	add(2)
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade"))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE year <> '2025'"))
	add(0)
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade"))
}

// anyLinked is what is linked with any place.
func (a *Audit) anyLinked() *linked {
	for _, x := range a.tables {
		return x.linked
	}
	return nil
}

// What is refused or only looked at leaves no trace.
func TestNoTrace(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE year = 2023"))
	state := func() string {
		l := a.anyLinked()
		return fmt.Sprint(len(a.tables), len(a.places), len(a.known), len(l.numbers), len(l.patterns), len(l.places), l.runs())
	}
	before := state()
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE year = 2023"))
	require.Equal(t, before, state(), "what was released before is no news")
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE owner <> 'uz' AND year = 2023"))
	require.Equal(t, before, state())
	compiled, err := plan.Compile("SELECT month, SUM(value) FROM trade GROUP BY month", p)
	require.NoError(t, err)
	require.NoError(t, a.Check(compiled))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE owner <> 'uz' AND year = 2023"))
	require.Equal(t, before, state())
	require.NoError(t, a.Check(compiled))
	require.NoError(t, a.Admit(compiled))
	b := New([32]byte{2})
	require.Empty(t, admit(t, b, p, "SELECT SUM(value) FROM trade WHERE year = 2023"))
	require.NoError(t, b.Admit(compiled))
	after := state()
	a = b
	require.Equal(t, after, state(), "as if it had not been checked before")
}

// The verdicts are those of an oracle over the rationals, cell by cell.
func TestAuditIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		need := map[carnet.PartyID]int{}
		for _, o := range owners {
			need[o] = rapid.IntRange(1, 3).Draw(t, "need")
		}
		p := union(t, carnet.LayoutCube, need)
		a := New([32]byte{byte(rapid.IntRange(0, 255).Draw(t, "seed"))})
		var released [][]int64
		for range 8 {
			var parts []string
			var row []int64
			for _, o := range owners {
				months := rapid.IntRange(0, 15).Draw(t, string(o))
				for m := range 4 {
					row = append(row, int64(months>>m&1))
					if months>>m&1 == 1 {
						parts = append(parts, fmt.Sprintf("owner = '%s' AND month = %d", o, m+1))
					}
				}
			}
			if len(parts) == 0 {
				continue
			}
			want := ""
			// A sum comes with the count of its rows, of which those of a whole file are public.
			next := append(released[:len(released):len(released)], row)
			if tells(next, need) || tells(lessPublic(next), need) {
				want = "OVERLAPS_RELEASED"
			} else {
				released = append(released, row)
			}
			require.Equal(t, want, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE year = 2023 AND ("+strings.Join(parts, " OR ")+")"))
		}
	})
}

// lessPublic takes from each owner's part what is a multiple of its file.
func lessPublic(rows [][]int64) (out [][]int64) { return lessPublicOf(rows, 4) }

func lessPublicOf(rows [][]int64, months int) (out [][]int64) {
	for _, r := range rows {
		next := make([]int64, len(r))
		for i, v := range r {
			next[i] = v - r[i/months*months]
		}
		out = append(out, next)
	}
	return out
}

// tells reports whether a combination of the rows, four months for each owner, is about
// fewer owners than one of them needs.
func tells(rows [][]int64, need map[carnet.PartyID]int) bool { return tellsOf(rows, need, 4) }

// tellsOf is tells for rows with so many columns for each owner.
func tellsOf(rows [][]int64, need map[carnet.PartyID]int, columns int) bool {
	for set := 1; set < 1<<len(owners); set++ {
		size := 0
		for i := range owners {
			size += set >> i & 1
		}
		outside, protected := [][]int64{}, [][]int64{}
		for _, r := range rows {
			var out, both []int64
			for i, v := range r {
				in := set>>(i/columns)&1 == 1
				if !in {
					out = append(out, v)
				}
				if !in || need[owners[i/columns]] > size {
					both = append(both, v)
				}
			}
			outside, protected = append(outside, out), append(protected, both)
		}
		if rank(protected) > rank(outside) {
			return true
		}
	}
	return false
}

// rank is that of the rows over the rationals.
func rank(rows [][]int64) int {
	var m [][]*big.Rat
	for _, r := range rows {
		var row []*big.Rat
		for _, v := range r {
			row = append(row, big.NewRat(v, 1))
		}
		m = append(m, row)
	}
	n := 0
	for c := 0; len(m) > 0 && c < len(m[0]); c++ {
		at := n
		for at < len(m) && m[at][c].Sign() == 0 {
			at++
		}
		if at == len(m) {
			continue
		}
		m[n], m[at] = m[at], m[n]
		for i := n + 1; i < len(m); i++ {
			f := new(big.Rat).Quo(m[i][c], m[n][c])
			for k := range m[i] {
				m[i][k] = new(big.Rat).Sub(m[i][k], new(big.Rat).Mul(f, m[n][k]))
			}
		}
		n++
	}
	return n
}

// A prime that the asker knows can be asked around: with p = 7, seven times a number is
// nothing. Judges draw theirs.
func TestPrimesAreDrawn(t *testing.T) {
	known := elimination{prime: 7, pivots: 1}
	require.False(t, known.add([]uint64{1, 0}))
	require.False(t, known.add([]uint64{1, 0})) // tells 7 times what is beyond, which is nothing modulo 7
	drawn := elimination{prime: drawPrime(rand.NewChaCha8([32]byte{1})), pivots: 1}
	require.False(t, drawn.add([]uint64{1, 0}))
	require.True(t, drawn.add([]uint64{1, 7}))
	require.NotEqual(t, New([32]byte{1}).prime, New([32]byte{2}).prime)
	require.Equal(t, 62, new(big.Int).SetUint64(New([32]byte{3}).prime).BitLen())
}
