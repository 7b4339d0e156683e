package client

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/share"
)

// verifyParty checks a party statement: registered by the registrar, possession of
// its key proved by the party.
func verifyParty(env *evidence.Envelope, registrar ed25519.PublicKey) (*carnet.Party, error) {
	if env == nil {
		return nil, wrong("the gateway sent no party statement")
	}
	p := &carnet.Party{}
	if err := env.Verify(carnet.TypeParty, registrar, p); err != nil {
		return nil, byRegistrar(err, "a party statement", registrar)
	}
	if !carnet.ValidName(string(p.ID)) || !env.SignedBy(p.SigningKey) {
		return nil, carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "party %q did not prove possession of its key", p.ID)
	}
	return p, nil
}

// byRegistrar explains a missing signature of the registrar: either the wrong key was
// pinned or the gateway is not to be trusted.
func byRegistrar(err error, what string, registrar ed25519.PublicKey) error {
	if carnet.ReasonOf(err) != "BAD_SIGNATURE" {
		return fmt.Errorf("%s: %w", what, err)
	}
	return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "the gateway sent %s that the pinned registrar key %s did not sign", what, evidence.KeyHint(registrar)).
		Fix("compare registrar.pub with your network's; if it is the right one, don't use this gateway")
}

// verifyCommittee checks a committee statement as far as it goes without its members.
func verifyCommittee(env *evidence.Envelope, registrar ed25519.PublicKey) (*Committee, error) {
	if env == nil {
		return nil, wrong("the gateway sent no committee")
	}
	c := &Committee{Hash: env.Hash()}
	if err := env.Verify(carnet.TypeCommittee, registrar, &c.Committee); err != nil {
		return nil, byRegistrar(err, "a committee statement", registrar)
	}
	scheme, err := share.NewCommittee(len(c.Members), c.Threshold)
	if err == nil && c.PrivateChecks != 0 {
		_, err = scheme.AllowsSelections(c.PrivateChecks)
	}
	if err != nil {
		return nil, err
	}
	if err := c.Policy.Validate(); err != nil {
		return nil, err
	}
	seen := map[carnet.PartyID]bool{}
	for _, m := range c.Members {
		if seen[m] {
			return nil, carnet.E(carnet.Invalid, "BAD_COMMITTEE", "committee %s lists %s twice", c.ID, m)
		}
		seen[m] = true
	}
	return c, nil
}

// parties are what the registrar says of parties, by name.
type parties map[carnet.PartyID]*registered

// signed checks that env is signed by the party that claims it, in one of the roles, with
// the key that it had when env entered the log.
func (ps parties) signed(ctx context.Context, env *evidence.Envelope, by carnet.PartyID, roles ...carnet.Role) error {
	p, ok := ps[by]
	if !ok {
		return wrong("the gateway did not send the statement of party %s", by)
	}
	if !hasAnyRole(p.Party, roles) {
		return carnet.E(carnet.Forbidden, "WRONG_ROLE", "party %s signed a statement that is not its to sign", by)
	}
	return p.signed(ctx, env)
}

func hasAnyRole(p *carnet.Party, roles []carnet.Role) bool {
	for _, r := range roles {
		if p.HasRole(r) {
			return true
		}
	}
	return false
}

// dealing is a checked dealing statement.
type dealing struct {
	carnet.Dealing
	profile *he.Profile
}

// verifyDealing checks a dealing: signed by its owner, for this committee, with a
// known profile, one commitment for every part and one correction for every power.
func verifyDealing(ctx context.Context, env *evidence.Envelope, ps parties, committee *Committee, shares share.Committee) (*dealing, error) {
	d := &dealing{}
	if err := env.Decode(carnet.TypeDealing, &d.Dealing); err != nil {
		return nil, err
	}
	if err := ps.signed(ctx, env, d.Owner, carnet.RoleOwner); err != nil {
		return nil, fmt.Errorf("dealing: %w", err)
	}
	p, err := he.Lookup(d.Profile)
	if err != nil {
		return nil, err
	}
	d.profile = p
	return d, fitsDealing(d, committee, shares)
}

// fitsDealing checks how a key was shared against the committee and the profile.
func fitsDealing(d *dealing, committee *Committee, shares share.Committee) error {
	p := d.profile
	bad := carnet.E(carnet.Invalid, "BAD_DEALING", "the dealing of %s does not fit its committee and profile", d.Owner)
	switch {
	case d.Committee != committee.Hash:
		return bad.With("committee", "is another one than the product's")
	case d.Params != p.ID():
		return bad.With("params", "are not those of profile %s", d.Profile)
	case len(d.Commitments) != shares.Parts():
		return bad.With("commitments", "there are %d, want %d", len(d.Commitments), shares.Parts())
	case len(d.Corrections) != p.MaxDegree():
		return bad.With("corrections", "there are %d, want %d", len(d.Corrections), p.MaxDegree())
	case d.Home != nil && (d.Home.Member < 1 || d.Home.Member > len(committee.Members)):
		return bad.With("home", "member %d does not exist", d.Home.Member)
	}
	return nil
}
