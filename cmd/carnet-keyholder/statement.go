package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

// readStatement reads a party statement as it is.
func readStatement(path string) (*carnet.Party, *evidence.Envelope, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, carnet.E(carnet.NotFound, "NO_PARTY_STATEMENT", "%s can't be read", path).Because(err).
			Fix("carnet-keyholder init writes it; restore it from a backup")
	}
	var env evidence.Envelope
	var p carnet.Party
	if err := json.Unmarshal(b, &env); err != nil {
		return nil, nil, carnet.E(carnet.Invalid, "BAD_PARTY_STATEMENT", "%s is not a signed statement", path).Because(err)
	}
	if err := env.Decode(carnet.TypeParty, &p); err != nil {
		return nil, nil, carnet.E(carnet.Invalid, "BAD_PARTY_STATEMENT", "%s is no party statement", path).Because(err)
	}
	return &p, &env, nil
}

// readParty reads the party's statement with the keys that the keystore has. After a rotation
// that is the one that was prepared for it, which takes its place then.
func (d dirFlag) readParty(store keys.Store) (*carnet.Party, *evidence.Envelope, error) {
	ours := func(p *carnet.Party, env *evidence.Envelope) bool {
		return store.Signer().Public().Equal(ed25519.PublicKey(p.SigningKey)) && bytes.Equal(store.SealingKey(), p.SealingKey) && env.SignedBy(p.SigningKey)
	}
	if next, env, err := readStatement(d.nextParty()); err == nil && ours(next, env) {
		return next, env, os.Rename(d.nextParty(), d.party())
	}
	p, env, err := readStatement(d.party())
	if err != nil {
		return nil, nil, err
	}
	if !ours(p, env) {
		return nil, nil, carnet.E(carnet.Invalid, "FOREIGN_PARTY_STATEMENT", "%s is not signed with the keystore's key", d.party()).
			Fix("use the party.json that was made together with this keystore; after a rotation put the statement that the registrar registered beside it as %s", d.nextParty())
	}
	return p, env, nil
}
