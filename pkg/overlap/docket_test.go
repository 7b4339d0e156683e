package overlap

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Queries are judged in the order in which they are noted, compiled only if they are linked
// with a dataset that demands company, and a failure to compile decides nothing.
func TestDocket(t *testing.T) {
	p := union(t, carnet.LayoutCube, map[carnet.PartyID]int{"uz": 2})
	compiled := 0
	broken := errors.New("no store")
	var fail error
	note := func(d *Docket, entry int64, datasets []int, sql string) {
		product := *p
		product.Datasets = nil
		for _, i := range datasets {
			product.Datasets = append(product.Datasets, p.Datasets[i])
		}
		d.Note(entry, Datasets(&product), func() (*plan.Plan, error) {
			compiled++
			if fail != nil {
				return nil, fail
			}
			return plan.Compile("SELECT SUM(value) FROM trade WHERE "+sql, &product)
		})
	}
	d := NewDocket([32]byte{1})
	note(d, 1, []int{0, 1}, "month = 1") // kz and kg: nobody demands anything
	note(d, 2, []int{3}, "month = 1")    // cn alone
	require.NoError(t, d.Verdict(1))
	require.NoError(t, d.Verdict(2))
	require.Zero(t, compiled)

	note(d, 3, []int{1, 2}, "month = 1") // kg and uz, which demands company
	note(d, 4, []int{1}, "month = 1")    // kg alone: what is left is uz
	note(d, 5, []int{0}, "month = 1")    // kz alone, and so kg
	note(d, 3, []int{3}, "month = 2")    // noted before
	fail = broken
	require.ErrorIs(t, d.Verdict(3), broken)
	fail = nil
	require.NoError(t, d.Verdict(3))
	require.Equal(t, 1+2, compiled, "1 and 3, which kg links; not 2")
	require.Equal(t, "OVERLAPS_RELEASED", carnet.ReasonOf(d.Verdict(5)))
	require.Equal(t, "OVERLAPS_RELEASED", carnet.ReasonOf(d.Verdict(4)))
	require.NoError(t, d.Verdict(9), "nobody noted it")

	// Check judges what would come next.
	plans := func(sql string, datasets ...int) (*plan.Plan, []Dataset) {
		product := *p
		product.Datasets = nil
		for _, i := range datasets {
			product.Datasets = append(product.Datasets, p.Datasets[i])
		}
		compiled, err := plan.Compile("SELECT SUM(value) FROM trade WHERE "+sql, &product)
		require.NoError(t, err)
		return compiled, Datasets(&product)
	}
	x, sets := plans("month = 1", 0, 2) // with kz + kg less kg + uz, kz + uz tells both
	require.Equal(t, "OVERLAPS_RELEASED", carnet.ReasonOf(d.Check(sets, x)))
	x, sets = plans("month < 3 AND owner = 'kz' OR month = 1 AND owner = 'kg'", 0, 1)
	require.NoError(t, d.Check(sets, x))
	x, sets = plans("month = 1", 1)
	require.Equal(t, "OVERLAPS_RELEASED", carnet.ReasonOf(d.Check(sets, x)))
	x, sets = plans("month = 1", 3)
	require.NoError(t, d.Check(sets, x))
}

// Where nobody demands company, only so many queries wait to be compiled, and those that
// were judged are remembered all the same.
func TestWaitingQueriesAreBounded(t *testing.T) {
	p := union(t, carnet.LayoutCube, nil)
	d := NewDocket([32]byte{1})
	d.waits = 3
	for i := range 10 {
		d.Note(int64(i), Datasets(p), func() (*plan.Plan, error) {
			return plan.Compile("SELECT SUM(value) FROM trade WHERE month = 1 AND owner = 'kz'", p)
		})
		require.NoError(t, d.Verdict(int64(i)))
		require.LessOrEqual(t, len(d.pending), 3)
	}
	strict := union(t, carnet.LayoutRecords, map[carnet.PartyID]int{"uz": 2})
	strict = again(t, strict, carnet.LayoutRecords, 2)
	compiled, err := plan.Compile("SELECT SUM(value) FROM trade WHERE month = 1 AND owner IN ('kz', 'uz')", strict)
	require.NoError(t, err)
	require.Equal(t, "OVERLAPS_RELEASED", carnet.ReasonOf(d.Check(Datasets(strict), compiled)))
}
