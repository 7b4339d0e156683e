package main

import (
	"bytes"
	"crypto/rand"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// A party whose key is lost has nothing to sign with meanwhile, so the new key is not kept beside
// another one: it is the identity of the home from the beginning, and worth nothing before the
// registrar's word. There may be one already, of a home that was made anew.

// lost prepares a key that replaces one that is lost.
func (c *partyRotateCmd) lost(a *app) error {
	cl, cfg, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	versions, err := cl.PartyVersions(a.ctx, cfg.Party.ID)
	if err != nil {
		return err
	}
	last := &versions[len(versions)-1]
	present := &last.Body
	if err := a.notRegistrar(cfg, present.SigningKey); err != nil {
		return err
	}
	if err := c.check(present); err != nil {
		return err
	}
	id, err := a.identity(cfg)
	switch {
	case carnet.ReasonOf(err) == "NO_IDENTITY":
		if id, err = ident.New(present.ID, rand.Reader); err != nil {
			return err
		}
		if _, err := a.saveIdentity(id, a.path(cfg.Identity), c.Plain); err != nil {
			return err
		}
	case err != nil:
		return err
	case bytes.Equal(present.SigningKey, id.Public()):
		return c.notLost(a, cl, cfg, id)
	case wasKeyOf(versions, id):
		return carnet.E(carnet.Precondition, "KEY_REUSED", "%s has the key %s, which %s had before", a.path(cfg.Identity), evidence.KeyHint(id.Public()), present.ID).
			Fix("move it to %s, where it opens what was asked with it, and repeat the command", ident.KeptFile(cfg.Identity, evidence.KeyHint(id.Public())))
	}
	if !a.isPrepared(last.Hash, id, true) {
		env, err := evidence.LostReplacement(present, last.Hash, id, present.SealingKey, time.Now())
		if err != nil {
			return err
		}
		if err := command.WriteStatement(a.path(nextPartyFile), env); err != nil {
			return err
		}
	}
	return c.prepared(a, cl, cfg, id, present, id)
}

// notLost is for a home that has the registered key: it was lost and replaced, or never was.
func (c *partyRotateCmd) notLost(a *app, cl *client.Client, cfg *config, id *ident.Identity) error {
	if _, err := a.settle(cl, cfg, id); err != nil {
		return err
	}
	if a.adopted {
		return c.adopted(a, id)
	}
	return carnet.E(carnet.Precondition, "KEY_NOT_LOST", "the registered key %s of %s is in %s", evidence.KeyHint(id.Public()), id.Party(), a.home).
		Fix("carnet party rotate replaces it with its own signature, so that nobody has to take the registrar's word")
}

func wasKeyOf(versions []evidence.PartyVersion, id *ident.Identity) bool {
	for _, v := range versions {
		if bytes.Equal(v.Body.SigningKey, id.Public()) {
			return true
		}
	}
	return false
}
