package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// A home has one identity, and while that is being replaced a second one beside it. The journal
// is the switch: nextPartyFile says that there is a second one, and the first command that
// signs after the journal has it adopts it.

// nextPartyFile is the statement with which the party gets another key.
const nextPartyFile = "party-next.json"

// nextParty reads it; nil if there is none.
func (a *app) nextParty() (*carnet.Party, *evidence.Envelope, error) {
	data, err := os.ReadFile(a.path(nextPartyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	env, err := client.ReadEnvelope(data)
	if err != nil {
		return nil, nil, err
	}
	p := &carnet.Party{}
	return p, env, env.Decode(carnet.TypeParty, p)
}

// settle returns the identity to sign with now, where id is the one of the home: if another was
// prepared and the journal names its key, that one, which is put in its place.
func (a *app) settle(cl *client.Client, cfg *config, id *ident.Identity) (*ident.Identity, error) {
	next, _, err := a.nextParty()
	if next == nil || err != nil {
		return id, err
	}
	present, err := cl.Party(a.ctx, id.Party())
	if carnet.ReasonOf(err) == "PARTY_REVOKED" {
		return id, nil // whatever it asks for is refused with this reason
	}
	if err != nil {
		return nil, err
	}
	key := ed25519.PublicKey(present.SigningKey)
	switch {
	case bytes.Equal(next.SigningKey, key):
		if !id.Public().Equal(key) {
			if id, err = a.adopt(cfg, id, present); err != nil {
				return nil, err
			}
		} else if err := a.eraseOld(); err != nil { // it was interrupted
			return nil, err
		}
		a.adopted = true
		a.notef("the journal has the new key %s; it is in use from now on\n", evidence.KeyHint(key))
		if err := os.Rename(a.path(nextPartyFile), a.path(partyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return id, nil
	case id.Public().Equal(key):
		return id, nil
	case next.ReplacesLost && bytes.Equal(next.SigningKey, id.Public()):
		return nil, carnet.E(carnet.Precondition, "KEY_NOT_REGISTERED", "the key %s of this party is not registered yet; its lost one, %s, still is", evidence.KeyHint(id.Public()), evidence.KeyHint(key)).
			Fix("send %s to the registrar of your network, and repeat the command when it is registered", nextPartyFile)
	}
	return nil, a.notHeld(key)
}

func (a *app) notHeld(key ed25519.PublicKey) error {
	return carnet.E(carnet.Precondition, "KEYS_NOT_HELD", "the registered key of this party, %s, is not in %s", evidence.KeyHint(key), a.home).
		Fix("put back the newest copy of the directory; if the key was replaced on another machine, use that one's; if it is lost, carnet party rotate --lost")
}

// adopt puts the prepared identity in the place of the old one. Buyers keep the old one: it opens
// the answers to what it asked.
func (a *app) adopt(cfg *config, old *ident.Identity, present *carnet.Party) (*ident.Identity, error) {
	next, err := a.loadNext(cfg)
	if err != nil && carnet.ReasonOf(err) != "NO_KEY_FILE" {
		return nil, err
	}
	if next == nil { // another command was quicker
		if next, err = a.identity(cfg); err != nil {
			return nil, err
		}
	}
	if !next.Public().Equal(ed25519.PublicKey(present.SigningKey)) {
		return nil, a.notHeld(present.SigningKey)
	}
	return next, a.replaceIdentity(cfg, old, present.HasRole(carnet.RoleBuyer))
}

// drawNext makes the identity that is to replace the one of this home, unless there is one.
func (a *app) drawNext(cfg *config, plain bool) (*ident.Identity, error) {
	next, err := a.loadNext(cfg)
	if err == nil || carnet.ReasonOf(err) != "NO_KEY_FILE" {
		return next, err
	}
	if next, err = ident.New(cfg.Party.ID, rand.Reader); err != nil {
		return nil, err
	}
	v, err := a.vault()
	if err != nil {
		return nil, err
	}
	if v == nil {
		pass, file := "", ident.NextFile(a.path(cfg.Identity))
		if !plain {
			if pass, err = a.newPassphrase(file); err != nil {
				return nil, err
			}
		}
		return next, next.Save(file, pass)
	}
	data, err := next.Marshal()
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return next, v.WriteNext(a.ctx, identityName, data)
}

func (a *app) loadNext(cfg *config) (*ident.Identity, error) {
	v, err := a.vault()
	if err != nil {
		return nil, err
	}
	if v == nil {
		return ident.Load(ident.NextFile(a.path(cfg.Identity)), a.askPassphrase)
	}
	data, err := v.ReadNext(a.ctx, identityName)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return ident.ParseIdentity(v.Where(identityName), data)
}

// discardNext destroys what drawNext made.
func (a *app) discardNext(cfg *config) error {
	v, err := a.vault()
	if err != nil {
		return err
	}
	if v != nil {
		return v.DiscardNext(a.ctx, identityName)
	}
	if err := os.Remove(ident.NextFile(a.path(cfg.Identity))); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (a *app) replaceIdentity(cfg *config, old *ident.Identity, keep bool) error {
	v, err := a.vault()
	if err != nil {
		return err
	}
	if v == nil {
		return ident.Replace(a.path(cfg.Identity), old.Public(), keep)
	}
	if keep {
		if err := v.keep(a.ctx, old); err != nil {
			return err
		}
	}
	return v.Replace(a.ctx, identityName)
}

// eraseOld destroys what replaceIdentity would have, had it not been interrupted.
func (a *app) eraseOld() error {
	v, err := a.vault()
	if v == nil || err != nil {
		return err
	}
	return v.EraseOld(a.ctx, identityName)
}

// keptName is where an identity is kept in Vault that was replaced.
func keptName(hint string) string { return identityName + "-" + hint }

func (v *inVault) keep(ctx context.Context, old *ident.Identity) error {
	data, err := old.Marshal()
	if err != nil {
		return err
	}
	defer clear(data)
	name := keptName(evidence.KeyHint(old.Public()))
	err = v.Write(ctx, name, data)
	if carnet.ReasonOf(err) != "FILE_EXISTS" {
		return err
	}
	kept, unread := v.Read(ctx, name)
	if unread != nil {
		return unread
	}
	defer clear(kept)
	if was, bad := ident.ParseIdentity(v.Where(name), kept); bad != nil || !was.Public().Equal(old.Public()) {
		return err
	}
	return nil // it was interrupted
}

// asker returns the identity that asked a query: the present one, or one that was replaced since.
func (a *app) asker(cfg *config, id *ident.Identity, query *evidence.Envelope) (*ident.Identity, error) {
	if query.SignedBy(id.Public()) {
		return id, nil
	}
	v, err := a.vault()
	if err != nil {
		return nil, err
	}
	for _, s := range query.Signatures {
		if !isHint(s.KeyID) { // it comes from the gateway and is part of a name here
			continue
		}
		kept, err := a.loadKept(v, cfg, s.KeyID)
		switch {
		case carnet.ReasonOf(err) == "NO_KEY_FILE":
		case err != nil:
			return nil, err
		case query.SignedBy(kept.Public()):
			return kept, nil
		}
	}
	return nil, carnet.E(carnet.NotFound, "ASKER_NOT_HELD", "the query was not asked with the present key of %s, nor with one that is kept in %s", id.Party(), a.home).
		Fix("open it with the home directory that it was asked from, or put back the old identity file beside %s", cfg.Identity)
}

func (a *app) loadKept(v *inVault, cfg *config, hint string) (*ident.Identity, error) {
	if v == nil {
		return ident.Load(ident.KeptFile(a.path(cfg.Identity), hint), a.askPassphrase)
	}
	data, err := v.Read(a.ctx, keptName(hint))
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return ident.ParseIdentity(v.Where(keptName(hint)), data)
}

// meanwhile says what to do if the key was replaced while a command ran with the old one.
func (a *app) meanwhile(err error) error {
	var e *carnet.Error
	if !errors.As(err, &e) || e.Reason != "KEY_REPLACED" {
		return err
	}
	if next, _, unread := a.nextParty(); next == nil || unread != nil {
		return err
	}
	return e.Fix("repeat the command: the registrar registered the new key meanwhile, which is used then; what was uploaded stays")
}

// isHint reports whether s has the form of evidence.KeyHint.
func isHint(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 16
}
