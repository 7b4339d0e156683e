package sample

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bytes are the same everywhere: tests and documentation quote results.
func TestLineitemSameEverywhere(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteTbl(&b, Lineitems(1, 1500)))
	lines := strings.Split(b.String(), "\n")
	require.Equal(t, "1|174|3|1|23|24705.91|0.02|0.06|R|F|1992-09-14|1992-09-28|1992-09-16|NONE|TRUCK|made up 384|", lines[0])
	sum := sha256.Sum256(b.Bytes())
	require.Equal(t, "6072d8c52603ed1b", hex.EncodeToString(sum[:8]))
	require.ErrorContains(t, WriteTbl(&full{5000}, Lineitems(1, 1500)), "disk full")
}

// Every column used by queries has the distribution of the specification.
func TestLineitemDistributions(t *testing.T) {
	const want = 6000
	var rows, orders float64
	quantity, discount, tax, lines := map[int64]float64{}, map[int64]float64{}, map[int64]float64{}, map[int]float64{}
	flags := map[string]float64{}
	last := int64(0)
	for l := range Lineitems(7, want) {
		rows++
		if l.Order != last {
			require.Greater(t, l.Order, last)
			require.Less(t, (l.Order-1)%32, int64(8))
			orders++
			last = l.Order
		}
		quantity[l.Quantity]++
		discount[l.Discount]++
		tax[l.Tax]++
		lines[l.Line]++
		flags[l.ReturnFlag+l.LineStatus]++
		require.Equal(t, l.Quantity*(90000+l.Part/10%20001+100*(l.Part%1000)), l.ExtendedPrice)
		require.LessOrEqual(t, l.Ship, day(1998, 12, 1))
		require.GreaterOrEqual(t, l.Ship, day(1992, 1, 2))
		require.Greater(t, l.Receipt, l.Ship)
		require.LessOrEqual(t, l.Receipt, l.Ship+30)
		require.True(t, l.Supplier >= 1 && l.Supplier <= want/150, "%d", l.Supplier)
	}
	require.InDelta(t, want, orders, 0)
	require.InEpsilon(t, 4*orders, rows, 0.02)
	uniform := func(counts map[int64]float64, values int) {
		t.Helper()
		require.Len(t, counts, values)
		want := rows / float64(values)
		for v, n := range counts {
			require.InDelta(t, want, n, 5*math.Sqrt(want), "value %d", v)
		}
	}
	uniform(quantity, 50)
	uniform(discount, 11)
	uniform(tax, 9)
	require.InEpsilon(t, orders, lines[1], 0.0001)
	require.InEpsilon(t, orders/7, lines[7], 0.05)
	// The four groups of Q1, in the proportions that TPC-H's answer shows.
	require.Len(t, flags, 4)
	require.InDelta(t, 0.246, flags["AF"]/rows, 0.01)
	require.InDelta(t, 0.246, flags["RF"]/rows, 0.01)
	require.InDelta(t, 0.0065, flags["NF"]/rows, 0.001)
	require.InDelta(t, 0.50, flags["NO"]/rows, 0.01)
}
