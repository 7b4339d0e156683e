package engine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

// signedBy is the statement with another signature: signatures are no part of its hash.
func signedBy(t testing.TB, env *evidence.Envelope, by evidence.Signer) *evidence.Envelope {
	out := &evidence.Envelope{PayloadType: env.PayloadType, Payload: env.Payload}
	require.NoError(t, out.Countersign(by))
	return out
}

func (a *attacker) enter(owner carnet.PartyID, present evidence.Signer, earlier ...evidence.Signer) error {
	list := make([]string, len(earlier))
	for i, k := range earlier {
		list[i] = text(k.Public())
	}
	_, err := a.engine.Write(a.t.Context(), "owners/"+string(owner), map[string]any{"signing_key": text(present.Public()), "earlier": list})
	return err
}

// An owner that replaced its key deals a key again that it dealt before, over a restart. What it
// says now counts with its present key only, and its keys in their order.
func TestAttackReplacedOwnerKey(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	old, next, thief := a.net.Buyer, keystest.NewPerson("next"), keystest.NewPerson("thief")
	again, after := a.net.Redeal(0, a.sharer.SealingKey(), "again")
	owner, path := again.Body.Owner, "keys/"+again.Key.String()+"/again"
	imported := *again
	imported.Statement, imported.Again = signedBy(t, again.Statement, next), nil
	require.NoError(t, a.sharer.Accept(t.Context(), &imported, after.Sealed(again.Key)))
	shown := func(first, redealing evidence.Signer) map[string]any {
		return a.showing(&keys.Dealing{Again: &keys.Again{First: signedBy(t, again.Again.First, first), Redealing: signedBy(t, again.Again.Redealing, redealing)}})
	}

	a.refused("BAD_REDEALING", path, shown(old, next)) // the engine knows the old key only
	require.NoError(t, a.enter(owner, next))
	a.refused("BAD_REDEALING", path, shown(old, next)) // and now the new one only
	require.NoError(t, a.enter(owner, old, next))
	a.refused("BAD_REDEALING", path, shown(old, next)) // the wrong way round
	require.NoError(t, a.enter(owner, next, old))
	a.refused("BAD_REDEALING", path, shown(thief, next))
	a.refused("BAD_REDEALING", path, shown(old, thief))
	// Rule: with a replaced key nobody deals again.
	a.refused("BAD_REDEALING", path, shown(old, old))
	a.refused("BAD_REDEALING", path, shown(next, old))

	a.engine = newEngine(t, a.storage)
	a.sharer = sharer(t, a.engine)
	_, err := a.engine.Write(t.Context(), path, shown(old, next))
	require.NoError(t, err)
	got, err := a.engine.Read(t.Context(), "owners/"+string(owner))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"signing_key": text(next.Public()), "earlier": []any{text(old.Public())}}, got)

	for name, bad := range map[string][]evidence.Signer{"the present one": {next}, "twice": {old, old}} {
		require.Equal(t, "BAD_REQUEST", carnet.ReasonOf(a.enter(owner, next, bad...)), name)
	}
	_, err = a.engine.Write(t.Context(), "owners/"+string(owner), map[string]any{"signing_key": text(next.Public()), "earlier": []string{text(make([]byte, 31))}})
	require.Equal(t, "BAD_REQUEST", carnet.ReasonOf(err))
}

// A key that was dealt with a replaced key is handed on by the owner's present word, and taken over.
func TestAttackHandOverByReplacedOwnerKey(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	old, next := a.net.Buyer, keystest.NewPerson("next")
	h := a.net.Handing(0, "next")
	approve(t, a.engine, h.Committee, h.Recipients)
	said := func(by evidence.Signer) *keys.Handing {
		out := *h
		out.Succession = signedBy(t, h.Succession, by)
		return &out
	}
	owner := a.net.Dealings[0].Body.Owner
	_, err := a.handOver(said(next))
	a.wants("SUCCESSION_MISSING", err)
	require.NoError(t, a.enter(owner, next))
	_, err = a.handOver(said(next))
	a.wants("SUCCESSION_MISSING", err) // the dealing itself is signed with a key that it does not know
	require.NoError(t, a.enter(owner, next, old))
	_, err = a.handOver(said(old))
	a.wants("SUCCESSION_MISSING", err)
	require.True(t, strings.Contains(err.Error(), "replaced"), err)
	_, err = a.handOver(said(next))
	require.NoError(t, err)

	m, _ := a.net.Move(0, h, a.sharer.SealingKey())
	_, err = m.TakeOver(t, a.sharer, said(old), m.Sealed)
	a.wants("SUCCESSION_MISSING", err)
	require.NoError(t, a.enter(owner, next))
	_, err = m.TakeOver(t, a.sharer, said(next), m.Sealed)
	a.wants("SUCCESSION_MISSING", err)
	require.NoError(t, a.enter(owner, next, old))
	liars, err := m.TakeOver(t, a.sharer, said(next), m.Sealed)
	require.NoError(t, err)
	require.Empty(t, liars)
}
