package main

import (
	"crypto/ed25519"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// lost makes the identity of an operator whose key is lost, in the lost one's place: there is
// nothing to sign with until then. The gateway is started with it before it is registered, so that
// it has the key that the statement gives it.
func (c *rotateCmd) lost(s streams, k nextKey) error {
	present, hash, err := readParty(k.present())
	if err != nil {
		return err
	}
	if !present.HasRole(carnet.RoleOperator) {
		return carnet.E(carnet.Invalid, "FOREIGN_PARTY_STATEMENT", "%s is of %s, who operates no gateway", k.present(), present.ID).
			Fix("use the registered party.json of the operator; the registrar has a copy")
	}
	next, err := ident.Load(c.Identity, passphrase)
	switch {
	case carnet.ReasonOf(err) == "NO_KEY_FILE":
		if next, err = c.make(present.ID, c.Identity); err != nil {
			return err
		}
	case err != nil:
		return err
	case next.Party() != present.ID:
		return carnet.E(carnet.Invalid, "FOREIGN_PARTY_STATEMENT", "%s is of %s, and %s is the key of %s", k.present(), present.ID, c.Identity, next.Party()).
			Fix("put the statement and the identity of one party there")
	case next.Public().Equal(ed25519.PublicKey(present.SigningKey)):
		return carnet.E(carnet.Precondition, "KEY_NOT_LOST", "the key in %s is the one that %s is about", c.Identity, k.present()).
			Fix("carnet-gateway rotate replaces it with its own signature, so that nobody has to take the registrar's word")
	}
	if p, _, err := readParty(k.statement()); err != nil || !p.ReplacesLost || !p.Follows(hash, next.Public()) {
		env, err := evidence.LostReplacement(present, hash, next, present.SealingKey, time.Now())
		if err != nil {
			return err
		}
		if err := command.WriteStatement(k.statement(), env); err != nil {
			return err
		}
	}
	return c.Report(s.out, command.Rotation{State: command.Prepared, Party: present.ID, File: k.statement(), SigningKey: next.Public(), OldSigningKey: present.SigningKey, Lost: true},
		"statement:  %s\nkey %s is to replace %s, which is lost\nnext: start the gateway with it, then send the statement to the registrar\n",
		k.statement(), evidence.KeyHint(next.Public()), evidence.KeyHint(present.SigningKey))
}
