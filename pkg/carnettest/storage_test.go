package carnettest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/columnstore"
)

// Rule: how ciphertext is kept, and how much of it fits into memory, changes no
// answer. A table that is published packed is read with less memory than one of its
// columns needs, then by gateways with other settings, beside one that is raw.
func TestStorageForms(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Storage: columnstore.Options{Form: columnfile.Packed, Memory: 1}})
	sets := publishTrade(t, n, carnet.LayoutRecords)
	ask := func(what string) {
		t.Helper()
		a := n.Submit(t, "buyer", "records", productQuery)
		got, err := n.Open(t, a)
		require.NoError(t, err, what)
		require.Equal(t, Rows(Twin(t, a.Plan, PlainOf(sets...))), Rows(got.Result), what)
		require.False(t, got.Unattested)
	}
	ask("packed, nothing kept")
	for i, o := range []columnstore.Options{{Form: columnfile.Packed}, {NoMap: true, Memory: 300 << 10}, {}} {
		n.Storage = o
		n.Gateway.Restart(t)
		for _, k := range n.Keyholders {
			k.Restart(t) // so that they read everything again
		}
		ask([]string{"packed, all kept", "without mappings", "raw from now on"}[i])
	}
	f := sets[0].Manifest.Files[0]
	raw := n.Publish(t, Publication{Owner: "kz", Name: "again", Schema: ParseSchema(t, tradeYAML), Layout: carnet.LayoutRecords, CSV: trade(0)})
	packed, err := n.Client(t, "kz").Dataset(Context(t), "kz/records")
	require.NoError(t, err)
	other, err := n.Client(t, "kz").Dataset(Context(t), raw.ID)
	require.NoError(t, err)
	values := float64(f.Columns * f.Blocks << 14)
	require.InDelta(t, 27.5, float64(packed.Bytes)/values, 0.4, "bytes a value")
	require.InDelta(t, 32, float64(other.Bytes)/values, 0.4)
}
