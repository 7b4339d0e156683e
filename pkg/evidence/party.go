package evidence

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// PartyVersion is a statement of a party, in force from its entry on.
type PartyVersion struct {
	Hash carnet.Hash
	Seq  int64
	Body carnet.Party
}

// PartyChain is what the log says about one party: its statements, each of which names the
// one before, and whether it was revoked. What a party signs is judged with the key that
// was in force at the signed thing's place in the log. The zero value knows nothing. Not
// safe for concurrent changes.
type PartyChain struct {
	versions []PartyVersion
	revoked  *int64 // entry
}

// Versions lists the statements, the present one last.
func (c *PartyChain) Versions() []PartyVersion { return slices.Clone(c.versions) }

// Present returns the newest statement, also of a revoked party; nil if there is none.
func (c *PartyChain) Present() *carnet.Party {
	if len(c.versions) == 0 {
		return nil
	}
	return &c.versions[len(c.versions)-1].Body
}

// Revoked returns the entry that revoked the party.
func (c *PartyChain) Revoked() (seq int64, revoked bool) {
	if c.revoked == nil {
		return 0, false
	}
	return *c.revoked, true
}

// At returns the statement in force in the log of a size, and so for its entry of that
// number and for signatures of its checkpoint; nil if there was none, or the party was
// revoked.
func (c *PartyChain) At(size int64) *carnet.Party {
	if c.revoked != nil && *c.revoked < size {
		return nil
	}
	for i := len(c.versions) - 1; i >= 0; i-- {
		if c.versions[i].Seq < size {
			return &c.versions[i].Body
		}
	}
	return nil
}

// Add takes in a statement of the party that entry seq is or would be. The first one needs
// the signatures of registrar and party; a further one names the present one, changes name
// and keys only, and is signed by the old key, too, unless that is lost. The chain is
// unchanged if there is an error, and if the statement is the present one.
func (c *PartyChain) Add(seq int64, env *Envelope, registrar ed25519.PublicKey) error {
	var p carnet.Party
	if err := env.Verify(carnet.TypeParty, registrar, &p); err != nil {
		return err
	}
	if !carnet.ValidName(string(p.ID)) || len(p.SigningKey) != ed25519.PublicKeySize {
		return carnet.E(carnet.Invalid, "BAD_PARTY", "the party's name or key is malformed")
	}
	if !env.SignedBy(p.SigningKey) {
		return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "party %q did not sign its own statement", p.ID).
			Fix("the party signs first, to prove possession of its key; then the registrar countersigns")
	}
	if n := len(c.versions); n > 0 && c.versions[n-1].Hash == env.Hash() {
		return nil
	}
	if err := c.follows(env, &p); err != nil {
		return err
	}
	c.versions = append(c.versions, PartyVersion{env.Hash(), seq, p})
	return nil
}

// follows checks a statement against those before it.
func (c *PartyChain) follows(env *Envelope, p *carnet.Party) error {
	if c.revoked != nil {
		return PartyRevoked(p.ID)
	}
	if len(c.versions) == 0 {
		if p.Replaces != nil || p.ReplacesLost {
			return carnet.E(carnet.Invalid, "UNKNOWN_PARTY", "the statement replaces one of party %q, which is not registered", p.ID).
				Fix("register the party with a statement that replaces none")
		}
		return nil
	}
	last := &c.versions[len(c.versions)-1]
	old := &last.Body
	switch {
	case p.ID != old.ID:
		return carnet.E(carnet.Invalid, "PARTY_CHANGED", "the statement of %q does not follow one of %q", p.ID, old.ID)
	case p.Replaces == nil:
		return carnet.E(carnet.Exists, "PARTY_EXISTS", "party %q is registered with another statement", p.ID).
			Fix("to change its keys, make a statement that replaces the present one; carnet-keyholder rotate makes that of a keyholder")
	case *p.Replaces != last.Hash:
		return carnet.E(carnet.Precondition, "PARTY_REPLACED", "the statement replaces %s, and the present one of %q is %s", p.Replaces, p.ID, last.Hash).
			Fix("rotate again, from the present statement")
	case p.Created.Before(old.Created):
		return carnet.E(carnet.Invalid, "OLDER_STATEMENT", "party %s was replaced by a statement of %s, and this one is of %s", p.ID,
			old.Created.UTC().Format(time.RFC3339), p.Created.UTC().Format(time.RFC3339))
	case p.Jurisdiction != old.Jurisdiction || !slices.Equal(p.Roles, old.Roles) || (len(p.SealingKey) == 0) != (len(old.SealingKey) == 0):
		return carnet.E(carnet.Invalid, "PARTY_CHANGED", "the statement changes jurisdiction, roles or kinds of keys of %q", p.ID).
			Fix("whoever moves or takes other roles is registered under another name")
	case bytes.Equal(p.SigningKey, old.SigningKey) && bytes.Equal(p.SealingKey, old.SealingKey):
		return carnet.E(carnet.Invalid, "KEY_REUSED", "the statement of %q has the keys of the present one", p.ID)
	case c.had(p):
		return carnet.E(carnet.Invalid, "KEY_REUSED", "party %q had a key before that the statement returns to", p.ID).
			Fix("make a new key: whoever got hold of an old one could sign again")
	case !p.ReplacesLost && !env.SignedBy(old.SigningKey):
		return carnet.E(carnet.Forbidden, "OLD_KEY_MISSING", "the statement is not signed with the key %s of %q, which it replaces", KeyHint(old.SigningKey), p.ID).
			Fix("sign with the old key, too; if it is lost, say so in the statement (replaces_lost), and have the registrar find out who asks")
	}
	return nil
}

