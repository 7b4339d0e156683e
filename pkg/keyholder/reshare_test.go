package keyholder

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/local"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// moving is a world whose first key may move to a committee of the same keyholders under
// other numbers, seen by kh1.
type moving struct {
	*world
	s      *state
	key    carnet.KeyID
	next   *evidence.Envelope // committee
	stores []*keystest.Memory
	at     time.Time
}

func newMoving(t *testing.T, w *world) *moving {
	m := &moving{world: w, s: newState(w.registrar.Public(), "kh1"), key: carnet.KeyID(w.dealings[0].Hash()), stores: w.stores(), at: testTime}
	for _, e := range w.base {
		require.NoError(t, m.s.apply(e))
	}
	m.next = m.committee(t, "next", "kh2", "kh3", "kh1")
	require.NoError(t, m.s.apply(m.next))
	return m
}

func (m *moving) committee(t *testing.T, id carnet.CommitteeID, members ...carnet.PartyID) *evidence.Envelope {
	return sign(t, carnet.TypeCommittee, carnet.Committee{ID: id, Members: members, Threshold: 2, Quorum: 3, Attestations: 1, Created: testTime}, m.registrar)
}

// succession lets the next committee have the key, unless it is changed.
func (m *moving) succession(t *testing.T, change ...func(*carnet.Succession)) *evidence.Envelope {
	m.at = m.at.Add(time.Second)
	b := carnet.Succession{Key: m.key, Owner: "owner1", Committees: []carnet.Hash{m.next.Hash()}, Created: m.at}
	for _, c := range change {
		c(&b)
	}
	return sign(t, carnet.TypeSuccession, b, m.owners[0])
}

func (m *moving) move(t *testing.T) *move {
	d := m.s.dealings[m.key]
	got, err := share.NewMove(m.key, d.committee.scheme, m.next.Hash(), m.s.committees[m.next.Hash()].scheme)
	require.NoError(t, err)
	return &move{Move: got, key: m.key, from: d, committee: m.s.committees[m.next.Hash()], first: d.env}
}

// handOver is what keyholder i, from 1, contributes, with what it sealed.
func (m *moving) handOver(t *testing.T, i int) (carnet.Contribution, *keys.HandedOver) {
	sharer := local.New(m.stores[i-1], local.Options{})
	d := m.s.dealings[m.key].shared()
	d.Number = i
	require.NoError(t, sharer.Accept(t.Context(), d, m.sealed[m.key][i-1]))
	mv := m.move(t)
	h := mv.handing()
	h.Recipients = m.s.sealingKeys(mv.committee)
	got, err := sharer.HandOver(t.Context(), d, h)
	require.NoError(t, err)
	m.at = m.at.Add(time.Second)
	b := carnet.Contribution{Key: m.key, From: m.key, Committee: m.next.Hash(), By: carnet.PartyID("kh" + string(rune('0'+i))), Number: i, Parts: got.Parts, Created: m.at}
	for _, x := range got.Sealed {
		b.Sealed = append(b.Sealed, sha256.Sum256(x))
	}
	return b, got
}

func (m *moving) contribution(t *testing.T, i int, change ...func(*carnet.Contribution)) *evidence.Envelope {
	b, _ := m.handOver(t, i)
	for _, c := range change {
		c(&b)
	}
	return sign(t, carnet.TypeContribution, b, m.stores[i-1].Signer())
}

// resharing follows from the contributions of all, signed by the keyholders given, from 1.
func (m *moving) resharing(t *testing.T, signers []int, change ...func(*carnet.Resharing)) *evidence.Envelope {
	mv := m.move(t)
	said := map[int]*carnet.Contribution{}
	polys := map[carnet.Hash][]byte{}
	for i := 1; i <= 3; i++ {
		b, got := m.handOver(t, i)
		said[i] = &b
		for h, x := range got.Corrections {
			polys[h] = x
		}
	}
	agreed := mv.Agree(said).Parts
	b := mv.resharing(agreed)
	ring := he.NewRing(m.profile)
	for j, old := range m.corrections[m.key] {
		sum, part := ring.NewPoly(), ring.NewPoly()
		require.NoError(t, wire.ReadPoly(m.profile, old, sum))
		for _, p := range agreed {
			require.NoError(t, wire.ReadPoly(m.profile, polys[p.Corrections[j]], part))
			ring.Add(sum, part, sum)
		}
		b.Corrections = append(b.Corrections, wire.CorrectionHash(j+1, wire.AppendPoly(nil, m.profile, sum)))
	}
	for _, c := range change {
		c(&b)
	}
	var by []evidence.Signer
	for _, i := range signers {
		by = append(by, m.stores[i-1].Signer())
	}
	return sign(t, carnet.TypeResharing, b, by...)
}

