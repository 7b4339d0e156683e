package engine

import (
	"encoding/binary"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Rule (releases): what another node counted after a segment was full is neither
// overlooked nor overwritten.
func TestCountOfAnotherNode(t *testing.T) {
	ids := func(from, n int) (out []carnet.Hash) {
		for i := range n {
			var h carnet.Hash
			binary.BigEndian.PutUint32(h[:], uint32(from+i))
			out = append(out, h)
		}
		return out
	}
	key, view := carnet.KeyID{1}, &logical.InmemStorage{}
	fresh := func() *counter { return newCounter(view, storedReleases, "releases") }
	one, other := fresh(), fresh()
	const limit = segmentIDs + 10
	require.NoError(t, one.add(t.Context(), key, ids(0, segmentIDs), allowance{limit: limit}))
	require.NoError(t, other.add(t.Context(), key, ids(segmentIDs, 10), allowance{limit + 5, 5}))
	require.Equal(t, "RELEASES_EXHAUSTED", carnet.ReasonOf(one.add(t.Context(), key, ids(1<<20, 1), allowance{limit: limit})))
	err := one.add(t.Context(), key, ids(1<<20, 2), allowance{limit + 8, 7})
	require.Equal(t, "RELEASES_EXHAUSTED", carnet.ReasonOf(err))
	for _, told := range []string{"2 more distinct numbers", "is 4114,", "4106 are used here", "7 were carried over"} {
		require.ErrorContains(t, err, told)
	}
	require.NoError(t, one.add(t.Context(), key, ids(1<<20, 1), allowance{limit + 8, 7}))
	n, err := fresh().count(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, limit+1, n)
}
