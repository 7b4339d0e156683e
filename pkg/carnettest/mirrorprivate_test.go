package carnettest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Rule (scheme §7): one private parameter selects on both sides of a join of two owners'
// products, or on one of them; the answer is that of SQLite for the value, and both owners'
// numbers are opened under the selection only.
func TestMirrorPrivate(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 5, Threshold: 2})
	kz, uz, ref := publishMirror(t, n, carnet.LayoutCube)
	cents := scaled(2)
	for _, x := range []struct {
		second string
		value  string
	}{{"WHERE chapter = PRIVATE($1) ", "84"}, {"", "01"}} {
		sql := "SELECT month, exported, imported, exported - imported AS gap FROM (SELECT month, SUM(value) AS exported FROM exports WHERE chapter = PRIVATE($1) GROUP BY month) p " +
			"JOIN (SELECT month, SUM(cif) AS imported FROM imports " + x.second + "GROUP BY month) q USING (month) ORDER BY month"
		asked := n.SubmitPrivate(t, "buyer", "exports", sql, x.value)
		for _, o := range asked.Plan.Openings {
			require.Len(t, o.Choices, 4, "a functional for each code, on both sides")
		}
		got, err := n.Open(t, asked)
		require.NoError(t, err, sql)
		require.Len(t, got.Used, 5)
		require.False(t, got.Unattested)
		literal := strings.ReplaceAll(sql, "PRIVATE($1)", "'"+x.value+"'")
		same(t, []item{{"month", "", nil}, {"exported", "", cents}, {"imported", "", cents}, {"gap", "", cents}}, got.Result, ref.rows(t, literal), literal)
	}
	require.Positive(t, n.Keyholders[0].Charged(t, kz.Key.Key))
	require.Positive(t, n.Keyholders[0].Charged(t, uz.Key.Key))
}
