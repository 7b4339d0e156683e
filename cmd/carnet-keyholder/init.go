package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

type initCmd struct {
	storeFlags
	Party        string `help:"Short identifier, such as ch-customs." required:"" placeholder:"ID"`
	Name         string `help:"Full name of the organisation." required:"" placeholder:"TEXT"`
	Jurisdiction string `help:"ISO 3166-1 alpha-2 code." required:"" placeholder:"CC"`
}

func (initCmd) Help() string {
	return `Draws a signing key and a sealing key, keeps them in DIR/keystore.age, and writes
DIR/party.json: a statement of who you are, signed with the new key. Send
party.json to the registrar of your network, who signs and registers it. It
holds nothing secret. Back up with carnet-keyholder backup.

If there is DIR/vault.yaml, the keys are in HashiCorp Vault instead: Vault signs
with a key that its administrator made, and keeps the sealing key wrapped. See
docs/howto/vault.md. If it names an engine, seeds are kept and shares made by the
secrets engine vault-plugin-carnet, and DIR/policy.age has the key that permits
them. See docs/howto/vault-plugin.md.

Example:
  carnet-keyholder init --dir /var/lib/carnet --party ch-customs \
    --name "Federal Office for Customs" --jurisdiction CH`
}

var jurisdictionForm = regexp.MustCompile(`^[A-Z]{2}$`)

func (c *initCmd) Run(ctx context.Context, s streams) error {
	if !carnet.ValidName(c.Party) {
		return carnet.E(carnet.Invalid, "BAD_NAME", "%q is no identifier", c.Party).Fix("use a-z, 0-9, dot, dash and underscore, at most 63 characters")
	}
	c.Jurisdiction = strings.ToUpper(c.Jurisdiction)
	if !jurisdictionForm.MatchString(c.Jurisdiction) {
		return carnet.E(carnet.Invalid, "BAD_JURISDICTION", "%q is no jurisdiction", c.Jurisdiction).Fix("use the two-letter code, such as CH")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	if err := c.createPolicy(s); err != nil {
		return err
	}
	store, where, err := c.create(ctx, s)
	if err != nil {
		return err
	}
	defer store.Close()
	policy, err := c.policy(s, store)
	if err != nil {
		return err
	}
	if policy != nil {
		defer policy.Close()
	}
	env, err := statement(store, carnet.PartyID(c.Party), c.Name, carnet.Jurisdiction(c.Jurisdiction), time.Now())
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.party(), append(b, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "keystore:   %s\nstatement:  %s\nsigning key %s\n\nSend %s to the registrar, then start: carnet-keyholder run --dir %s\n",
		where, c.party(), evidence.KeyHint(store.Signer().Public()), c.party(), c.Dir)
	if policy != nil {
		explainEngine(s, store, policy.Signer())
	}
	return nil
}

// statement is the party statement, signed by the party itself.
func statement(store keys.Store, id carnet.PartyID, name string, j carnet.Jurisdiction, now time.Time) (*evidence.Envelope, error) {
	return evidence.Seal(carnet.TypeParty, carnet.Party{
		ID: id, Name: name, Jurisdiction: j, Roles: []carnet.Role{carnet.RoleKeyholder},
		SigningKey: store.Signer().Public(), SealingKey: store.SealingKey(), Created: now.UTC().Truncate(time.Second),
	}, store.Signer())
}

// readParty reads party.json and checks that it belongs to the signing key.
func readParty(path string, store keys.Store) (*carnet.Party, *evidence.Envelope, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, carnet.E(carnet.NotFound, "NO_PARTY_STATEMENT", "%s can't be read", path).Because(err).
			Fix("carnet-keyholder init writes it; restore it from a backup")
	}
	var env evidence.Envelope
	if err := json.Unmarshal(b, &env); err != nil {
		return nil, nil, carnet.E(carnet.Invalid, "BAD_PARTY_STATEMENT", "%s is not a signed statement", path).Because(err)
	}
	var p carnet.Party
	if err := env.Verify(carnet.TypeParty, store.Signer().Public(), &p); err != nil {
		return nil, nil, carnet.E(carnet.Invalid, "FOREIGN_PARTY_STATEMENT", "%s is not signed with the keystore's key", path).
			Fix("use the party.json that was made together with this keystore")
	}
	return &p, &env, nil
}