func (m *moving) apply(t *testing.T, reason string, env *evidence.Envelope) {
	t.Helper()
	require.Equal(t, reason, carnet.ReasonOf(m.s.apply(env)))
}

func (m *moving) ok(t *testing.T, envs ...*evidence.Envelope) {
	t.Helper()
	for _, e := range envs {
		require.NoError(t, m.s.apply(e))
	}
}

// TestReshareSwitch: from the entry of the resharing on the key is opened with it, and from
// no other dealing or committee again.
func TestReshareSwitch(t *testing.T) {
	m := newMoving(t, cubeWorld(t))
	m.ok(t, m.succession(t), m.contribution(t, 1), m.contribution(t, 2), m.contribution(t, 3))
	require.Equal(t, m.key, m.s.opened(m.key).id)
	_, take := m.s.moves(func(*committee) bool { return true })
	require.Len(t, take, 1)
	env := m.resharing(t, []int{1, 2, 3})
	m.ok(t, env)
	d := m.s.opened(m.key)
	require.Equal(t, carnet.KeyID(env.Hash()), d.id)
	require.Equal(t, 3, d.committee.number)
	require.True(t, m.s.over(m.key))
	require.False(t, m.s.over(d.id))
	require.True(t, d.shared().Handed)
	require.Equal(t, m.key, d.shared().As)

	m.apply(t, "RESHARE_OVER", env)
	m.apply(t, "RESHARE_OVER", m.contribution(t, 1))
	m.ok(t, m.succession(t, func(b *carnet.Succession) { b.Committees = append(b.Committees, m.committeeHash()) }))
	give, take := m.s.moves(func(*committee) bool { return true })
	require.Empty(t, give, "it does not go back to a committee that had it")
	require.Empty(t, take)

	// The owner can still deal it again, and retire it.
	m.ok(t, retirement(t, m.world, 0))
	require.True(t, m.s.isEnded(d.id))
}

func (m *moving) committeeHash() carnet.Hash { return m.world.committee }

// Rule (resharing): only with the word of the key's owner, the newest.
func TestReshareUnauthorised(t *testing.T) {
	m := newMoving(t, cubeWorld(t))
	m.apply(t, "SUCCESSION_MISSING", m.contribution(t, 1))
	m.apply(t, "BAD_SIGNATURE", sign(t, carnet.TypeSuccession, carnet.Succession{Key: m.key, Owner: "owner1", Committees: []carnet.Hash{m.next.Hash()}, Created: testTime}, m.owners[1]))
	m.apply(t, "BAD_SUCCESSION", sign(t, carnet.TypeSuccession, carnet.Succession{Key: m.key, Owner: "owner2", Committees: []carnet.Hash{m.next.Hash()}, Created: testTime}, m.owners[1]))
	m.apply(t, "SUCCESSION_MISSING", m.contribution(t, 1))

	for name, c := range map[string]struct {
		allowed bool
		rule    carnet.SuccessionRule
	}{
		"fits":                 {true, carnet.SuccessionRule{Members: 3, Threshold: 2}},
		"in its jurisdictions": {true, carnet.SuccessionRule{Members: 1, Threshold: 1, Jurisdictions: []carnet.Jurisdiction{"KZ", "CH"}}},
		"in others":            {false, carnet.SuccessionRule{Members: 1, Threshold: 1, Jurisdictions: []carnet.Jurisdiction{"KZ"}}},
		"too few members":      {false, carnet.SuccessionRule{Members: 4, Threshold: 2}},
		"too low a threshold":  {false, carnet.SuccessionRule{Members: 3, Threshold: 3}},
	} {
		m.ok(t, m.succession(t, func(b *carnet.Succession) { b.Committees, b.Rule = nil, &c.rule }))
		reason := "SUCCESSION_MISSING"
		if c.allowed {
			reason = ""
		}
		require.Equal(t, reason, carnet.ReasonOf(m.s.apply(m.contribution(t, 1))), name)
	}

	// A word that was taken back does not return, and stops what it began.
	early := m.succession(t)
	m.ok(t, early, m.contribution(t, 1), m.contribution(t, 2), m.contribution(t, 3))
	_, allowed := m.s.wordSeq(m.move(t))
	require.True(t, allowed)
	m.ok(t, m.succession(t, func(b *carnet.Succession) { b.Committees = nil }))
	_, allowed = m.s.wordSeq(m.move(t))
	require.False(t, allowed, "nothing is handed on that was found before")
	m.apply(t, "OLDER_STATEMENT", early)
	m.apply(t, "SUCCESSION_MISSING", m.resharing(t, []int{1, 2, 3}))
	give, take := m.s.moves(func(*committee) bool { return true })
	require.Empty(t, give)
	require.Empty(t, take)
	m.ok(t, m.succession(t), m.resharing(t, []int{1, 2, 3}))
}

