package carnettest

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/ticket"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// A key goes from one committee to another through secrets engines: kh1 leaves, kh4 joins,
// both with their seeds in an engine under the least permissions, in a Vault that is sealed in
// between. Nothing is handed on before the engine's operator approved the committee.
func TestReshareThroughEngines(t *testing.T) {
	dir := t.TempDir()
	server := vaultserver.New(t, vaultserver.Options{Plugins: dir})
	sum, err := vaultserver.BuildEngine(Context(t), dir, "v1.0.0")
	require.NoError(t, err)
	require.NoError(t, server.RegisterEngine(Context(t), "v1.0.0", sum, "v1.0.0"))
	policy := keystest.NewPerson("policy")
	mounts, sealing := map[carnet.PartyID]vaultplugin.Mount{}, map[carnet.PartyID][]byte{}
	for _, p := range []carnet.PartyID{"kh1", "kh4"} {
		require.NoError(t, server.EnableEngine(Context(t), "carnet-keys-"+string(p), "v1.0.0", policy.Public(), nil, nil))
		login, err := server.Provision(Context(t), "engine", p, t.TempDir())
		require.NoError(t, err)
		conn, err := vaultclient.Open(Context(t), login, nil)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		mounts[p] = vaultplugin.At(conn, "carnet-keys-"+string(p))
		sealing[p], err = vaultplugin.SealingKey(Context(t), mounts[p])
		require.NoError(t, err)
	}
	operator := func(path string, data map[string]any) {
		t.Helper()
		_, err := server.Client().Logical().WriteWithContext(Context(t), path, data)
		require.NoError(t, err)
	}
	n := Start(t, Options{
		Keystore: func(p carnet.PartyID) keys.Store {
			if sealing[p] == nil {
				return nil
			}
			m, err := keystest.NewMemory(rand.Reader)
			require.NoError(t, err)
			return beside{m, sealing[p]}
		},
		Sharer: func(p carnet.PartyID) keys.Sharer {
			if sealing[p] == nil {
				return nil
			}
			s, err := vaultplugin.New(Context(t), mounts[p], policy)
			require.NoError(t, err)
			return s
		},
	})
	sets := publishTrade(t, n, carnet.LayoutCube)
	for p := range mounts {
		operator("carnet-keys-"+string(p)+"/buyers/buyer", map[string]any{"signing_key": []byte(n.Identity("buyer").Public())})
		for _, o := range n.Owners {
			operator("carnet-keys-"+string(p)+"/owners/"+string(o.ID), map[string]any{"signing_key": []byte(n.Identity(o.ID).Public())})
		}
	}
	before, err := n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.NoError(t, err)

	second := n.second(t)
	for _, k := range n.Keyholders[:3] {
		k.ReshareTo = []string{"second"}
		k.Restart(t)
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
	operator("carnet-keys-kh1/successors/"+second.Hash.String(), map[string]any{"recipients": ticket.RecipientsDigest(recipients).String()})

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
