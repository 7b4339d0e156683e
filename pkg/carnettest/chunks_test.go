package carnettest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/columnstore"
)

// A cube of more than a million cells has columns of two chunks. What lies in the
// second one is found by owner, gateway and keyholders alike, with memory for one limb
// of one chunk only.
func TestColumnsOfSeveralChunks(t *testing.T) {
	if testing.Short() {
		t.Skip("encrypts a million cells")
	}
	t.Parallel()
	var b strings.Builder
	b.WriteString("name: wide\nversion: 1\ntitle: Wide\ndimensions:\n")
	for name, codes := range map[string]int{"a": 1040, "b": 1024} {
		fmt.Fprintf(&b, "  - name: %s\n    codes: [", name)
		for i := range codes {
			fmt.Fprintf(&b, "{value: %s%04d}, ", name, i)
		}
		b.WriteString("]\n")
	}
	b.WriteString("measures:\n  - {name: value, min: \"0\", max: \"1000\"}\nlimits: {rows: 1000, datasets: 2}\nlayouts: [cube]\n")
	n := Start(t, Options{Storage: columnstore.Options{Form: columnfile.Packed, Memory: 64 << 17}})
	s := ParseSchema(t, b.String())
	rows := "a,b,value\na0000,b0000,1\na0000,b0007,20\na1023,b1023,300\na1039,b0000,500\na1039,b1023,600\n"
	set := n.Publish(t, Publication{Owner: "kz", Name: "wide", Schema: s, Layout: carnet.LayoutCube, CSV: rows})
	require.Equal(t, 65, set.Manifest.Files[0].Blocks)
	n.Product(t, "wide", set)
	for sql, want := range map[string][][]string{
		"SELECT COUNT(*), SUM(value) FROM wide WHERE a = 'a1039'":                                     {{"2", "1100"}},
		"SELECT a, SUM(value) FROM wide WHERE a IN ('a0000', 'a1023', 'a1039') GROUP BY a ORDER BY a": {{"a0000", "21"}, {"a1023", "300"}, {"a1039", "1100"}},
		"SELECT COUNT(*), SUM(value) FROM wide WHERE a IN ('a0000', 'a1039') AND b IN ('b0000')":      {{"2", "501"}},
	} {
		got := n.Ask(t, "buyer", "wide", sql)
		require.Equal(t, want, Rows(got.Result), sql)
		require.False(t, got.Unattested)
		require.Equal(t, 3, got.Attested)
	}
}
