package flow_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/ident"
)

// rotated is a statement with which a party has another signing key, which it returns.
func rotated(n *flowtest.Network, id carnet.PartyID, change func(*carnet.Party)) (*evidence.Envelope, *ident.Identity) {
	list, _, err := n.G.PartyHistory(ctx, id)
	require.NoError(n.T, err)
	next, err := ident.New(id, rand.Reader)
	require.NoError(n.T, err)
	last := list[len(list)-1]
	var p carnet.Party
	require.NoError(n.T, last.Envelope.Decode(carnet.TypeParty, &p))
	p.Replaces, p.SigningKey, p.Created = &last.Hash, next.Public(), p.Created.Add(time.Minute)
	if change != nil {
		change(&p)
	}
	env, err := evidence.Seal(carnet.TypeParty, p, next, n.IDs[id], n.Registrar)
	require.NoError(n.T, err)
	return env, next
}

// Rule (rotation): from the entry on the gateway takes only what the new key signs.
func TestAttackRotatedPartyKeys(t *testing.T) {
	n := flowtest.New(t)
	first := n.PartyStatement("hk")
	env, next := rotated(n, "hk", nil)
	half := &evidence.Envelope{PayloadType: env.PayloadType, Payload: env.Payload, Signatures: []evidence.Signature{env.Signatures[0], env.Signatures[2]}}
	_, err := n.G.RegisterParty(ctx, half)
	requireReason(t, "OLD_KEY_MISSING", err)
	stolen, _ := rotated(n, "hk", nil) // kept back by a thief
	ref, err := n.G.RegisterParty(ctx, env)
	require.NoError(t, err)
	again, err := n.G.RegisterParty(ctx, env)
	require.NoError(t, err)
	require.Equal(t, ref, again)
	_, err = n.G.RegisterParty(ctx, first)
	requireReason(t, "PARTY_EXISTS", err)
	_, err = n.G.RegisterParty(ctx, stolen)
	requireReason(t, "PARTY_REPLACED", err)

	s := *n.Schema
	s.Version = 7
	hk, st, err := n.G.Party(ctx, "hk")
	require.NoError(t, err)
	require.Equal(t, []byte(next.Public()), hk.SigningKey)
	require.Equal(t, env.Hash(), st.Hash)
	_, err = n.G.RegisterSchema(ctx, hk, n.Seal(carnet.TypeSchema, s, "hk"))
	requireReason(t, "KEY_REPLACED", err)
	require.Equal(t, carnet.Forbidden, carnet.KindOf(err), "a keyholder signs again and repeats it")
	good, err := evidence.Seal(carnet.TypeSchema, s, next)
	require.NoError(t, err)
	_, err = n.G.RegisterSchema(ctx, hk, good)
	require.NoError(t, err)
	list, revoked, err := n.G.PartyHistory(ctx, "hk")
	require.NoError(t, err)
	require.Nil(t, revoked)
	require.Len(t, list, 2)
	n.Restart()
	hk, _, err = n.G.Party(ctx, "hk")
	require.NoError(t, err)
	require.Equal(t, []byte(next.Public()), hk.SigningKey)
}

// Rule (co-signatures): a keyholder co-signs with the key in force at the size.
func TestAttackCosignaturesUnderReplacedKeys(t *testing.T) {
	n := flowtest.New(t)
	before := n.Published()
	env, next := rotated(n, "k1", nil)
	_, err := n.G.RegisterParty(ctx, env)
	require.NoError(t, err)
	after := n.Published()
	require.Greater(t, after.Size, before.Size)
	by := func(cp carnet.Checkpoint, signer evidence.Signer) *evidence.SignedCheckpoint {
		c := n.Cosigned(cp)
		require.NoError(t, c.Cosign("k1", n.Now(), signer))
		return c
	}
	k1 := n.Parties["k1"]
	requireReason(t, "KEY_REPLACED", n.G.Cosign(ctx, k1, by(after, n.IDs["k1"])))
	requireReason(t, "KEY_REPLACED", n.G.Cosign(ctx, k1, by(before, next)))
	require.NoError(t, n.G.Cosign(ctx, k1, by(before, n.IDs["k1"])))
	require.NoError(t, n.G.Cosign(ctx, k1, by(after, next)))
}

func TestRevokeParty(t *testing.T) {
	n := flowtest.New(t)
	revoke := func(id, by carnet.PartyID) (flow.Ref, error) {
		return n.G.RevokeParty(ctx, n.Seal(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: id, Reason: "left", Created: n.Now()}, by))
	}
	_, err := revoke("k1", "k2")
	requireReason(t, "NOT_REGISTRAR", err)
	_, err = revoke("nobody", "registrar")
	requireReason(t, "UNKNOWN_PARTY", err)
	for _, id := range []carnet.PartyID{"k1", "hk"} {
		_, err = revoke(id, "registrar")
		require.NoError(t, err)
	}
	n.Advance(time.Second)
	_, err = revoke("k1", "registrar")
	requireReason(t, "PARTY_REVOKED", err)
	_, _, err = n.G.Party(ctx, "k1")
	requireReason(t, "PARTY_REVOKED", err)
	requireReason(t, "PARTY_REVOKED", n.G.Cosign(ctx, n.Parties["k1"], n.Cosigned(n.Published(), "k1")))
	s := *n.Schema
	s.Version = 7
	_, err = n.G.RegisterSchema(ctx, n.Parties["hk"], n.Seal(carnet.TypeSchema, s, "hk"))
	requireReason(t, "PARTY_REVOKED", err)
	env, _ := rotated(n, "hk", nil)
	_, err = n.G.RegisterParty(ctx, env)
	requireReason(t, "PARTY_REVOKED", err)
	c := n.Committee
	c.ID = "next"
	_, err = n.G.RegisterCommittee(ctx, n.Seal(carnet.TypeCommittee, c, "registrar"))
	requireReason(t, "BAD_MEMBER", err)
	list, revoked, err := n.G.PartyHistory(ctx, "k1")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NotNil(t, revoked)
	ended, err := n.G.PartyRevocations(ctx, []carnet.PartyID{"k1", "k2", "hk", "nobody"})
	require.NoError(t, err)
	require.Len(t, ended, 2)
}

// Rule (revocation): a committee of which a member was revoked takes no key over, also if
// that member signed before. Keyholders give the resharing no effect, so the gateway must
// not open the key with it either.
func TestAttackAKeyTakenOverWithARevokedMember(t *testing.T) {
	m := newMoving(t)
	require.NoError(t, m.succeed("kz", nil))
	for i := 1; i <= 3; i++ {
		require.NoError(t, m.submit(m.contribution(i)))
	}
	for _, member := range m.next.Members[:2] {
		_, err := m.G.SubmitResharing(ctx, m.Parties[member], m.resharing(member))
		require.NoError(t, err)
	}
	gone := m.next.Members[0]
	_, err := m.G.RevokeParty(ctx, m.Seal(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: gone, Created: m.Now()}, "registrar"))
	require.NoError(t, err)
	last := m.next.Members[2]
	requireReason(t, "BAD_MEMBER", second(m.G.SubmitResharing(ctx, m.Parties[last], m.resharing(last))))
	requireReason(t, "BAD_MEMBER", m.submit(m.contribution(1)))
	d, err := m.G.Dealing(ctx, m.Parties["kz"], m.key.ID)
	require.NoError(t, err)
	require.Empty(t, d.Redealings)
}
