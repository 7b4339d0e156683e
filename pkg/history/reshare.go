package history

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// moveID names a resharing: from a dealing to a committee.
type moveID struct {
	from      carnet.KeyID
	committee carnet.Hash
}

// applySuccession: signed by the owner that dealt the key; the newest one counts.
func (s *State) applySuccession(env *evidence.Envelope) error {
	b := &carnet.Succession{}
	if err := env.Decode(carnet.TypeSuccession, b); err != nil {
		return err
	}
	if _, err := s.signer(env, b.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	_, again := s.again[b.Key]
	if d := s.dealings[b.Key]; d == nil || d.Body.Owner != b.Owner || again {
		return invalid("BAD_SUCCESSION", "key %s was not dealt by %q", b.Key, b.Owner)
	}
	if old := s.successions[b.Key]; old != nil {
		if err := older("the succession of key "+b.Key.String(), b.Created, old.Created); err != nil {
			return err
		}
	}
	s.successions[b.Key] = b
	return nil
}

// movable returns the dealing and the committee of a resharing that may go on: the key is
// opened with that dealing, in use, without a home part, and its owner lets the committee
// have it, none of whose members was revoked.
func (s *State) movable(key, from carnet.KeyID, to carnet.Hash) (*Dealing, *Committee, error) {
	d, c := s.Opened(key), s.committees[to]
	_, again := s.again[key]
	switch {
	case d == nil || d.ID != from || again:
		return nil, nil, invalid("RESHARE_OVER", "key %s is not opened with dealing %s", key, from)
	case s.retired[key] != nil || s.retired[from] != nil:
		return nil, nil, invalid("KEY_RETIRED", "the key was retired")
	case d.Body.Home != nil:
		return nil, nil, invalid("RESHARE_HOME", "the dealing has a home part, which is not handed on")
	case c == nil:
		return nil, nil, invalid("UNKNOWN_COMMITTEE", "the committee is unknown")
	}
	for _, member := range c.Body.Members { // all of them have to sign
		if s.Party(member) == nil {
			return nil, nil, invalid("BAD_MEMBER", "member %q of committee %s was revoked, so the committee can't take a key over", member, c.Body.ID)
		}
	}
	where := func(m carnet.PartyID) carnet.Jurisdiction { return s.parties[m].present().Jurisdiction }
	if w := s.successions[key]; w == nil || !w.Allows(to, &c.Body, where) {
		return nil, nil, invalid("SUCCESSION_MISSING", "the owner of key %s does not let committee %s have it", key, c.Body.ID)
	}
	return d, c, nil
}

// applyContribution: signed by a holder of the dealing's parts under its own number, of the
// shape that the resharing has. A holder's newest one counts.
func (s *State) applyContribution(env *evidence.Envelope) error {
	b := &carnet.Contribution{}
	if err := env.Decode(carnet.TypeContribution, b); err != nil {
		return err
	}
	if _, err := s.signer(env, b.By, carnet.RoleKeyholder); err != nil {
		return err
	}
	d, c, err := s.movable(b.Key, b.From, b.Committee)
	if err != nil {
		return err
	}
	if n := d.Committee.Number(b.By); n == 0 || n != b.Number {
		return invalid("BAD_CONTRIBUTION", "%q is not keyholder %d of dealing %s", b.By, b.Number, b.From)
	}
	m, err := share.NewMove(b.From, d.Committee.Scheme, b.Committee, c.Scheme)
	if err != nil {
		return err
	}
	if err := m.CheckContribution(b, d.Profile.MaxDegree()); err != nil {
		return err
	}
	id := moveID{b.From, b.Committee}
	if s.contributions[id] == nil {
		s.contributions[id] = map[int]*carnet.Contribution{}
	}
	if old := s.contributions[id][b.Number]; old != nil {
		if err := older("the contribution of "+string(b.By), b.Created, old.Created); err != nil {
			return err
		}
	}
	s.contributions[id][b.Number] = b
	return nil
}

// applyResharing: it follows from what enough holders of every part say, and every member
// of the new committee signed it. From this entry on the key is opened with it.
func (s *State) applyResharing(env *evidence.Envelope) error {
	var b carnet.Resharing
	if err := env.Decode(carnet.TypeResharing, &b); err != nil {
		return err
	}
	from, c, err := s.movable(b.Key, b.From, b.Committee)
	if err != nil {
		return err
	}
	m, err := share.NewMove(b.From, from.Committee.Scheme, b.Committee, c.Scheme)
	if err != nil {
		return err
	}
	agreed := m.Agree(s.contributions[moveID{b.From, b.Committee}])
	if !agreed.Enough {
		return invalid("RESHARE_INCOMPLETE", "not every part was handed on by enough of its holders who say the same")
	}
	d := &from.Body
	if b.Owner != d.Owner || b.Profile != d.Profile || b.Params != d.Params || b.Nonce != m.Nonce() ||
		!slices.Equal(b.Commitments, m.Commitments(agreed.Parts)) || len(b.Corrections) != from.Profile.MaxDegree() {
		return invalid("BAD_RESHARING", "the resharing does not follow from the contributions")
	}
	for _, member := range c.Body.Members {
		if _, err := s.signer(env, member, carnet.RoleKeyholder); err != nil {
			return err
		}
	}
	id := carnet.KeyID(env.Hash())
	next := &Dealing{Key: id, ID: id, Body: b.Dealing(), Committee: c, Profile: from.Profile}
	s.dealings[id] = next
	opened := *next
	opened.Key, opened.Released, opened.Replaced = b.Key, from.Released, from.Replaced
	s.again[id], s.redealt[b.Key] = b.Key, &opened
	return nil
}