// Rule (resharing): the operator has to consent, too; the owner's word alone has no parts
// handed on.
func TestReshareConsent(t *testing.T) {
	m := newMoving(t, cubeWorld(t))
	m.ok(t, m.succession(t))
	for want, to := range map[int][]string{0: nil, 1: {"other", "next"}} {
		k := &Keyholder{cfg: Config{ReshareTo: to}}
		give, _ := m.s.moves(k.consents)
		require.Len(t, give, want)
	}
	k := &Keyholder{cfg: Config{ReshareTo: []string{m.next.Hash().String()}}}
	give, _ := m.s.moves(k.consents)
	require.Len(t, give, 1)
	m.ok(t, m.contribution(t, 1))
	give, _ = m.s.moves(k.consents)
	require.Empty(t, give, "once")
}

// Rule (resharing): what fewer than enough say of a part counts for nothing, and a switch
// takes the signature of every member of the new committee under what follows.
func TestReshareRefused(t *testing.T) {
	m := newMoving(t, cubeWorld(t))
	m.ok(t, m.succession(t))
	all := []int{1, 2, 3}
	m.apply(t, "RESHARE_INCOMPLETE", m.resharing(t, all))
	m.ok(t, m.contribution(t, 1), m.contribution(t, 2))
	m.apply(t, "RESHARE_INCOMPLETE", m.resharing(t, all))
	lie := func(c *carnet.Contribution) { c.Parts[0].Corrections[0][0] ^= 1 }
	m.ok(t, m.contribution(t, 3, lie))
	m.apply(t, "RESHARE_INCOMPLETE", m.resharing(t, all))
	st := m.s.resharings()
	require.Len(t, st, 1)
	require.False(t, st[0].Agreed)
	require.Len(t, st[0].Split, 1)
	require.ElementsMatch(t, [][]carnet.PartyID{{"kh2"}, {"kh3"}}, st[0].Split[0].Sides, "n is 2t-1: both sides are named")

	// Contributions of others, or of other resharings, are none.
	m.apply(t, "BAD_CONTRIBUTION", m.contribution(t, 1, func(c *carnet.Contribution) { c.Number = 2 }))
	m.apply(t, "BAD_SIGNATURE", m.contribution(t, 1, func(c *carnet.Contribution) { c.By, c.Number = "kh2", 2 }))
	m.apply(t, "WRONG_ROLE", m.contribution(t, 1, func(c *carnet.Contribution) { c.By = "owner1" }))
	m.apply(t, "RESHARE_OVER", m.contribution(t, 1, func(c *carnet.Contribution) { c.From = carnet.KeyID(m.dealings[1].Hash()) }))
	m.apply(t, "UNKNOWN_COMMITTEE", m.contribution(t, 1, func(c *carnet.Contribution) { c.Committee[0] ^= 1 }))
	m.apply(t, "SUCCESSION_MISSING", m.contribution(t, 1, func(c *carnet.Contribution) { c.Committee = m.committeeHash() }))
	m.apply(t, "BAD_CONTRIBUTION", m.contribution(t, 1, func(c *carnet.Contribution) { c.Parts = c.Parts[1:] }))
	old := m.contribution(t, 3, func(c *carnet.Contribution) { c.Created = testTime })
	m.apply(t, "OLDER_STATEMENT", old)

	// Who repaired its keystore contributes again.
	m.ok(t, m.contribution(t, 3))
	require.True(t, m.s.resharings()[0].Agreed)
	for reason, change := range map[string]func(b *carnet.Resharing){
		"BAD_RESHARING": func(b *carnet.Resharing) { b.Commitments = slices.Clone(b.Commitments); b.Commitments[0][0] ^= 1 },
		"RESHARE_OVER":  func(b *carnet.Resharing) { b.From[0] ^= 1 },
	} {
		m.apply(t, reason, m.resharing(t, all, change))
	}
	for _, change := range []func(b *carnet.Resharing){
		func(b *carnet.Resharing) { b.Nonce[0] ^= 1 }, func(b *carnet.Resharing) { b.Owner = "owner2" },
		func(b *carnet.Resharing) { b.Profile = "records" }, func(b *carnet.Resharing) { b.Params[0] ^= 1 },
		func(b *carnet.Resharing) { b.Corrections = b.Corrections[1:] }, func(b *carnet.Resharing) { b.Commitments = b.Commitments[1:] },
	} {
		m.apply(t, "BAD_RESHARING", m.resharing(t, all, change))
	}
	for _, signers := range [][]int{{1, 2}, {2, 3}, {1, 3}, {1, 1, 2}} {
		m.apply(t, "BAD_SIGNATURE", m.resharing(t, signers))
	}
	require.Equal(t, m.key, m.s.opened(m.key).id, "nothing of it changed anything")
	m.ok(t, m.resharing(t, all))
}

