package keyholder

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// stateOf is what a keyholder knows after the world's statements.
func stateOf(t *testing.T, w *world) *state {
	s := newState(w.registrar.Public(), "kh1")
	for _, env := range w.base {
		require.NoError(t, s.apply(env))
	}
	return s
}

// replacement is a statement that gives a party other keys, signed by whoever is given and
// by the registrar.
func (w *world) replacement(t *testing.T, s *state, id carnet.PartyID, change func(*carnet.Party), by ...evidence.Signer) *evidence.Envelope {
	list := s.parties[id].Versions()
	last := list[len(list)-1]
	p := last.Body
	p.Replaces, p.Created = &last.Hash, last.Body.Created.Add(time.Minute)
	change(&p)
	return sign(t, carnet.TypeParty, p, append(by, w.registrar)...)
}

// Rule (rotation): a party's keys change in one order that everybody sees, with possession
// of the new key, consent of the old one and the registrar's word; nothing takes it back.
func TestAttackRotations(t *testing.T) {
	w := cubeWorld(t)
	next, third := newIdentity("owner1, second key"), newIdentity("a thief")
	old := w.owners[0]
	to := func(i *identity) func(*carnet.Party) { return func(p *carnet.Party) { p.SigningKey = i.Public() } }
	s := stateOf(t, w)
	first := sign(t, carnet.TypeParty, s.parties["owner1"].Versions()[0].Body, w.registrar, old)
	require.Equal(t, s.parties["owner1"].Versions()[0].Hash, first.Hash())

	for reason, env := range map[string]*evidence.Envelope{
		"OLD_KEY_MISSING": w.replacement(t, s, "owner1", to(next), next),
		"KEY_REUSED":      w.replacement(t, s, "owner1", func(*carnet.Party) {}, old),
		"PARTY_CHANGED":   w.replacement(t, s, "owner1", func(p *carnet.Party) { p.SigningKey, p.Jurisdiction = next.Public(), "US" }, old, next),
		"OLDER_STATEMENT": w.replacement(t, s, "owner1", func(p *carnet.Party) { p.SigningKey, p.Created = next.Public(), testTime.Add(-1) }, old, next),
		"BAD_SIGNATURE":   w.replacement(t, s, "owner1", to(next), old),
		"PARTY_EXISTS":    w.replacement(t, s, "owner1", func(p *carnet.Party) { p.SigningKey, p.Replaces = next.Public(), nil }, old, next),
		"PARTY_REPLACED":  w.replacement(t, s, "owner1", func(p *carnet.Party) { p.SigningKey, p.Replaces = next.Public(), &carnet.Hash{1} }, old, next),
	} {
		require.Equal(t, reason, carnet.ReasonOf(s.apply(env)), "%v", s.apply(env))
		require.Equal(t, []byte(old.Public()), s.party("owner1").SigningKey)
	}

	fork := w.replacement(t, s, "owner1", to(third), old, third) // by a thief of the old key, kept back
	require.NoError(t, s.apply(w.replacement(t, s, "owner1", to(next), old, next)))
	require.Equal(t, []byte(next.Public()), s.party("owner1").SigningKey)
	require.Equal(t, "PARTY_EXISTS", carnet.ReasonOf(s.apply(first)), "the replayed first statement takes nothing back")
	require.Equal(t, "PARTY_REPLACED", carnet.ReasonOf(s.apply(fork)))
	require.Equal(t, "KEY_REUSED", carnet.ReasonOf(s.apply(w.replacement(t, s, "owner1", to(old), old, next))))

	dated := change(t, w.first(carnet.TypeProduct), func(p *carnet.Product) { p.Title = "dated back" }, old)
	err := s.apply(dated)
	require.Equal(t, "KEY_REPLACED", carnet.ReasonOf(err))
	require.NotEmpty(t, remedy(err))
	require.NoError(t, s.apply(change(t, dated, func(*carnet.Product) {}, next)))

	lost := w.replacement(t, s, "owner1", func(p *carnet.Party) { p.SigningKey, p.ReplacesLost = third.Public(), true }, third)
	require.NoError(t, s.apply(lost), "the registrar alone, since the old key is lost")
}

