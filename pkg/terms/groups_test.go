package terms

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// withGroups is product with a list of months of which 3 to 5 and 6 to 8 are groups, under
// acme's terms.
func withGroups(t *testing.T, least int) *plan.Product {
	p := product(t, func(_ carnet.PartyID, x *carnet.Terms) {})
	s := *p.Schema
	s.Dimensions = []schema.Dimension{{Name: "month", Encoding: schema.Cumulative}, {Name: "partner", Nullable: true, Codes: []schema.Code{{Value: "DE"}, {Value: "FR"}}}}
	for m := range 8 {
		s.Dimensions[0].Codes = append(s.Dimensions[0].Codes, schema.Code{Value: fmt.Sprint(m + 1)})
	}
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	p.Schema, p.Encoding = &s, e
	p.Committee, err = share.NewCommittee(5, 2)
	require.NoError(t, err)
	for i := range p.Datasets {
		for j := range p.Datasets[i].Manifest.Files {
			p.Datasets[i].Manifest.Files[j].Columns = len(e.Columns)
		}
	}
	if least > 1 {
		m := &p.Datasets[0].Manifest
		m.Terms.MinGroup = least
		m.Groups = []carnet.Groups{{Files: 2, Dimensions: []carnet.GroupedDimension{{Dimension: "month", From: []int{0, 1, 2, 5}}}}}
	}
	return p
}

func TestGroups(t *testing.T) {
	p := withGroups(t, 5)
	for sql, want := range map[string]bool{
		"SELECT COUNT(*), SUM(value) FROM trade":                                                          true,
		"SELECT COUNT(*) FROM trade WHERE month = 1":                                                      true,
		"SELECT COUNT(*) FROM trade WHERE month BETWEEN 3 AND 5":                                          true,
		"SELECT COUNT(*) FROM trade WHERE month NOT IN (6, 7, 8)":                                         true,
		"SELECT year, COUNT(*) FROM trade WHERE month < 3 GROUP BY year":                                  true,
		"SELECT CASE WHEN month < 3 THEN 'a' ELSE 'b' END AS c, COUNT(*) FROM trade GROUP BY c":           true,
		"SELECT SUM(value) FROM trade WHERE month = 3":                                                    false,
		"SELECT month, COUNT(*) FROM trade GROUP BY month":                                                false,
		"SELECT COUNT(*) FROM trade WHERE partner = 'DE'":                                                 false,
		"SELECT COUNT(partner) FROM trade":                                                                false,
		"SELECT COUNT(*) FROM trade WHERE month = 1 AND partner = 'DE'":                                   false,
		"SELECT SUM(value) FILTER (WHERE month = 1) - SUM(value) FILTER (WHERE month = 4) FROM trade":     false,
		"SELECT COUNT(*) FROM trade WHERE month = 3 AND owner <> 'acme'":                                  true, // no groups of others
		"SELECT COUNT(*) FROM trade WHERE month = 3 AND owner = 'bolt' OR month = 1 AND owner = 'acme'":   true,
		"SELECT COUNT(*) FROM trade WHERE month = PRIVATE($1)":                                            false, // some choices cut a group
		"SELECT COUNT(*) FROM trade WHERE month = 3 AND year = 2023 OR month IN (4, 5) AND year = 2024":   false, // each file by itself
		"SELECT COUNT(*) FROM trade WHERE month IN (3, 4, 5) AND year = 2023 OR month = 1 AND year= 2024": true,
	} {
		got := reasons(check(t, sql, p, nil))
		if want {
			require.Empty(t, got, sql)
			continue
		}
		require.Equal(t, []string{"acme GROUPS_TOLD_APART"}, got, sql)
		require.Empty(t, check(t, sql, withGroups(t, 0), nil), sql) // without the rule it is released
	}
}

// A refusal names the groups, and what would pass.
func TestGroupsRemedy(t *testing.T) {
	p := withGroups(t, 5)
	got := check(t, "SELECT COUNT(*) FROM trade WHERE month = 4", p, nil)
	require.Equal(t, "acme releases numbers of dataset acme/trade over groups of at least 5, and this query tells apart month 3, 4 and 5", got[0].Message)
	require.Equal(t, "select month 3, 4 and 5 together, or none of them (CASE in GROUP BY makes groups); carnet datasets --json lists all groups", got[0].Remedy)
	got = check(t, "SELECT partner, COUNT(*) FROM trade GROUP BY partner", p, nil)
	require.Equal(t, "acme releases numbers of dataset acme/trade over groups of at least 5, and this query tells apart codes of partner", got[0].Message)
	require.Contains(t, got[0].Remedy, "leave partner out of GROUP BY and of conditions")
	p.Datasets[0].Manifest.Groups = nil
	got = check(t, "SELECT COUNT(*) FROM trade", p, nil)
	require.Equal(t, []string{"acme BAD_GROUPS"}, reasons(got))
}

