package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

type initCmd struct {
	storeFlags
	command.Output
	Party        string `help:"Short identifier, such as ch-customs." required:"" placeholder:"ID"`
	Name         string `help:"Full name of the organisation." required:"" placeholder:"TEXT"`
	Jurisdiction string `help:"ISO 3166-1 alpha-2 code." required:"" placeholder:"CC"`
	Lost         string `help:"The party's registered statement, whose keys are lost: the new ones replace them on the registrar's word alone, which everybody is told." type:"path" placeholder:"FILE"`
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

If the keys of a registered keyholder are lost, move what is left of keystore.age out
of DIR, leave ledger and mark there, and give its registered statement to --lost: the
new party.json says that it replaces that one. Seeds are lost with the keys.

Example:
  carnet-keyholder init --dir /var/lib/carnet --party ch-customs \
    --name "Federal Office for Customs" --jurisdiction CH`
}

var jurisdictionForm = regexp.MustCompile(`^[A-Z]{2}$`)

func (c *initCmd) Run(ctx context.Context, s streams) error {
	if !carnet.ValidName(c.Party) {
		return carnet.BadName("a party", c.Party)
	}
	c.Jurisdiction = strings.ToUpper(c.Jurisdiction)
	if !jurisdictionForm.MatchString(c.Jurisdiction) {
		return carnet.E(carnet.Invalid, "BAD_JURISDICTION", "%q is no jurisdiction", c.Jurisdiction).Fix("use the two-letter code, such as CH")
	}
	body, err := c.statement()
	if err != nil {
		return err
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
	body.SigningKey, body.SealingKey = store.Signer().Public(), store.SealingKey()
	env, err := evidence.Seal(carnet.TypeParty, body, store.Signer())
	if err != nil {
		return err
	}
	if err := command.WriteStatement(c.party(), env); err != nil {
		return err
	}
	if c.JSON {
		says := map[string]any{"party": c.Party, "keystore": where, "file": c.party(), "signing_key": []byte(store.Signer().Public()), "sealing_key": store.SealingKey()}
		if e, ok := store.(inEngine); ok && policy != nil {
			says["engine"], says["ticket_key"] = e.path, []byte(policy.Signer().Public())
		}
		return encode(s, says)
	}
	fmt.Fprintf(s.out, "keystore:   %s\nstatement:  %s\nsigning key %s\n\nSend %s to the registrar, then start: carnet-keyholder run --dir %s\n",
		where, c.party(), evidence.KeyHint(store.Signer().Public()), c.party(), c.Dir)
	if policy != nil {
		explainEngine(s, store, policy.Signer())
	}
	return nil
}

// statement is what is to be registered, without keys. If they replace lost ones, the party
// keeps its roles.
func (c *initCmd) statement() (*carnet.Party, error) {
	p := &carnet.Party{ID: carnet.PartyID(c.Party), Name: c.Name, Jurisdiction: carnet.Jurisdiction(c.Jurisdiction), Roles: []carnet.Role{carnet.RoleKeyholder}, Created: now()}
	if c.Lost == "" {
		return p, nil
	}
	old, env, err := readStatement(c.Lost)
	if err != nil {
		return nil, err
	}
	if old.ID != p.ID || old.Jurisdiction != p.Jurisdiction || !old.HasRole(carnet.RoleKeyholder) {
		return nil, carnet.E(carnet.Invalid, "PARTY_CHANGED", "%s is of %s in %s, registered as %s", c.Lost, old.ID, old.Jurisdiction, carnet.RoleNames(old.Roles)).
			Fix("a party whose keys are replaced keeps its name, jurisdiction and roles, and a keyholder was one before")
	}
	h := env.Hash()
	p.Roles, p.Replaces, p.ReplacesLost = old.Roles, &h, true
	return p, nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