// Rule (co-signatures): they count with the key in force at the size of the checkpoint.
func TestAttackCosignaturesUnderReplacedKeys(t *testing.T) {
	w := cubeWorld(t)
	s := stateOf(t, w)
	com := s.committees[w.committee]
	old, next := w.stores()[1].Signer(), newIdentity("kh2, second key")
	at := int64(len(w.base))
	require.NoError(t, s.apply(w.replacement(t, s, "kh2", func(p *carnet.Party) { p.SigningKey = next.Public() }, old, next)))
	signers := func(size int64, by evidence.Signer) []carnet.PartyID {
		c := &evidence.SignedCheckpoint{Origin: evidence.Origin(w.registrar.Public()), Checkpoint: carnet.Checkpoint{Size: size, Head: carnet.Hash{1}}}
		require.NoError(t, c.Cosign("kh2", testTime, by))
		return s.cosigners(com, c)
	}
	require.NotEmpty(t, signers(at, old))
	require.Empty(t, signers(at, next), "the key was not in force there")
	require.Empty(t, signers(at+1, old), "a stolen old key")
	require.NotEmpty(t, signers(at+1, next))

	require.NoError(t, s.apply(sign(t, carnet.TypePartyRevocation, carnet.PartyRevocation{Party: "kh2", Created: testTime}, w.registrar)))
	require.NotEmpty(t, signers(at+1, next), "before the revocation")
	require.Empty(t, signers(at+2, next))
	require.True(t, s.isRevokedParty("kh2"))
	require.Nil(t, s.party("kh2"))
}

// Rule (revocation): what a revoked party signs later has no effect, and nobody else but the
// registrar revokes.
func TestAttackARevokedPartyIsNotHeard(t *testing.T) {
	w := cubeWorld(t)
	s := stateOf(t, w)
	revoke := carnet.PartyRevocation{Party: "owner1", Created: testTime}
	require.Equal(t, "BAD_SIGNATURE", carnet.ReasonOf(s.apply(sign(t, carnet.TypePartyRevocation, revoke, w.owners[1]))))
	product := change(t, w.first(carnet.TypeProduct), func(p *carnet.Product) { p.Title = "New" }, w.owners[0])
	require.NoError(t, s.apply(product))
	require.NoError(t, s.apply(sign(t, carnet.TypePartyRevocation, revoke, w.registrar)))
	again := change(t, product, func(p *carnet.Product) { p.Title = "Newer" }, w.owners[0])
	require.Equal(t, "PARTY_REVOKED", carnet.ReasonOf(s.apply(again)))
	require.Equal(t, "New", s.products["trade"].Title)
	next := newIdentity("owner1, second key")
	renewed := w.replacement(t, s, "owner1", func(p *carnet.Party) { p.SigningKey = next.Public() }, w.owners[0], next)
	require.Equal(t, "PARTY_REVOKED", carnet.ReasonOf(s.apply(renewed)), "it is final for the name")
	schema := sign(t, carnet.TypeSchema, w.schema, w.owners[0])
	require.Equal(t, "BAD_SIGNATURE", carnet.ReasonOf(s.apply(schema)))
}

// Rule (revocation): a revoked buyer is not answered, also if it asked before, and if it was
// revoked while the answer was made.
func TestAttackARevokedBuyerIsNotAnswered(t *testing.T) {
	w := cubeWorld(t)
	revocation := sign(t, carnet.TypePartyRevocation, carnet.PartyRevocation{Party: "buyer", Created: testTime}, w.registrar)
	t.Run("after it asked", func(t *testing.T) { require.Equal(t, "PARTY_REVOKED", w.refusedBefore(t, revocation)) })
	t.Run("before it asked", func(t *testing.T) { require.Equal(t, "PARTY_REVOKED", w.refusedAfter(t, revocation)) })
	t.Run("while the answer is made", func(t *testing.T) {
		h := newGateway(t, w).prepare(t, 1, t.TempDir())
		for _, env := range w.base {
			require.NoError(t, h.state.apply(env))
		}
		query := w.ask(t, monthly)
		require.NoError(t, h.state.apply(query))
		c := h.state.newCase(int64(len(w.base)), query)
		require.NoError(t, h.stillGood(t.Context(), c))
		require.NoError(t, h.state.apply(revocation))
		require.Equal(t, "PARTY_REVOKED", carnet.ReasonOf(h.stillGood(t.Context(), c)))
	})
}
