package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

type partyRotateCmd struct {
	command.Output
	Plain   bool `help:"Leave the new key file without a passphrase. Only for trying out."`
	Wait    bool `help:"Wait until the registrar registered the statement, and use the new key."`
	Discard bool `help:"Destroy the new key, which is not registered."`
	Lost    bool `help:"The registered key is lost: the new one replaces it on the registrar's word alone, which everybody is told."`
}

func (partyRotateCmd) Help() string {
	return `For owners, buyers and auditors. Draws a key that is to replace the one of this party, keeps it
beside that one, and writes party-next.json: the statement about it, signed with old and new
key. Send it to the registrar, who signs and registers it as at first. Until then everything
goes on with the old key; the first command that signs afterwards uses the new one. Repeating
this command repeats the same statement.

The old key is destroyed then, as nobody takes anything signed with it. A buyer's is kept, in
identity-KEY.key: answers to earlier queries open with nothing else. Dataset keys stay as they
are. With --discard have the registrar throw the statement away, too: who registers it
afterwards leaves the party without a key.

If the key is lost, or its passphrase, move what is left of identity.key out of the home
directory and use --lost; if the whole directory is lost, make another with carnet init
first. The statement then says that the old key is lost and has no signature of it. The
registrar finds out whether it is you who asks. Until the statement is registered, nothing
that this party signs counts. A buyer's earlier answers can't be opened with the new key.

Examples:
  carnet party rotate
  carnet party rotate --lost`
}

func (c *partyRotateCmd) Run(a *app) error {
	if c.Discard && c.Wait {
		return usage("--discard and --wait exclude each other")
	}
	if c.Discard && c.Lost {
		return usage("--discard and --lost exclude each other").Fix("put the old identity file back, then carnet party rotate --discard")
	}
	if c.Lost {
		return c.lost(a)
	}
	cl, cfg, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	if a.adopted {
		return c.adopted(a, id)
	}
	if err := a.notRegistrar(cfg, id.Public()); err != nil {
		return err
	}
	present, hash, err := cl.PartyStatement(a.ctx, id.Party())
	if err != nil {
		return err
	}
	if err := c.check(present); err != nil {
		return err
	}
	if !bytes.Equal(present.SigningKey, id.Public()) {
		return a.notHeld(present.SigningKey)
	}
	if c.Discard {
		if err := os.Remove(a.path(nextPartyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := a.discardNext(cfg); err != nil {
			return err
		}
		return c.Report(a.out, command.Rotation{State: command.Discarded, Party: id.Party(), SigningKey: id.Public()},
			"discarded; %s goes on with key %s\n", id.Party(), evidence.KeyHint(id.Public()))
	}
	next, err := a.drawNext(cfg, c.Plain)
	if err != nil {
		return err
	}
	if err := a.prepare(present, hash, id, next); err != nil {
		return err
	}
	return c.prepared(a, cl, cfg, id, present, next)
}

// prepared says what was prepared, and waits for it if it is to.
func (c *partyRotateCmd) prepared(a *app, cl *client.Client, cfg *config, id *ident.Identity, present *carnet.Party, next *ident.Identity) error {
	if c.JSON && !c.Wait {
		return a.json(command.Rotation{State: command.Prepared, Party: id.Party(), File: a.path(nextPartyFile), SigningKey: next.Public(), OldSigningKey: present.SigningKey, Lost: c.Lost})
	}
	if !c.JSON {
		a.printf("statement:  %s\n", a.path(nextPartyFile))
		a.printf("key %s is to replace %s\n", evidence.KeyHint(next.Public()), evidence.KeyHint(present.SigningKey))
	}
	if !c.Wait {
		a.printf("next: send %s to the registrar of your network\n", nextPartyFile)
		return nil
	}
	return c.awaitKey(a, cl, cfg, id)
}

// adopted says that the new key is in use.
func (c *partyRotateCmd) adopted(a *app, id *ident.Identity) error {
	return c.Report(a.out, command.Rotation{State: command.InUse, Party: id.Party(), SigningKey: id.Public()}, "%s signs with key %s\n", id.Party(), evidence.KeyHint(id.Public()))
}

// notRegistrar refuses to replace the key that everybody pinned.
func (a *app) notRegistrar(cfg *config, key ed25519.PublicKey) error {
	anchor, err := ident.ReadAnchor(a.path(cfg.Registrar))
	if err != nil {
		return err
	}
	if anchor.Equal(key) {
		return carnet.E(carnet.Precondition, "REGISTRAR_PINNED", "the registrar's key can't be replaced: everybody pinned it in registrar.pub").
			Fix("make a new network if it is lost or in other hands, and have everybody register there")
	}
	return nil
}

// check refuses for whom another command is.
func (c *partyRotateCmd) check(present *carnet.Party) error {
	keyholder, gateway := "carnet-keyholder rotate", "carnet-gateway rotate"
	if c.Lost {
		keyholder, gateway = "carnet-keyholder init --lost", "carnet-gateway rotate --lost"
	}
	switch {
	case present.HasRole(carnet.RoleKeyholder):
		return usage("%s is a keyholder", present.ID).Fix("%s replaces its keys", keyholder)
	case present.HasRole(carnet.RoleOperator):
		return usage("%s is an operator, whose gateway signs with this key while it runs", present.ID).
			Fix("%s, where the gateway runs, replaces it", gateway)
	}
	return nil
}

// prepare writes the statement, unless the one that is there says the same.
func (a *app) prepare(present *carnet.Party, replaces carnet.Hash, old, next *ident.Identity) error {
	if a.isPrepared(replaces, next, false) {
		return nil
	}
	env, err := evidence.Replacement(present, replaces, old, next, present.SealingKey, time.Now())
	if err != nil {
		return err
	}
	return command.WriteStatement(a.path(nextPartyFile), env)
}

func (a *app) isPrepared(replaces carnet.Hash, next *ident.Identity, lost bool) bool {
	p, _, err := a.nextParty()
	return err == nil && p != nil && p.ReplacesLost == lost && p.Follows(replaces, next.Public())
}

// lookForKey is how often the gateway is asked whether a statement is registered.
const lookForKey = 2 * time.Second

// awaitKey waits until the journal has the new key, and adopts it.
func (c *partyRotateCmd) awaitKey(a *app, cl *client.Client, cfg *config, id *ident.Identity) error {
	for {
		now, err := a.settle(cl, cfg, id)
		if err != nil && carnet.KindOf(err) != carnet.Unavailable && carnet.ReasonOf(err) != "KEY_NOT_REGISTERED" {
			return err
		}
		if a.adopted {
			return errors.Join(err, c.adopted(a, now))
		}
		select {
		case <-a.ctx.Done():
			return a.ctx.Err()
		case <-time.After(lookForKey):
		}
	}
}
