package keyholder

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// applyParty: registered by the registrar, possession of the key proved by the party. A
// party replaces its keys by a statement that names the present one; the old key signs it,
// too, unless the registrar says that it is lost.
func (s *state) applyParty(env *evidence.Envelope) error {
	var p carnet.Party
	if err := env.Decode(carnet.TypeParty, &p); err != nil {
		return err
	}
	chain := s.parties[p.ID]
	if chain == nil {
		chain = &evidence.PartyChain{}
	}
	if err := chain.Add(s.applied-1, env, s.registrar); err != nil {
		return err
	}
	s.parties[p.ID] = chain
	return nil
}

// applyPartyRevocation: signed by the registrar. What the party signs in later entries has
// no effect.
func (s *state) applyPartyRevocation(env *evidence.Envelope) error {
	var r carnet.PartyRevocation
	if err := env.Decode(carnet.TypePartyRevocation, &r); err != nil {
		return err
	}
	chain := s.parties[r.Party]
	if chain == nil {
		return noEffect("UNKNOWN_PARTY", "party %q is not registered", r.Party)
	}
	return chain.Revoke(s.applied-1, env, s.registrar)
}

// current returns a party with the keys it has now, nil if it is unknown or was revoked.
func (s *state) current(id carnet.PartyID) *carnet.Party {
	chain := s.parties[id]
	if chain == nil {
		return nil
	}
	return chain.At(s.applied)
}

// signer returns the party if it is known, has one of the roles and signed env, the entry
// that is being applied, with the key that it has there.
func (s *state) signer(env *evidence.Envelope, id carnet.PartyID, roles ...carnet.Role) (*carnet.Party, error) {
	chain := s.parties[id]
	if chain == nil {
		return nil, noEffect("UNKNOWN_PARTY", "party %q is not registered", id)
	}
	p := chain.Present()
	if !slices.ContainsFunc(roles, p.HasRole) {
		return nil, noEffect("WRONG_ROLE", "party %q has none of the roles %v", id, roles)
	}
	if err := chain.Signed(s.applied-1, env); err != nil {
		return nil, err
	}
	return p, nil
}

// party returns a party with the keys it has now, nil if it is unknown or was revoked.
func (s *state) party(id carnet.PartyID) *carnet.Party {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current(id)
}

// signedByMe reports whether the next entry bears this keyholder's signature.
func (s *state) signedByMe(env *evidence.Envelope) bool {
	me := s.party(s.me)
	return me != nil && env.SignedBy(me.SigningKey)
}

// isRevokedParty reports whether the registrar revoked a party.
func (s *state) isRevokedParty(id carnet.PartyID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	chain := s.parties[id]
	if chain == nil {
		return false
	}
	_, revoked := chain.Revoked()
	return revoked
}

// cosignKey returns the own statement whose key co-signs a log of a size, the first one if
// it was registered later, and whether it is the newest; nil if there is none, or this
// keyholder is revoked there.
func (s *state) cosignKey(size int64) (p *carnet.Party, newest bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	chain := s.parties[s.me]
	if chain == nil {
		return nil, false
	}
	if seq, revoked := chain.Revoked(); revoked && seq < size {
		return nil, false
	}
	all := chain.Versions()
	if p = chain.At(size); p == nil {
		p = &all[0].Body
	}
	return p, string(p.SigningKey) == string(all[len(all)-1].Body.SigningKey)
}

// cosigners returns the members of com whose co-signature of a checkpoint verifies, with
// the key that each had at that size. A member that was revoked before does not count.
func (s *state) cosigners(com *committee, c *evidence.SignedCheckpoint) (out []carnet.PartyID) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range com.body.Members {
		chain := s.parties[id]
		if chain == nil || !chain.Present().HasRole(carnet.RoleKeyholder) {
			continue
		}
		if _, err := chain.Cosigned(id, c); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// logSigner returns the registered operator that made the log's signature of a checkpoint,
// "" if none did. A gateway signs with its old key until it is started with the new one.
func (s *state) logSigner(c *evidence.SignedCheckpoint) carnet.PartyID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, chain := range s.parties {
		if seq, revoked := chain.Revoked(); revoked && seq < c.Size || !chain.Present().HasRole(carnet.RoleOperator) {
			continue
		}
		for _, v := range chain.Versions() {
			if c.LogSignedBy(v.Body.SigningKey) {
				return id
			}
		}
	}
	return ""
}