// Files that were added later have groups of their own; a number over both keeps both.
func TestGroupsOfAppendedFiles(t *testing.T) {
	p := withGroups(t, 5)
	p.Datasets[0].Manifest.Groups = []carnet.Groups{
		{Files: 1, Dimensions: []carnet.GroupedDimension{{Dimension: "month", From: []int{0, 1, 2, 5}}}},
		{Files: 1, Dimensions: []carnet.GroupedDimension{{Dimension: "month", From: []int{0, 2}}}},
	}
	require.Empty(t, check(t, "SELECT COUNT(*) FROM trade WHERE month = 1 AND year = 2023", p, nil))
	require.Len(t, check(t, "SELECT COUNT(*) FROM trade WHERE month = 1", p, nil), 1)
	require.Empty(t, check(t, "SELECT COUNT(*) FROM trade WHERE month < 3", p, nil))
}

// table is what months 1 to 8 of acme hold, with one firm alone in month 4.
var table = []int64{7, 6, 4, 1, 3, 2, 2, 5}

// total is what a query over acme alone releases.
func total(in func(month int) bool) (n int64) {
	for i, v := range table {
		if in(i + 1) {
			n += v
		}
	}
	return n
}

// attack asks for sums over months of acme. It returns what the released ones select.
func attack(t *testing.T, p *plan.Product, conditions ...string) (released []string) {
	for _, c := range conditions {
		if check(t, "SELECT COUNT(*) FROM trade WHERE owner = 'acme' AND year = 2023 AND ("+c+")", p, nil) == nil {
			released = append(released, c)
		}
	}
	return released
}

// Differencing: a total less the same without one month is that month, which has one firm.
func TestAttackDifferencing(t *testing.T) {
	all, but := "month < 9", "month <> 4"
	require.Equal(t, int64(1), total(func(int) bool { return true })-total(func(m int) bool { return m != 4 }))
	require.Equal(t, []string{all, but}, attack(t, withGroups(t, 0), all, but))
	require.Equal(t, []string{all}, attack(t, withGroups(t, 5), all, but))
}

// Tracker: every question is about many, and three of them together are about one.
func TestAttackTracker(t *testing.T) {
	// (4 or T) + (4 or not T) - all = 4, for any T without month 4.
	questions := []string{"month = 4 OR month < 3", "month = 4 OR month >= 3", "month < 9"}
	require.Equal(t, questions, attack(t, withGroups(t, 0), questions...))
	require.Equal(t, questions[1:], attack(t, withGroups(t, 5), questions...))
}

// Boundary probing: ranges that grow by one code tell each of them.
func TestAttackBoundaries(t *testing.T) {
	var ranges []string
	for m := range 8 {
		ranges = append(ranges, fmt.Sprintf("month <= %d", m+1))
	}
	require.Equal(t, ranges, attack(t, withGroups(t, 0), ranges...))
	require.Equal(t, []string{ranges[0], ranges[1], ranges[4], ranges[7]}, attack(t, withGroups(t, 5), ranges...))
}

// Linear reconstruction: all subsets of the months are asked for, and the equations of
// those that are released are solved. Without groups every month is determined; with them
// no combination of months that is not one of groups.
func TestAttackReconstruction(t *testing.T) {
	var rows [][]int64
	ask := func(p *plan.Product) {
		rows = nil
		for set := 1; set < 1<<8; set += 2 + set%3 {
			condition := ""
			row := make([]int64, 8)
			for m := range 8 {
				if set>>m&1 == 1 {
					row[m] = 1
					condition += fmt.Sprintf(" OR month = %d", m+1)
				}
			}
			if len(attack(t, p, condition[len(" OR "):])) == 1 {
				rows = append(rows, row)
			}
		}
	}
	determined := func() (out []int) {
		for m := range 8 {
			unit := make([]int64, 8)
			unit[m] = 1
			if rank(append(rows[:len(rows):len(rows)], unit)) == rank(rows) {
				out = append(out, m+1)
			}
		}
		return out
	}
	ask(withGroups(t, 0))
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8}, determined())
	p := withGroups(t, 5)
	ask(p)
	for _, set := range []int{1 << 0, 1 << 1, 7 << 2, 7 << 5} { // what may be released is, too
		row := make([]int64, 8)
		for m := range 8 {
			row[m] = int64(set >> m & 1)
		}
		rows = append(rows, row)
	}
	require.Equal(t, []int{1, 2}, determined())
	require.Equal(t, 4, rank(rows))
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