// Rule (home veto): a key with a home part is not handed on, whoever agrees.
func TestReshareHome(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutCube, owners: 1, home: true})
	m := newMoving(t, w)
	m.ok(t, m.succession(t))
	give, _ := m.s.moves(func(*committee) bool { return true })
	require.Empty(t, give)
	d := m.s.dealings[m.key].shared()
	d.Number = 2
	sharer := local.New(m.stores[1], local.Options{})
	require.NoError(t, sharer.Accept(t.Context(), d, m.sealed[m.key][1]))
	_, err := sharer.HandOver(t.Context(), d, m.move(t).handing())
	require.Equal(t, "RESHARE_HOME", carnet.ReasonOf(err))
	b := carnet.Contribution{Key: m.key, From: m.key, Committee: m.next.Hash(), By: "kh2", Number: 2, Created: m.at}
	m.apply(t, "RESHARE_HOME", sign(t, carnet.TypeContribution, b, m.stores[1].Signer()))
}

// TestReshareStale: seeds of a resharing that is not to be any more are destroyed, and only
// those.
func TestReshareStale(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	g.held(t, "1")
	key, other := carnet.KeyID(w.dealings[0].Hash()), carnet.KeyID(w.dealings[1].Hash())
	alive, dead, old := carnet.KeyID{1}, carnet.KeyID{2}, carnet.KeyID{3}
	require.NoError(t, h.stop())
	h = h.again(t)
	for _, id := range []carnet.KeyID{alive, dead, old} {
		require.NoError(t, h.store.Put(t.Context(), id, []byte{1}))
	}
	require.NoError(t, h.ledger.setTakeover(t.Context(), takeover{alive, key, key}))
	require.NoError(t, h.ledger.setTakeover(t.Context(), takeover{dead, other, other}))
	require.NoError(t, h.ledger.setTakeover(t.Context(), takeover{old, key, carnet.KeyID{4}}))
	h = h.start(t)
	g.journal(t, retirement(t, w, 1))
	require.Eventually(t, func() bool {
		_, one := h.store.Get(t.Context(), dead)
		_, two := h.store.Get(t.Context(), old)
		left, err := h.ledger.takeovers(t.Context()) // forgotten after their seeds
		return carnet.ReasonOf(one) == "KEY_DESTROYED" && carnet.ReasonOf(two) == "KEY_DESTROYED" &&
			err == nil && slices.Equal(left, []takeover{{alive, key, key}})
	}, waitLimit, waitStep)
	_, err := h.store.Get(t.Context(), alive)
	require.NoError(t, err)
}

// A new member that replaced its sealing key can't open what was sealed to the old one:
// parts are handed on once more, and are the same.
func TestReshareAfterRotation(t *testing.T) {
	m := newMoving(t, cubeWorld(t))
	m.ok(t, m.succession(t), m.contribution(t, 1))
	all := func(*committee) bool { return true }
	give, _ := m.s.moves(all)
	require.Empty(t, give)
	sealing, err := seal.DeriveKey(bytes.Repeat([]byte{5}, 32))
	require.NoError(t, err)
	m.ok(t, m.replacement(t, m.s, "kh2", func(p *carnet.Party) { p.SealingKey = sealing.Public() }, m.stores[1].Signer()))
	give, _ = m.s.moves(all)
	require.Len(t, give, 1)
	m.ok(t, m.contribution(t, 1))
	give, _ = m.s.moves(all)
	require.Empty(t, give)
}

// Rule (revocation): a committee of which a member was revoked takes nothing over. Nothing
// is sealed to that member any more, and nothing that was holds back the end of old keys.
func TestReshareToARevokedMember(t *testing.T) {
	m := newMoving(t, cubeWorld(t))
	m.ok(t, m.succession(t), m.contribution(t, 1), m.contribution(t, 2))
	all := func(*committee) bool { return true }
	m.s.me = "kh2"
	for _, c := range m.s.committees {
		c.number = 1
	}
	require.True(t, m.s.handedToMe())
	m.ok(t, sign(t, carnet.TypePartyRevocation, carnet.PartyRevocation{Party: "kh1", Created: testTime}, m.registrar))
	require.False(t, m.s.handedToMe())
	m.apply(t, "BAD_MEMBER", m.contribution(t, 3))
	m.apply(t, "BAD_MEMBER", m.resharing(t, []int{1, 2, 3}))
	give, take := m.s.moves(all)
	require.Empty(t, give)
	require.Empty(t, take)
}
