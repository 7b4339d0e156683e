package overlap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// However much one buyer asks for, questions of all kinds are compared: where there are too
// many numbers, everything that all owners have in common counts as released.
func TestManyNumbers(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	a.most = 20
	pair := "SELECT SUM(value) FROM trade WHERE month = 1 AND owner IN ('kz', 'kg')"
	require.Empty(t, admit(t, a, p, pair))
	for i := range 8 { // 24 numbers each, of which those that were asked for before are known
		require.Empty(t, admit(t, a, p, fmt.Sprintf("SELECT month, mode, SUM(value), VAR_POP(value) FROM trade WHERE month <> %d OR year = %d GROUP BY month, mode", i%4+1, 2023+i/4%2)))
		l := a.anyLinked()
		require.LessOrEqual(t, len(l.numbers), 20)
	}
	l := a.anyLinked()
	require.NotEmpty(t, l.whole)
	require.NotEmpty(t, l.numbers, "numbers of other owners are still kept one by one")
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 2 AND owner IN ('uz', 'cn')"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE owner <> 'uz' AND month = 1"))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month IN (1, 3)"))
	require.Empty(t, admit(t, a, p, pair))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 1 AND owner IN ('kg', 'uz')"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 1 AND owner IN ('kz', 'uz')"))

	// What counts as released need not be kept.
	c := New([32]byte{1})
	c.most = 4
	require.Empty(t, admit(t, c, p, "SELECT month, SUM(value) FROM trade WHERE year = 2023 GROUP BY month"))
	require.Empty(t, c.anyLinked().numbers)
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, c, p, "SELECT SUM(value) FROM trade WHERE year = 2023 AND owner <> 'uz' AND month = 1"))
	require.Empty(t, admit(t, c, p, "SELECT SUM(value) FROM trade WHERE year = 2023 AND owner IN ('uz', 'kz') AND month = 1"))

	// What tells something by itself is never taken as released: then there is no room.
	b := New([32]byte{1})
	b.most = 3
	mixed := "SELECT SUM(value) FROM trade WHERE year = 2023 AND (month = %d AND owner <> 'uz' OR month = %d AND owner = 'uz')"
	require.Empty(t, admit(t, b, p, fmt.Sprintf(mixed, 1, 2)))
	require.Equal(t, "OVERLAP_NOT_COMPARED", admit(t, b, p, fmt.Sprintf(mixed, 3, 4)))
}

// With little room nothing is released that an oracle without bounds would refuse, and what
// is left out by room is refused only by what counts as released.
func TestWholeIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		need := map[carnet.PartyID]int{}
		for _, o := range owners {
			need[o] = rapid.IntRange(1, 3).Draw(t, "need")
		}
		p := union(t, carnet.LayoutCube, need)
		a := New([32]byte{byte(rapid.IntRange(0, 255).Draw(t, "seed"))})
		a.most = rapid.IntRange(1, 6).Draw(t, "most")
		var released [][]int64
		for range 8 {
			var parts []string
			row := make([]int64, 16)
			sets := rapid.SliceOfN(rapid.IntRange(0, 15), 1, 2).Draw(t, "sets") // of owners
			for m := range 4 {
				set := rapid.SampledFrom(append(sets, 0)).Draw(t, "set")
				for i, o := range owners {
					if set>>i&1 == 1 {
						row[4*i+m] = 1
						parts = append(parts, fmt.Sprintf("owner = '%s' AND month = %d", o, m+1))
					}
				}
			}
			if len(parts) == 0 {
				continue
			}
			sql := "SELECT SUM(value) FROM trade WHERE year = 2023 AND (" + strings.Join(parts, " OR ") + ")"
			next := append(released[:len(released):len(released)], row)
			isTold := tells(next, need) || tells(lessPublic(next), need)
			compiled, err := plan.Compile(sql, p)
			require.NoError(t, err)
			switch got := carnet.ReasonOf(a.Admit(compiled)); {
			case got == "":
				require.False(t, isTold, sql)
				released = next
			case !isTold:
				// More counts as released than was: all of what some kinds select.
				more := slices.Concat(next, everything(released, row))
				require.True(t, tells(more, need) || got == "OVERLAP_NOT_COMPARED", sql)
			}
		}
	})
}

// everything is what the numbers' selections of owners can select: each in every month.
func everything(released [][]int64, row []int64) (out [][]int64) {
	for _, r := range append(released[:len(released):len(released)], row) {
		for m := range 4 {
			for to := range 4 {
				x := make([]int64, 16)
				for i := range owners {
					x[4*i+to] = r[4*i+m]
				}
				out = append(out, x)
			}
		}
	}
	return out
}

// The same rows in two layouts: verdicts are those of an oracle for which they are one table.
func TestSameRowsAreExact(t *testing.T) {
	cube := union(t, carnet.LayoutCube, nil)
	rapid.Check(t, func(t *rapid.T) {
		need := map[carnet.PartyID]int{}
		for _, o := range owners {
			need[o] = rapid.IntRange(1, 3).Draw(t, "need")
		}
		for i := range cube.Datasets {
			cube.Datasets[i].Manifest.Terms.MinOwners = need[owners[i]]
		}
		both := []*plan.Product{cube, again(t, cube, carnet.LayoutRecords, 2)}
		a := New([32]byte{byte(rapid.IntRange(0, 255).Draw(t, "seed"))})
		var fine, same [][]int64 // a column for each month, owner and layout; and for each month and owner
		for range 7 {
			layout := rapid.IntRange(0, 1).Draw(t, "layout")
			var parts []string
			one, two := make([]int64, 32), make([]int64, 16)
			for i, o := range owners {
				months := rapid.SampledFrom([]int{0, 1, 2, 3, 15}).Draw(t, string(o))
				for m := range 4 {
					if months>>m&1 == 1 {
						one[8*i+4*layout+m], two[4*i+m] = 1, 1
						parts = append(parts, fmt.Sprintf("owner = '%s' AND month = %d", o, m+1))
					}
				}
			}
			if len(parts) == 0 {
				continue
			}
			nextFine, nextSame := append(fine[:len(fine):len(fine)], one), append(same[:len(same):len(same)], two)
			want := ""
			if tellsOf(nextFine, need, 8) || tellsOf(nextSame, need, 4) || tellsOf(lessPublicOf(nextFine, 4), need, 8) || tellsOf(lessPublicOf(nextSame, 4), need, 4) {
				want = "OVERLAPS_RELEASED"
			} else {
				fine, same = nextFine, nextSame
			}
			require.Equal(t, want, admit(t, a, both[layout], "SELECT SUM(value) FROM trade WHERE year = 2023 AND ("+strings.Join(parts, " OR ")+")"))
		}
	})
}