// had reports whether a statement returns to a key that was replaced before.
func (c *PartyChain) had(p *carnet.Party) bool {
	last := &c.versions[len(c.versions)-1].Body
	for _, v := range c.versions {
		if !bytes.Equal(p.SigningKey, last.SigningKey) && bytes.Equal(p.SigningKey, v.Body.SigningKey) ||
			!bytes.Equal(p.SealingKey, last.SealingKey) && bytes.Equal(p.SealingKey, v.Body.SealingKey) {
			return true
		}
	}
	return false
}

// Revoke takes in the registrar's word that the party is revoked. A second one changes
// nothing.
func (c *PartyChain) Revoke(seq int64, env *Envelope, registrar ed25519.PublicKey) error {
	var r carnet.PartyRevocation
	if err := env.Verify(carnet.TypePartyRevocation, registrar, &r); err != nil {
		return err
	}
	p := c.Present()
	if p == nil || p.ID != r.Party {
		return carnet.E(carnet.Invalid, "UNKNOWN_PARTY", "party %q is not registered", r.Party)
	}
	if c.revoked == nil {
		c.revoked = &seq
	}
	return nil
}

// Signed checks that entry seq is signed with the key that the party has there. The error
// tells a replaced key from a foreign one.
func (c *PartyChain) Signed(seq int64, env *Envelope) error {
	p := c.Present()
	if p == nil {
		return carnet.E(carnet.Forbidden, "UNKNOWN_PARTY", "the party is not registered")
	}
	at := c.At(seq)
	if at == nil {
		return PartyRevoked(p.ID)
	}
	if env.SignedBy(at.SigningKey) {
		return nil
	}
	for _, v := range c.versions {
		if v.Seq < seq && env.SignedBy(v.Body.SigningKey) {
			return carnet.E(carnet.Forbidden, "KEY_REPLACED", "the statement is signed with the key %s, which %q has replaced", KeyHint(v.Body.SigningKey), p.ID).
				Fix("sign with the present key %s; if the party did not sign this, its old key is in other hands", KeyHint(at.SigningKey))
		}
	}
	return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "the statement is not signed by %q", p.ID).
		Fix("sign it with the registered key %s", KeyHint(at.SigningKey))
}

// PartyRevoked is the error about whatever a revoked party signs or asks for.
func PartyRevoked(id carnet.PartyID) error {
	return carnet.E(carnet.Forbidden, "PARTY_REVOKED", "party %q was revoked by the registrar", id).
		Fix("ask the registrar of the network; a revoked name is not used again, so the organisation has to be registered under another one")
}

// Restore adds a statement that was checked before, such as one that the gateway's own
// database has.
func (c *PartyChain) Restore(seq int64, env *Envelope) error {
	v := PartyVersion{Hash: env.Hash(), Seq: seq}
	if err := env.Decode(carnet.TypeParty, &v.Body); err != nil {
		return err
	}
	c.versions = append(c.versions, v)
	return nil
}

// RestoreRevoked notes an entry that was checked before.
func (c *PartyChain) RestoreRevoked(seq int64) { c.revoked = &seq }

// Cosigned returns the party's co-signature of a checkpoint, with the key that is in force
// in a log of that size; its first key co-signs states from before it was registered. The
// error tells a replaced key from a missing signature.
func (c *PartyChain) Cosigned(id carnet.PartyID, cp *SignedCheckpoint) (*note.Signature, error) {
	at := c.At(cp.Size)
	if seq, revoked := c.Revoked(); revoked && seq < cp.Size {
		return nil, PartyRevoked(id)
	}
	if at == nil && len(c.versions) > 0 {
		at = &c.versions[0].Body
	}
	if at != nil {
		if sig, _ := cp.CosignedBy(id, at.SigningKey); sig != nil {
			return sig, nil
		}
	}
	for _, v := range c.versions {
		if sig, _ := cp.CosignedBy(id, v.Body.SigningKey); sig != nil {
			return nil, carnet.E(carnet.Forbidden, "KEY_REPLACED", "%q co-signed a log of %d entries with key %s, which was not in force there", id, cp.Size, KeyHint(v.Body.SigningKey)).
				Fix("co-sign with the key of the party statement in force at that size")
		}
	}
	return nil, carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "the checkpoint is not co-signed by %q", id)
}
