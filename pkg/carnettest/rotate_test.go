package carnettest

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/verify"
)

// replace registers a statement with which a party has other keys.
func (n *Network) replace(t *testing.T, id carnet.PartyID, change func(*carnet.Party), by ...evidence.Signer) {
	t.Helper()
	present, hash, err := n.Client(t, Operator).PartyStatement(Context(t), id)
	require.NoError(t, err)
	body := *present
	body.Replaces, body.Created = &hash, now()
	change(&body)
	env, err := evidence.Seal(carnet.TypeParty, body, append(by, n.identities[Registrar])...)
	require.NoError(t, err)
	_, err = n.Client(t, Operator).RegisterParty(Context(t), env)
	require.NoError(t, err)
}

// rotate replaces both keys of a keyholder while it runs.
func (k *Keyholder) rotate(t *testing.T) {
	t.Helper()
	r := k.Keys.(keys.Rotator)
	next, err := r.Draw(Context(t), true, true)
	require.NoError(t, err)
	k.n.replace(t, k.Party, func(p *carnet.Party) { p.SigningKey, p.SealingKey = next.Signer.Public(), next.SealingKey }, k.Keys.Signer(), next.Signer)
	Eventually(t, "that the keyholder uses its new keys and has destroyed the old ones", time.Minute, func() bool {
		return k.Keys.Signer().Public().Equal(next.Signer.Public()) && r.Replaced() == 0
	})
}

// rotate replaces the key of a party that has an identity.
func (n *Network) rotate(t *testing.T, id carnet.PartyID) {
	t.Helper()
	next, err := ident.New(id, rand.Reader)
	require.NoError(t, err)
	n.replace(t, id, func(p *carnet.Party) { p.SigningKey = next.Public() }, n.Identity(id), next)
	n.identities[id] = next
}

// TestRotation: keyholders and an owner replace their keys while the network runs. What was
// published, dealt and answered before stays verifiable by everybody; what comes after goes
// by the new keys.
func TestRotation(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	early := n.Submit(t, "buyer", "cube", linearQuery)
	before, err := n.Open(t, early)
	require.NoError(t, err)
	for _, k := range n.Keyholders {
		k.rotate(t)
	}
	n.rotate(t, "kz")

	after := n.Ask(t, "buyer", "cube", linearQuery)
	require.Equal(t, Rows(before.Result), Rows(after.Result))
	again, err := n.Client(t, "buyer").Open(Context(t), n.Identity("buyer"), early)
	require.NoError(t, err)
	require.Equal(t, Rows(before.Result), Rows(again.Result))
	require.Empty(t, again.Rejected)

	key := n.Deal(t, "kz", sets[0].Key.Profile, "")
	Eventually(t, "that seeds sealed to the new keys are held", time.Minute, func() bool {
		said, err := n.Client(t, "kz").DealingStatus(Context(t), key.Key)
		require.NoError(t, err)
		held := 0
		for _, c := range said {
			require.True(t, c.OK, "%+v", c)
			held++
		}
		return held == len(n.Keyholders)
	})
	s, err := n.Client(t, "buyer").KeyState(Context(t), sets[0].Key.Key)
	require.NoError(t, err)
	require.True(t, s.Opens)

	for _, q := range []carnet.Hash{early.Hash, after.Query} {
		r := n.verify(t, n.export(t, Auditor, q, nil), func(*verify.Options) {})
		require.Empty(t, r.Failures())
	}
	require.Empty(t, n.monitor(t))
}

// TestRevokedParties: a keyholder and a buyer are revoked. Both are not heard any more; the
// others go on while they make a quorum.
func TestRevokedParties(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 5, Threshold: 2})
	publishTrade(t, n, carnet.LayoutCube)
	want := Rows(n.Ask(t, "buyer", "cube", linearQuery).Result)
	registrar := n.Client(t, Operator)
	for _, id := range []carnet.PartyID{n.Keyholders[4].Party, "second"} {
		_, err := registrar.RevokeParty(Context(t), n.Identity(Registrar), id, "left the network")
		require.NoError(t, err)
		_, err = registrar.Party(Context(t), id)
		require.Equal(t, "PARTY_REVOKED", carnet.ReasonOf(err))
	}
	_, err := n.Client(t, "second").Ask(Context(t), n.Identity("second"), "cube", linearQuery, Purpose, 0)
	require.Equal(t, "PARTY_REVOKED", carnet.ReasonOf(err), "%v", err)
	got := n.Ask(t, "buyer", "cube", linearQuery)
	require.Equal(t, want, Rows(got.Result))
	require.NotContains(t, got.Used, n.Keyholders[4].Party)
	st, err := n.Client(t, "buyer").Status(Context(t), got.Query)
	require.NoError(t, err)
	require.Equal(t, 4, st.Keyholders, "nobody waits for one that is not heard any more")
	_, err = n.Client(t, "kz").Deal(Context(t), n.Identity("kz"), &ident.DatasetKey{}, n.Committee, "", rand.Reader)
	require.Error(t, err)
	require.Empty(t, n.monitor(t))

	for _, k := range n.Keyholders[:3] {
		_, err := registrar.RevokeParty(Context(t), n.Identity(Registrar), k.Party, "left the network")
		require.NoError(t, err)
	}
	_, err = n.Client(t, "buyer").Ask(Context(t), n.Identity("buyer"), "cube", linearQuery, Purpose, 0)
	require.Equal(t, "KEYHOLDERS_REVOKED", carnet.ReasonOf(err), "%v", err)
}
