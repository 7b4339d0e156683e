package history

import (
	"bytes"
	"crypto/ed25519"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// known is what the log says about one party.
type known struct {
	statements []Registered // each names the one before; the present one last
	revoked    int64        // entry that did, -1 if none
}

// Registered is a party statement in effect, with its place in the log.
type Registered struct {
	Seq  int64
	Hash carnet.Hash
	Body carnet.Party
}

func (k *known) present() *carnet.Party {
	if k == nil {
		return nil
	}
	return &k.statements[len(k.statements)-1].Body
}

// revokedIn reports whether a log of a size has the party's revocation.
func (k *known) revokedIn(size int64) bool { return k.revoked >= 0 && k.revoked < size }

// at is the statement in force in a log of a size, nil if there is none or the party was
// revoked.
func (k *known) at(size int64) (p *carnet.Party) {
	if k == nil || k.revokedIn(size) {
		return nil
	}
	for i := range k.statements {
		if k.statements[i].Seq < size {
			p = &k.statements[i].Body
		}
	}
	return p
}

// applyParty: registered by the registrar, possession of the key proved by the party. One
// that replaces another names it, changes keys and name only, returns to no key, and is
// signed by the old key, too, unless it says that this one is lost.
func (s *State) applyParty(seq int64, env *evidence.Envelope) (*Replaced, error) {
	var p carnet.Party
	if err := env.Verify(carnet.TypeParty, s.registrar, &p); err != nil {
		return nil, err
	}
	if !carnet.ValidName(string(p.ID)) || len(p.SigningKey) != ed25519.PublicKeySize {
		return nil, invalid("BAD_PARTY", "the party's name or key is malformed")
	}
	if !env.SignedBy(p.SigningKey) {
		return nil, invalid("BAD_SIGNATURE", "party %q did not prove possession of its key", p.ID)
	}
	this := Registered{seq, env.Hash(), p}
	k := s.parties[p.ID]
	if k == nil {
		if p.Replaces != nil || p.ReplacesLost {
			return nil, invalid("UNKNOWN_PARTY", "the statement replaces one of party %q, which is not registered", p.ID)
		}
		s.parties[p.ID] = &known{[]Registered{this}, -1}
		return nil, nil
	}
	last := k.statements[len(k.statements)-1]
	if last.Hash == this.Hash {
		return nil, nil
	}
	if err := k.replaceable(env, &p, &last); err != nil {
		return nil, err
	}
	k.statements = append(k.statements, this)
	return &Replaced{Party: p.ID, Old: last.Body.SigningKey, New: p.SigningKey, Lost: p.ReplacesLost}, nil
}

func (k *known) replaceable(env *evidence.Envelope, p *carnet.Party, last *Registered) error {
	old := &last.Body
	switch {
	case k.revoked >= 0:
		return invalid("PARTY_REVOKED", "party %q was revoked by entry %d", p.ID, k.revoked)
	case p.Replaces == nil:
		return invalid("PARTY_EXISTS", "party %q is registered, and the statement does not say that it replaces the present one", p.ID)
	case *p.Replaces != last.Hash:
		return invalid("PARTY_REPLACED", "the statement replaces another one than the present one of %q", p.ID)
	case p.Jurisdiction != old.Jurisdiction || !slices.Equal(p.Roles, old.Roles) || (len(p.SealingKey) > 0) != (len(old.SealingKey) > 0):
		return invalid("PARTY_CHANGED", "the statement changes more of %q than name and keys", p.ID)
	}
	if err := older("party "+string(p.ID), p.Created, old.Created); err != nil {
		return err
	}
	signing, sealing := !bytes.Equal(p.SigningKey, old.SigningKey), !bytes.Equal(p.SealingKey, old.SealingKey)
	for i := range k.statements {
		b := &k.statements[i].Body
		if signing && bytes.Equal(b.SigningKey, p.SigningKey) || sealing && bytes.Equal(b.SealingKey, p.SealingKey) || !signing && !sealing {
			return invalid("KEY_REUSED", "the statement of %q has no new key, or returns to one", p.ID)
		}
	}
	if !p.ReplacesLost && !env.SignedBy(old.SigningKey) {
		return invalid("OLD_KEY_MISSING", "the statement of %q is not signed with the key that it replaces", p.ID)
	}
	return nil
}

// Replaced says that a party has other keys from an entry on.
type Replaced struct {
	Party    carnet.PartyID
	Old, New ed25519.PublicKey // signing keys; equal if only the sealing key changed
	Lost     bool              // the old key did not sign: the registrar alone says so
}

// applyPartyRevocation: signed by the registrar; final for the party's name.
func (s *State) applyPartyRevocation(seq int64, env *evidence.Envelope) error {
	var r carnet.PartyRevocation
	if err := env.Verify(carnet.TypePartyRevocation, s.registrar, &r); err != nil {
		return err
	}
	k := s.parties[r.Party]
	if k == nil {
		return invalid("UNKNOWN_PARTY", "party %q is not registered", r.Party)
	}
	if k.revoked < 0 {
		k.revoked = seq
	}
	return nil
}

// signed checks that the next entry is signed with the key that the party has now.
func (k *known) signed(env *evidence.Envelope) error {
	p := k.present()
	switch {
	case k.revoked >= 0:
		return invalid("PARTY_REVOKED", "party %q was revoked by entry %d", p.ID, k.revoked)
	case env.SignedBy(p.SigningKey):
		return nil
	}
	for i := range k.statements {
		if env.SignedBy(k.statements[i].Body.SigningKey) {
			return invalid("KEY_REPLACED", "the statement is signed with a key that %q replaced by entry %d", p.ID, k.statements[i+1].Seq)
		}
	}
	return invalid("BAD_SIGNATURE", "the statement is not signed by %q", p.ID)
}

// Party returns a party's present statement, nil if it is unknown or was revoked.
func (s *State) Party(id carnet.PartyID) *carnet.Party {
	if k := s.parties[id]; k != nil && k.revoked < 0 {
		return k.present()
	}
	return nil
}

// Registered lists the statements of a party, the present one last.
func (s *State) Registered(id carnet.PartyID) []Registered {
	if k := s.parties[id]; k != nil {
		return slices.Clone(k.statements)
	}
	return nil
}

// Keys lists the signing keys that a party had, the present one last.
func (s *State) Keys(id carnet.PartyID) (out []ed25519.PublicKey) {
	for _, r := range s.Registered(id) {
		out = append(out, r.Body.SigningKey)
	}
	return out
}

// PartyRevoked returns the entry that revoked a party, -1 if none did.
func (s *State) PartyRevoked(id carnet.PartyID) int64 {
	if k := s.parties[id]; k != nil {
		return k.revoked
	}
	return -1
}

// Cosigned reports whether a party co-signed a checkpoint with the key that was in force
// in a log of its size; with its first one, if it was registered later. That much of the
// log must have been applied, or what a bundle has of it.
func (s *State) Cosigned(id carnet.PartyID, cp *evidence.SignedCheckpoint) bool {
	k := s.parties[id]
	if k == nil || k.revokedIn(cp.Size) {
		return false
	}
	p := k.at(cp.Size)
	if p == nil {
		p = &k.statements[0].Body
	}
	sig, _ := cp.CosignedBy(id, p.SigningKey)
	return sig != nil
}

// SignsLog reports whether the log's own signature is by a registered operator of a
// gateway, with any key it had until it was revoked: a gateway signs with the old key
// until it is started with the new one.
func (s *State) SignsLog(cp *evidence.SignedCheckpoint) bool {
	for _, k := range s.parties {
		if k.revokedIn(cp.Size) || !k.present().HasRole(carnet.RoleOperator) {
			continue
		}
		if slices.ContainsFunc(k.statements, func(r Registered) bool { return cp.LogSignedBy(r.Body.SigningKey) }) {
			return true
		}
	}
	return false
}
