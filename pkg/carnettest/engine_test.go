package carnettest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/keys"
)

// beside is a keystore whose seeds are in the secrets engine: owners seal to that.
type beside struct {
	keys.Store
	sealing []byte
}

func (b beside) SealingKey() []byte { return b.sealing }

// A keyholder whose seeds are in the secrets engine answers with the others, sums,
// products and private parameters alike, under the least permissions; a buyer that the
// engine's operator does not know waits until it is approved. Sealed at any time, Vault
// is waited for.
func TestSeedsInTheEngine(t *testing.T) {
	e := newEngines(t, "kh1")
	server, o := e.server, e.options(t)
	o.Keyholders, o.Threshold = 4, 2 // private parameters need all four: the engine's among them
	n := Start(t, o)
	kh := n.Keyholders[0]
	answered := func(a *client.Asked) {
		t.Helper()
		Eventually(t, "answer from the engine", time.Minute, func() bool { return kh.Outcome(t, a.Hash) != nil })
		require.Equal(t, "answer", kh.Outcome(t, a.Hash).Kind)
	}

	// The other keyholders answer to a buyer whom the engine does not know; it does when
	// it is told.
	sets := publishTrade(t, n, carnet.LayoutCube)
	a := n.Submit(t, "buyer", "cube", linearQuery)
	Eventually(t, "the others' answers", time.Minute, func() bool {
		s, err := n.Client(t, "buyer").Status(Context(t), a.Hash)
		require.NoError(t, err)
		return s.Answers == 3
	})
	require.Nil(t, kh.Outcome(t, a.Hash))
	e.knowBuyer(t, n)
	answered(a)

	// Every sort of question, with every answer in the codeword.
	publishTrade(t, n, carnet.LayoutRecords)
	for layout, sql := range layoutQueries {
		a := n.Submit(t, "buyer", carnet.ProductID(layout), sql)
		got, err := n.Open(t, a)
		require.NoError(t, err)
		answered(a)
		require.Len(t, got.Used, 4)
		require.Empty(t, got.Liars)
		require.NotEmpty(t, got.Result.Rows)
	}
	for _, q := range privateQuestions[:2] {
		a := n.SubmitPrivate(t, "buyer", q.product, q.sql, q.values...)
		got, err := n.Open(t, a)
		require.NoError(t, err)
		answered(a)
		require.Equal(t, Rows(n.Ask(t, "buyer", q.product, written(q.sql, q.values)).Result), Rows(got.Result))
	}

	// Rows of two owners, whose shares are multiplied inside.
	publishAligned(t, n, listing("uz"), listing("kz"))
	for _, sql := range []string{worth, distance} {
		a := n.Submit(t, "buyer", "tonnage", sql)
		got, err := n.Open(t, a)
		require.NoError(t, err)
		answered(a)
		require.Len(t, got.Used, 4)
		require.Empty(t, got.Liars)
	}

	// Noise: the engine draws what others who hold the same part draw, for every sort.
	publishNoisy(t, n).requireNoise(t, n, slices.Concat(noisyPlain(), noisyPrivate()[:3], noisyAcross()[:4]))

	// Sealed when a query comes: it is answered afterwards.
	require.NoError(t, server.Seal(Context(t)))
	a = n.Submit(t, "buyer", "cube", "SELECT COUNT(*), SUM(weight) FROM cube WHERE month = '01'")
	Eventually(t, "the others' answers", time.Minute, func() bool {
		s, err := n.Client(t, "buyer").Status(Context(t), a.Hash)
		require.NoError(t, err)
		return s.Answers == 3
	})
	require.NoError(t, server.Unseal(Context(t)))
	answered(a)

	// Keys dealt again: once the engine is told who their owners are.
	want := n.Ask(t, "buyer", "cube", linearQuery).Result
	_, err := n.Client(t, Operator).RegisterCommittee(Context(t), n.identities[Registrar], carnet.Committee{ID: "again",
		Members: []carnet.PartyID{"kh3", "kh1", "kh2"}, Threshold: 2, Quorum: 3, Attestations: 1, PrivateChecks: 3})
	require.NoError(t, err)
	again, err := n.Client(t, Operator).Committee(Context(t), "again")
	require.NoError(t, err)
	for _, s := range sets {
		n.redeal(t, s.Key, again)
	}
	a = n.Submit(t, "buyer", "cube", linearQuery)
	Eventually(t, "what it waits for", time.Minute, func() bool { return strings.Contains(n.Log(), "can't tell what owner") })
	require.Nil(t, kh.Outcome(t, a.Hash))
	e.knowOwners(t, n)
	answered(a)
	got, err := n.Open(t, a)
	require.NoError(t, err)
	require.Equal(t, Rows(want), Rows(got.Result))
	require.Len(t, got.Used, 3)

	// Nothing of it is in the keyholder's own keystore.
	held, err := kh.Keys.List(Context(t))
	require.NoError(t, err)
	require.Empty(t, held)
}
