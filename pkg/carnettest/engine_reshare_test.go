package carnettest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// A key goes from one committee to another through secrets engines: kh1 leaves, kh4 joins,
// both with their seeds in an engine under the least permissions, in a Vault that is sealed in
// between, and one owner replaced its key. Nothing is handed on before the engine's operator approved the committee.
func TestReshareThroughEngines(t *testing.T) {
	e := newEngines(t, "kh1", "kh4")
	server, mounts := e.server, e.mounts
	n := Start(t, e.options(t))
	sets := publishTrade(t, n, carnet.LayoutCube)
	e.knowBuyer(t, n)
	e.knowOwners(t, n)
	before, err := n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.NoError(t, err)

	second := n.second(t)
	for _, k := range n.Keyholders[:3] {
		k.ReshareTo = []string{"second"}
		k.Restart(t)
	}
	// One owner replaces its key in between: what it dealt counts with the old one, its word with the new one.
	owner := sets[0].Key.Owner
	dealtWith := n.Identity(owner).Public()
	n.rotate(t, owner)
	for p := range mounts {
		e.operator(t, "carnet-keys-"+string(p)+"/owners/"+string(owner), map[string]any{"signing_key": []byte(n.Identity(owner).Public()), "earlier": [][]byte{dealtWith}})
	}
	for _, s := range sets {
		n.succeed(t, s.Key.Owner, s.Key.Key, second.Hash)
	}
	Eventually(t, "what it waits for", time.Minute, func() bool { return strings.Contains(n.Log(), "nobody approved committee") })
	require.Contains(t, n.Log(), "vault write MOUNT/successors/"+second.Hash.String(), "what its operator has to do")
	require.NoError(t, server.Seal(Context(t)))
	require.NoError(t, server.Unseal(Context(t)))
	var recipients [][]byte
	for _, m := range second.Members {
		p, err := n.Client(t, Operator).Party(Context(t), m)
		require.NoError(t, err)
		recipients = append(recipients, p.SealingKey)
	}
	e.operator(t, "carnet-keys-kh1/successors/"+second.Hash.String(), map[string]any{"recipients": ticket.RecipientsDigest(recipients).String()})

	for _, s := range sets {
		dealing := n.moved(t, s.Key.Key, 1)
		data, err := mounts["kh4"].Read(Context(t), "keys/"+dealing.String())
		require.NoError(t, err)
		require.Equal(t, s.Key.Key.String(), data["key"])
	}
	a := n.Submit(t, "buyer", "cube", linearQuery)
	var got *client.Answer
	kh4 := n.Keyholders[3]
	Eventually(t, "an answer from the engine that joined", time.Minute, func() bool { return kh4.Outcome(t, a.Hash) != nil })
	require.Equal(t, "answer", kh4.Outcome(t, a.Hash).Kind)
	got, err = n.Open(t, a)
	require.NoError(t, err)
	require.Equal(t, Rows(before.Result), Rows(got.Result))
	require.Empty(t, got.Liars)

	// The one that left has nothing any more.
	Eventually(t, "destruction of the old seeds", time.Minute, func() bool {
		held, err := vaultplugin.List(Context(t), mounts["kh1"])
		require.NoError(t, err)
		return len(held) == 0
	})
}
