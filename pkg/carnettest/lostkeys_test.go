package carnettest

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/verify"
)

// lose replaces the key of a party on the registrar's word alone.
func (n *Network) lose(t *testing.T, id carnet.PartyID) {
	t.Helper()
	present, hash, err := n.Client(t, Operator).PartyStatement(Context(t), id)
	require.NoError(t, err)
	next, err := ident.New(id, rand.Reader)
	require.NoError(t, err)
	env, err := evidence.LostReplacement(present, hash, next, nil, now())
	require.NoError(t, err)
	_, err = n.Client(t, Operator).RegisterParty(Context(t), env)
	require.Equal(t, "NOT_REGISTRAR", carnet.ReasonOf(err), "%v", err)
	require.NoError(t, env.Countersign(n.identities[Registrar]))
	_, err = n.Client(t, Operator).RegisterParty(Context(t), env)
	require.NoError(t, err)
	n.identities[id] = next
}

// TestLostKeys: an owner and a buyer lost their keys. The network goes on with the new ones, the
// answers sealed to the lost one stay closed, and verifier and monitor tell everybody.
func TestLostKeys(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	early := n.Submit(t, "buyer", "cube", linearQuery)
	before, err := n.Open(t, early)
	require.NoError(t, err)
	lost := []carnet.PartyID{"kz", "buyer"}
	for _, id := range lost {
		n.lose(t, id)
	}
	after := n.Ask(t, "buyer", "cube", linearQuery)
	require.Equal(t, Rows(before.Result), Rows(after.Result))
	_, err = n.Client(t, "buyer").Open(Context(t), n.Identity("buyer"), early)
	require.Error(t, err, "it is sealed to what is lost")

	for _, q := range []carnet.Hash{early.Hash, after.Query} {
		r := n.verify(t, n.export(t, Auditor, q, nil), nil)
		require.Empty(t, r.Failures())
		told := strings.Join(r.Check(verify.CheckSignatures).Found, "\n")
		for _, id := range lost {
			require.Contains(t, told, string(id)+" was replaced by")
		}
		require.Contains(t, told, "WARNING: key")
	}
	var found []carnet.PartyID
	for _, f := range n.monitor(t) {
		require.Equal(t, "OLD_KEY_LOST", f.Reason, "%+v", f)
		found = append(found, f.By)
	}
	require.ElementsMatch(t, lost, found)
}
