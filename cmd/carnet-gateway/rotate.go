package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
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
	Identity string `help:"Identity file that the gateway signs with. The statement about it, party.json, is in the same folder." required:"" type:"path" placeholder:"FILE" env:"CARNET_IDENTITY"`
	Plain    bool   `help:"Leave the new key file without a passphrase. Only for trying out."`
	Discard  bool   `help:"Destroy the new key, which is not registered."`
}

func (rotateCmd) Help() string {
	return `Draws a key that is to replace the one that the gateway signs its decisions and its log with,
keeps it beside that one, and writes party-next.json there: the statement about it, signed with
old and new key. Send it to the registrar, who signs and registers it as at first. The gateway goes
on meanwhile. It takes the statement only if it finds the new key, signs with it from that entry
on, and puts it in the old one's place. Repeating the command repeats the same statement.

The file is encrypted with the passphrase in the file that CARNET_PASSPHRASE_FILE names; the
gateway has to be running with the same one.

Example:
  carnet-gateway rotate --identity operator/identity.key`
}

func (c *rotateCmd) Run(s streams) error {
	k := nextKey{c.Identity}
	old, err := ident.Load(c.Identity, passphrase)
	if err != nil {
		return err
	}
	if p, _, err := readParty(k.statement()); err == nil && old.Public().Equal(ed25519.PublicKey(p.SigningKey)) {
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
		fmt.Fprintf(s.out, "discarded; %s goes on with key %s\n", present.ID, evidence.KeyHint(old.Public()))
		return nil
	}
	next, err := c.draw(present.ID)
	if err != nil {
		return err
	}
	if p, _, err := readParty(k.statement()); err != nil || p.Replaces == nil || *p.Replaces != hash || !bytes.Equal(p.SigningKey, next.Public()) {
		env, err := evidence.Replacement(present, hash, old, next, present.SealingKey, time.Now())
		if err != nil {
			return err
		}
		if err := command.WriteStatement(k.statement(), env); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.out, "statement:  %s\nkey %s is to replace %s\n", k.statement(), evidence.KeyHint(next.Public()), evidence.KeyHint(old.Public()))
	fmt.Fprintln(s.out, "next: send it to the registrar; the gateway uses the key when that has registered it")
	return nil
}

// draw returns the key that was drawn before, or a new one.
func (c *rotateCmd) draw(id carnet.PartyID) (*ident.Identity, error) {
	file := ident.NextFile(c.Identity)
	next, err := ident.Load(file, passphrase)
	if carnet.ReasonOf(err) != "NO_KEY_FILE" {
		return next, err
	}
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
	if next, err = ident.New(id, rand.Reader); err != nil {
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
func (k nextKey) Adopt(context.Context) error {
	old, err := ident.Load(k.identity, passphrase)
	if err != nil {
		return err
	}
	p, _, unread := readParty(k.statement())
	if err := ident.Replace(k.identity, old.Public(), unread == nil && p.HasRole(carnet.RoleBuyer)); err != nil {
		return err
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
