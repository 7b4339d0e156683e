package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/ident"
)

type rotateCmd struct {
	command.Output
	Identity string `help:"Identity file that the gateway signs with. The statement about it, party.json, is in the same folder." required:"" type:"path" placeholder:"FILE" env:"CARNET_IDENTITY"`
	Plain    bool   `help:"Leave the new key file without a passphrase. Only for trying out."`
	Discard  bool   `help:"Destroy the new key, which is not registered."`
	Lost     bool   `help:"The registered key is lost: the new one replaces it on the registrar's word alone, which everybody is told."`
}

func (rotateCmd) Help() string {
	return `Draws a key that is to replace the one that the gateway signs its decisions and its log with,
keeps it beside that one, and writes party-next.json there: the statement about it, signed with
old and new key. Send it to the registrar, who signs and registers it as at first. The gateway goes
on meanwhile. It takes the statement only if it finds the new key, signs with it from that entry
on, and puts it in the old one's place. Repeating the command repeats the same statement.

The file is encrypted with the passphrase in the file that CARNET_PASSPHRASE_FILE names; the
gateway has to be running with the same one.

If the key is lost, or its passphrase, move what is left of the identity file away and use --lost. It
makes a new identity in its place; the registered statement, party.json, has to be there, and the
registrar has a copy. Stop the gateway, start it again with the new identity, and only then send
party-next.json to the registrar. Until that is registered the gateway serves what there is, but decides
nothing.

Examples:
  carnet-gateway rotate --identity operator/identity.key
  carnet-gateway rotate --lost --identity operator/identity.key`
}

func (c *rotateCmd) Run(s streams) error {
	k := nextKey{c.Identity}
	if c.Lost {
		if c.Discard {
			return carnet.E(carnet.Invalid, "USAGE", "--discard and --lost exclude each other").Fix("put the old identity file back, then carnet-gateway rotate --discard")
		}
		return c.lost(s, k)
	}
	old, err := ident.Load(c.Identity, passphrase)
	if err != nil {
		return err
	}
	if p, _, err := readParty(k.statement()); err == nil && old.Public().Equal(ed25519.PublicKey(p.SigningKey)) {
		if p.ReplacesLost { // the gateway puts it in place when it is registered
			return carnet.E(carnet.Precondition, "KEY_NOT_REGISTERED", "the key %s in %s is not registered yet", evidence.KeyHint(old.Public()), c.Identity).
				Fix("send %s to the registrar while the gateway runs", k.statement())
		}
		if err := os.Rename(k.statement(), k.present()); err != nil { // adopting was interrupted
			return err
		}
	}
	present, hash, err := readParty(k.present())
	if err != nil {
		return err
	}
	if !old.Public().Equal(ed25519.PublicKey(present.SigningKey)) {
		return carnet.E(carnet.Invalid, "FOREIGN_PARTY_STATEMENT", "%s is not about the key in %s", k.present(), c.Identity).
			Fix("use the party.json that was made together with this identity")
	}
	if c.Discard {
		for _, file := range []string{k.statement(), ident.NextFile(c.Identity)} {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return c.Report(s.out, command.Rotation{State: command.Discarded, Party: present.ID, SigningKey: old.Public()}, "discarded; %s goes on with key %s\n", present.ID, evidence.KeyHint(old.Public()))
	}
	next, err := c.draw(present.ID)
	if err != nil {
		return err
	}
	if p, _, err := readParty(k.statement()); err != nil || !p.Follows(hash, next.Public()) {
		env, err := evidence.Replacement(present, hash, old, next, present.SealingKey, time.Now())
		if err != nil {
			return err
		}
		if err := command.WriteStatement(k.statement(), env); err != nil {
			return err
		}
	}
	return c.Report(s.out, command.Rotation{State: command.Prepared, Party: present.ID, File: k.statement(), SigningKey: next.Public(), OldSigningKey: old.Public()},
		"statement:  %s\nkey %s is to replace %s\nnext: send it to the registrar; the gateway uses the key when that has registered it\n",
		k.statement(), evidence.KeyHint(next.Public()), evidence.KeyHint(old.Public()))
}

// draw returns the key that was drawn before, or a new one.
func (c *rotateCmd) draw(id carnet.PartyID) (*ident.Identity, error) {
	file := ident.NextFile(c.Identity)
	next, err := ident.Load(file, passphrase)
	if carnet.ReasonOf(err) != "NO_KEY_FILE" {
		return next, err
	}
	return c.make(id, file)
}

func (c *rotateCmd) make(id carnet.PartyID, file string) (_ *ident.Identity, err error) {
	pass := ""
	if !c.Plain {
		if os.Getenv(ident.PassphraseEnv) == "" {
			return nil, carnet.E(carnet.Precondition, "PASSPHRASE_NEEDED", "the new key needs a passphrase").
				Fix("set %s to a file that holds it, or use --plain where keys are only for trying out", ident.PassphraseEnv)
		}
		if pass, err = passphrase(file); err != nil {
			return nil, err
		}
	}
	next, err := ident.New(id, rand.Reader)
	if err != nil {
		return nil, err
	}
	return next, next.Save(file, pass)
}

// nextKey is the key beside an identity file.
type nextKey struct{ identity string }

var _ flow.NextKey = nextKey{}

func (k nextKey) present() string { return filepath.Join(filepath.Dir(k.identity), "party.json") }
func (k nextKey) statement() string {
	return filepath.Join(filepath.Dir(k.identity), "party-next.json")
}

// Prepared implements flow.NextKey.
func (k nextKey) Prepared(context.Context) (evidence.Signer, error) {
	next, err := ident.Load(ident.NextFile(k.identity), passphrase)
	if carnet.ReasonOf(err) == "NO_KEY_FILE" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return next, nil
}

// Adopt implements flow.NextKey. The old key is destroyed, but for that of a party that asks
// queries, too: it opens the answers.
func (k nextKey) Adopt(_ context.Context, registered *carnet.Party) error {
	if _, err := os.Stat(k.statement()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	p, _, err := readParty(k.statement())
	if err != nil {
		return err
	}
	key := ed25519.PublicKey(registered.SigningKey)
	if !bytes.Equal(p.SigningKey, key) {
		return nil // it is about a later one
	}
	old, err := ident.Load(k.identity, passphrase)
	if err != nil {
		return err
	}
	if !old.Public().Equal(key) {
		if err := ident.Replace(k.identity, old.Public(), p.HasRole(carnet.RoleBuyer)); err != nil {
			return err
		}
	}
	if err := os.Rename(k.statement(), k.present()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func readParty(file string) (*carnet.Party, carnet.Hash, error) {
	bad := carnet.E(carnet.NotFound, "NO_PARTY_STATEMENT", "the party statement %s can't be read", file).
		Fix("carnet init writes it; the identity and its statement belong into one folder")
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, carnet.Hash{}, bad.Because(err)
	}
	var env evidence.Envelope
	p := &carnet.Party{}
	if err := json.Unmarshal(data, &env); err != nil {
		return nil, carnet.Hash{}, bad.Because(err)
	}
	return p, env.Hash(), env.Decode(carnet.TypeParty, p)
}
