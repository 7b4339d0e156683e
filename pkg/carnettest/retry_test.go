package carnettest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

const submitAnswer = "/carnet.v1.ReleaseService/SubmitAnswer"

// Rule (scheme §5): a share is a function of what is opened and of nothing else, so
// that retries, other active sets, a second buyer, a crash and a restart reveal
// nothing new. Asked again in every such way, the opened scalars and every single
// keyholder's share are the same, bit for bit, and nothing is charged twice.
func TestTheSameQuestionOpensTheSameScalars(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 5, Threshold: 3})
	var sets []*Dataset
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		sets = append(sets, publishTrade(t, n, layout)...)
	}
	charged := func() (all []int64) {
		for _, k := range n.Keyholders {
			for _, d := range sets {
				all = append(all, k.Charged(t, d.Key.Key))
			}
		}
		return all
	}
	type seen struct {
		sums   []he.Scalar
		shares map[int][]he.Scalar
	}
	first := map[string]seen{}
	ask := func(buyer carnet.PartyID, sql, product, what string) {
		t.Helper()
		a := n.Submit(t, buyer, carnet.ProductID(product), sql)
		got, err := n.Open(t, a)
		require.NoError(t, err, what)
		require.Empty(t, got.Liars, what)
		s := n.Scalars(t, a)
		require.GreaterOrEqual(t, len(s.Shares), 3, what)
		old, ok := first[sql]
		if !ok {
			first[sql] = seen{s.Combine(t), s.Shares}
			require.Len(t, s.Shares, 5)
			for _, three := range [][]int{{1, 2, 3}, {3, 4, 5}, {1, 3, 5}} {
				require.Equal(t, first[sql].sums, s.Combine(t, three...), "%s: %v", what, three)
			}
			return
		}
		require.Equal(t, old.sums, s.Combine(t), what)
		for i, shares := range s.Shares {
			require.Equal(t, old.shares[i], shares, "%s: keyholder %d", what, i)
		}
	}
	both := func(buyer carnet.PartyID, what string) {
		t.Helper()
		ask(buyer, linearQuery, "cube", what)
		if _, asked := first[productQuery]; !asked || !testing.Short() || buyer == "second" {
			ask(buyer, productQuery, "records", what)
		}
	}
	both("buyer", "the first time")
	once := charged()
	require.NotContains(t, once, int64(0))
	same := func(what string) {
		t.Helper()
		require.Equal(t, once, charged(), "charged twice: %s", what)
	}
	both("buyer", "the same buyer again")
	both("second", "a second buyer")
	same("a second buyer")

	require.NoError(t, n.Keyholders[0].Stop(t))
	require.NoError(t, n.Keyholders[3].Stop(t))
	// Four co-signatures are the quorum of 5/3, so with two away nothing may be released.
	waiting := n.Submit(t, "buyer", "cube", linearQuery)
	time.Sleep(300 * time.Millisecond)
	for _, k := range n.Keyholders {
		require.Nil(t, k.Outcome(t, waiting.Hash), "without a quorum")
	}
	n.Keyholders[3].Start(t)
	both("second", "one keyholder away")
	// The quorum co-signs, and then two keyholders' answers get lost.
	n.Keyholders[0].Start(t)
	away := map[carnet.PartyID]bool{"kh2": true, "kh5": true}
	n.Meddle(func(m *Message) error {
		if m.Method == submitAnswer && away[m.Party] {
			return status.Error(codes.Unavailable, "the network is down")
		}
		return nil
	})
	a := n.Submit(t, "second", "cube", linearQuery)
	Eventually(t, "three answers", 2*time.Minute, func() bool {
		s, err := n.Client(t, "second").Status(Context(t), a.Hash)
		require.NoError(t, err)
		return s.Answers == 3
	})
	s := n.Scalars(t, a)
	require.Len(t, s.Shares, 3)
	require.Equal(t, first[linearQuery].sums, s.Combine(t), "another active set")

	// Those two crash between persisting and sending, and come back.
	var kept [][]byte
	for _, i := range []int{1, 4} {
		Eventually(t, "a persisted answer", 2*time.Minute, func() bool { return n.Keyholders[i].Outcome(t, a.Hash) != nil })
		require.NoError(t, n.Keyholders[i].Stop(t))
		o := n.Keyholders[i].Outcome(t, a.Hash)
		require.False(t, o.Sent)
		kept = append(kept, o.Sealed)
	}
	n.Meddle(nil)
	n.Keyholders[1].Start(t)
	n.Keyholders[4].Start(t)
	_, err := n.Wait(t, a)
	require.NoError(t, err)
	require.Equal(t, kept[0], n.Keyholders[1].Outcome(t, a.Hash).Sealed, "persisted bytes are sent, nothing new is made")
	require.Equal(t, kept[1], n.Keyholders[4].Outcome(t, a.Hash).Sealed)
	require.Equal(t, first[linearQuery].shares, n.Scalars(t, a).Shares)
	same("a crash of two keyholders")

	// Everything restarts. Keyholders go first: one may still be answering an earlier query.
	for _, k := range n.Keyholders {
		require.NoError(t, k.Stop(t))
	}
	entries := len(n.Gateway.Journal(t))
	n.Gateway.Restart(t)
	require.Len(t, n.Gateway.Journal(t), entries)
	for _, k := range n.Keyholders {
		k.Start(t)
	}
	both("buyer", "after a restart of everything")
	same("a restart of everything")
	// The rule is about the functional: another question is charged.
	n.Ask(t, "buyer", "cube", "SELECT SUM(value) FROM cube WHERE month = '01'")
	require.NotEqual(t, once, charged())
}
