package plan

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cube of 16M cells can be asked about as a whole and by thousands of groups, in
// memory for its cells and little more; what would need a list for every group and
// condition again is refused, and so is a group for every cell, without listing them.
func TestVeryLargeCubes(t *testing.T) {
	if testing.Short() {
		t.Skip("lists 16M cells")
	}
	p := million(t, 4000, 4000)
	memory := func(sql string) (*Plan, uint64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		plan, err := Compile(sql, p)
		runtime.ReadMemStats(&after)
		return plan, after.TotalAlloc - before.TotalAlloc, err
	}
	plan, bytes, err := memory("SELECT COUNT(*), SUM(x) FROM big WHERE a <> '7'")
	require.NoError(t, err)
	require.Len(t, plan.Openings, 2)
	require.EqualValues(t, 2*4*3999*4000, plan.Work.Cells)
	require.EqualValues(t, 3999*4000, plan.Work.Lists)
	require.Less(t, bytes, uint64(512<<20))
	plan, bytes, err = memory("SELECT b, COUNT(*), SUM(x) FROM big GROUP BY b")
	require.NoError(t, err)
	require.Len(t, plan.Groups, 4000)
	require.Less(t, bytes, uint64(1<<30))

	_, bytes, err = memory("SELECT a, b, COUNT(*) FROM big GROUP BY a, b")
	require.Equal(t, "TOO_MANY_GROUPS", RefusalOf(err).Reason)
	require.Less(t, bytes, uint64(256<<20))
}
