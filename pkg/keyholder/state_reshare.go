package keyholder

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// succession is an owner's word about who may have a key next, and its entry.
type succession struct {
	body carnet.Succession
	seq  int64
	env  *evidence.Envelope
}

// moveID names a resharing.
type moveID struct {
	from      carnet.KeyID
	committee carnet.Hash
}

// contribution is what one keyholder handed on, and its statement.
type contribution struct {
	hash carnet.Hash
	body *carnet.Contribution
	seq  int64
	to   carnet.Hash // the sealing keys that the new members had then, see recipients
}

// move is a resharing that may go on.
type move struct {
	share.Move
	key         carnet.KeyID
	from        *dealing
	committee   *committee
	first       *evidence.Envelope // the dealing that the key is named after
	word        *evidence.Envelope // the succession
	contributed int64              // entry of the last contribution so far
	recipients  carnet.Hash        // the sealing keys that the new members have, see state.recipients
}

func (m *move) id() moveID { return moveID{m.From, m.Committee} }

// applySuccession: signed by the owner that dealt the key; the newest one counts.
func (s *state) applySuccession(env *evidence.Envelope) error {
	var b carnet.Succession
	if err := env.Decode(carnet.TypeSuccession, &b); err != nil {
		return err
	}
	if _, err := s.signer(env, b.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	_, again := s.again[b.Key]
	if d := s.dealings[b.Key]; d == nil || d.body.Owner != b.Owner || again {
		return noEffect("BAD_SUCCESSION", "key %s was not dealt by %q", b.Key, b.Owner)
	}
	if old := s.successions[b.Key]; old != nil {
		if err := older("the succession of key "+b.Key.String(), b.Created, old.body.Created); err != nil {
			return err
		}
	}
	s.successions[b.Key] = &succession{b, s.applied - 1, env}
	return nil
}

// movable checks that a key may move as things are: from the dealing it is opened with, in
// use, without a home part, to a committee that its owner lets have it, none of whose
// members was revoked.
func (s *state) movable(key, from carnet.KeyID, to carnet.Hash) (*move, error) {
	d, c := s.opened(key), s.committees[to]
	_, again := s.again[key]
	switch {
	case d == nil || d.id != from || again:
		return nil, noEffect("RESHARE_OVER", "key %s is not opened with dealing %s", key, from)
	case s.retired[key] || s.retired[from]:
		return nil, noEffect("KEY_RETIRED", "the key was retired")
	case d.body.Home != nil:
		return nil, noEffect("RESHARE_HOME", "the dealing has a home part, which is not handed on")
	case c == nil:
		return nil, noEffect("UNKNOWN_COMMITTEE", "the committee is unknown")
	}
	for _, member := range c.body.Members { // all of them have to sign
		if s.current(member) == nil {
			return nil, noEffect("BAD_MEMBER", "member %q of committee %s was revoked, so the committee can't take a key over", member, c.body.ID)
		}
	}
	jurisdiction := func(m carnet.PartyID) carnet.Jurisdiction { return s.parties[m].Present().Jurisdiction }
	w := s.successions[key]
	if w == nil || !w.body.Allows(to, &c.body, jurisdiction) {
		return nil, noEffect("SUCCESSION_MISSING", "the owner of key %s does not let committee %s have it", key, c.body.ID)
	}
	m, err := share.NewMove(from, d.committee.scheme, to, c.scheme)
	out := &move{Move: m, key: key, from: d, committee: c, first: s.dealings[key].env, word: w.env}
	for _, said := range s.contributions[out.id()] {
		out.contributed = max(out.contributed, said.seq)
	}
	return out, err
}

// applyContribution: signed by a holder of the dealing's parts under its own number, of the
// shape the resharing has. Its newest one counts.
func (s *state) applyContribution(env *evidence.Envelope) error {
	b := &carnet.Contribution{}
	if err := env.Decode(carnet.TypeContribution, b); err != nil {
		return err
	}
	if _, err := s.signer(env, b.By, carnet.RoleKeyholder); err != nil {
		return err
	}
	m, err := s.movable(b.Key, b.From, b.Committee)
	if err != nil {
		return err
	}
	if slices.Index(m.from.committee.body.Members, b.By)+1 != b.Number {
		return noEffect("BAD_CONTRIBUTION", "%q is not keyholder %d of dealing %s", b.By, b.Number, b.From)
	}
	if err := m.CheckContribution(b, m.from.profile.MaxDegree()); err != nil {
		return err
	}
	all := s.contributions[m.id()]
	if all == nil {
		all = map[int]*contribution{}
		s.contributions[m.id()] = all
	}
	if old := all[b.Number]; old != nil {
		if err := older("the contribution of "+string(b.By), b.Created, old.body.Created); err != nil {
			return err
		}
	}
	all[b.Number] = &contribution{env.Hash(), b, s.applied - 1, s.recipients(m.committee)}
	return nil
}

// said are the contributions to a resharing by keyholder number.
func (s *state) said(id moveID) map[int]*carnet.Contribution {
	out := map[int]*carnet.Contribution{}
	for i, c := range s.contributions[id] {
		out[i] = c.body
	}
	return out
}

// resharing is what follows from what was agreed on, apart from the corrections.
func (m *move) resharing(agreed map[share.Subset]*carnet.HandedPart) carnet.Resharing {
	d := &m.from.body
	return carnet.Resharing{Key: m.key, From: m.From, Owner: d.Owner, Committee: m.Committee, Profile: d.Profile, Params: d.Params,
		Nonce: m.Nonce(), Commitments: m.Commitments(agreed)}
}

// applyResharing: it follows from what enough holders of every part say, and every member
// of the new committee signed it, having computed it and found its own seeds right. From
// this entry on the key is opened with it.
func (s *state) applyResharing(env *evidence.Envelope) error {
	var b carnet.Resharing
	if err := env.Decode(carnet.TypeResharing, &b); err != nil {
		return err
	}
	m, err := s.movable(b.Key, b.From, b.Committee)
	if err != nil {
		return err
	}
	got := m.Agree(s.said(m.id()))
	if !got.Enough {
		return noEffect("RESHARE_INCOMPLETE", "not every part was handed on by enough of its holders who say the same")
	}
	want := m.resharing(got.Parts)
	if b.Owner != want.Owner || b.Profile != want.Profile || b.Params != want.Params || b.Nonce != want.Nonce ||
		!slices.Equal(b.Commitments, want.Commitments) || len(b.Corrections) != m.from.profile.MaxDegree() {
		return noEffect("BAD_RESHARING", "the resharing does not follow from the contributions")
	}
	for _, member := range m.committee.body.Members {
		if _, err := s.signer(env, member, carnet.RoleKeyholder); err != nil {
			return err
		}
	}
	id := carnet.KeyID(env.Hash())
	s.dealings[id] = &dealing{key: id, id: id, body: b.Dealing(), committee: m.committee, profile: m.from.profile, env: env, move: m}
	d := *s.dealings[id]
	d.key, d.since, d.replaced, d.before = b.Key, s.applied-1, m.from.replaced, m.from
	s.again[id], s.redealt[b.Key] = b.Key, &d
	return nil
}

// had reports whether a committee holds the dealing or held one before it.
func (d *dealing) had(committee carnet.Hash) bool {
	for ; d != nil; d = d.before {
		if d.committee.hash == committee {
			return true
		}
	}
	return false
}
