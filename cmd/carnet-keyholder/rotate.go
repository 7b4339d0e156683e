package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

type rotateCmd struct {
	storeFlags
	command.Output
	Signing bool `help:"Replace the signing key."`
	Sealing bool `help:"Replace the sealing key."`
	Discard bool `help:"Give up what was prepared and is not registered."`
}

func (rotateCmd) Help() string {
	return `Draws keys that are to replace the present ones, both if none is named, and keeps them
in the keystore beside those. DIR/party-next.json is the statement about them, signed
with old and new key. Make a backup, which has the new keys, and only then send the
statement to the registrar, who signs and registers it as at first: once it is
registered, a keystore without the new keys is worth nothing. Stop the running
keyholder first, and start it again afterwards: it goes on with the old keys until it
reads the statement in the journal, and with the new ones from there on. Repeating the
command repeats the same statement.

--discard destroys what was prepared. Use it only if nobody has the statement: the
registrar can register it at any time, and this keyholder could do nothing then.

The old signing key is destroyed then. The old sealing key opens what is pending
first; once it is destroyed, nothing that was sealed to it can be opened any more,
whatever is stolen later. Make another backup then, and destroy the older ones: they
have the old keys.

If the keys are in HashiCorp Vault its administrator makes the new version of the
signing key before: vault write -f carnet-transit/keys/NAME-sign/rotate. See
docs/howto/vault.md. A sealing key that is in a secrets engine stays.

Example:
  carnet-keyholder rotate --dir /var/lib/carnet`
}

func (c *rotateCmd) Run(ctx context.Context, s streams) error {
	store, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	defer store.Close()
	r, ok := store.(keys.Rotator)
	if !ok {
		return carnet.E(carnet.Precondition, "KEYSTORE_FIXED", "this keystore's keys can't be replaced")
	}
	present, env, err := c.readParty(store)
	if err != nil {
		return err
	}
	if c.Discard {
		if err := r.Discard(ctx); err != nil {
			return err
		}
		if err := os.Remove(c.nextParty()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return c.Report(s.out, command.Rotation{State: command.Discarded, Party: present.ID, SigningKey: present.SigningKey, SealingKey: present.SealingKey},
			"discarded; %s goes on with key %s\n", present.ID, evidence.KeyHint(present.SigningKey))
	}
	if !c.Signing && !c.Sealing {
		_, engine := store.(inEngine)
		c.Signing, c.Sealing = true, !engine // the engine's sealing key stays
	}
	next, err := r.Draw(ctx, c.Signing, c.Sealing)
	if err != nil {
		return err
	}
	if err := c.prepare(present, env.Hash(), store.Signer(), next); err != nil {
		return err
	}
	if c.JSON {
		return encode(s, command.Rotation{State: command.Prepared, Party: present.ID, File: c.nextParty(), SigningKey: next.Signer.Public(), SealingKey: next.SealingKey,
			OldSigningKey: present.SigningKey, OldSealingKey: present.SealingKey})
	}
	fmt.Fprintf(s.out, "statement:  %s\nsigning key %s", c.nextParty(), evidence.KeyHint(next.Signer.Public()))
	if !next.Signer.Public().Equal(ed25519.PublicKey(present.SigningKey)) {
		fmt.Fprintf(s.out, ", replaces %s", evidence.KeyHint(present.SigningKey))
	}
	if !bytes.Equal(next.SealingKey, present.SealingKey) {
		fmt.Fprint(s.out, "\nsealing key new")
	}
	fmt.Fprintf(s.out, "\n\nMake a backup, send %s to the registrar, and start carnet-keyholder run: it changes keys when the journal has it.\n", c.nextParty())
	return nil
}

// prepare writes the statement, unless the one that is there says the same.
func (c *rotateCmd) prepare(present *carnet.Party, replaces carnet.Hash, old evidence.Signer, next keys.Next) error {
	if p, _, err := readStatement(c.nextParty()); err == nil && p.Follows(replaces, next.Signer.Public()) && bytes.Equal(next.SealingKey, p.SealingKey) {
		return nil
	}
	env, err := evidence.Replacement(present, replaces, old, next.Signer, next.SealingKey, time.Now())
	if err != nil {
		return err
	}
	return command.WriteStatement(c.nextParty(), env)
}
