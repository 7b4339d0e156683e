package flow

import (
	"context"
	"crypto/ed25519"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// HPKEPublicBytes is the length of an ML-KEM-768+X25519 public key.
const HPKEPublicBytes = 1184 + 32

var allRoles = []carnet.Role{carnet.RoleOwner, carnet.RoleBuyer, carnet.RoleKeyholder, carnet.RoleAuditor, carnet.RoleOperator}

// RegisterParty stores a party statement. The first one needs two signatures, the
// registrar's and the party's own; one that replaces it needs that of the old key, too.
// Who delivers it does not matter.
func (g *Gateway) RegisterParty(ctx context.Context, env *evidence.Envelope) (Ref, error) {
	var p carnet.Party
	if err := env.Decode(carnet.TypeParty, &p); err != nil {
		return Ref{}, err
	}
	var checked *place
	err := checkParty(&p)
	if err == nil {
		err = g.Store.View(ctx, func(tx Tx) (err error) { checked, err = g.follows(tx, env, p.ID, nil); return err })
	}
	if err != nil && !env.SignedBy(g.Registrar) {
		return Ref{}, errNotRegistrar()
	}
	if err != nil {
		return Ref{}, err
	}
	if err := g.prepared(ctx, &p); err != nil {
		return Ref{}, err
	}
	ref, err := g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := g.follows(tx, env, p.ID, checked); err != nil {
			return err
		}
		return tx.PutParty(p.ID, st.Hash)
	})
	if err == nil && p.ID == g.Operator {
		if err := g.settleKeys(context.WithoutCancel(ctx)); err != nil {
			g.Logger.Error("the operator's new key is in use only for what is journaled until the gateway starts again", "error", err)
		}
	}
	return ref, err
}

// place is what a statement of a party has to follow.
type place struct {
	statements int
	revoked    bool
}

// follows checks that a statement may be the next one of its party, or is the present one,
// unless that was checked at the same place, which it returns: signatures take longer than
// anything else here, and no change waits for them.
func (g *Gateway) follows(tx Tx, env *evidence.Envelope, id carnet.PartyID, checked *place) (*place, error) {
	chain, err := partyChain(tx, id)
	if err != nil {
		return nil, err
	}
	_, revoked := chain.Revoked()
	now := &place{len(chain.Versions()), revoked}
	if checked != nil && *checked == *now {
		return now, nil
	}
	return now, chain.Add(math.MaxInt64, env, g.Registrar)
}

// orElse returns err, or other if err is nil.
func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func notRegistrar(err error) error {
	if carnet.ReasonOf(err) == "BAD_SIGNATURE" {
		return errNotRegistrar()
	}
	return err
}

func errNotRegistrar() error {
	return carnet.E(carnet.Forbidden, "NOT_REGISTRAR", "the statement is not signed by the network's registrar").
		Fix("have the registrar countersign it; compare registrar.pub if you think it did")
}

func checkParty(p *carnet.Party) error {
	e := bad("BAD_PARTY", "the party statement is not acceptable")
	n := 0
	fault := func(field, format string, args ...any) { e, n = e.With(field, format, args...), n+1 }
	if !carnet.ValidName(string(p.ID)) {
		fault("id", "want 1 to 63 of a-z, 0-9, '.', '_', '-', starting with a letter or digit")
	}
	if p.Name == "" || len(p.Name) > 200 || !utf8.ValidString(p.Name) {
		fault("name", "want 1 to 200 bytes of text")
	}
	if j := p.Jurisdiction; len(j) != 2 || j[0] < 'A' || j[0] > 'Z' || j[1] < 'A' || j[1] > 'Z' {
		fault("jurisdiction", "want an ISO 3166-1 alpha-2 code in upper case")
	}
	if len(p.Roles) == 0 || len(p.Roles) > len(allRoles) {
		fault("roles", "want 1 to %d roles", len(allRoles))
	}
	for _, r := range p.Roles {
		if !slices.Contains(allRoles, r) {
			fault("roles", "unknown role %q", r)
		}
	}
	if len(p.SigningKey) != ed25519.PublicKeySize {
		fault("signing_key", "want %d bytes, have %d", ed25519.PublicKeySize, len(p.SigningKey))
	}
	switch keyholder := p.HasRole(carnet.RoleKeyholder); {
	case keyholder && len(p.SealingKey) != HPKEPublicBytes:
		fault("sealing_key", "a keyholder needs a key of %d bytes, have %d", HPKEPublicBytes, len(p.SealingKey))
	case !keyholder && len(p.SealingKey) != 0:
		fault("sealing_key", "only keyholders have one")
	}
	if n > 0 {
		return e
	}
	return nil
}
