package flow

import (
	"crypto/ed25519"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// party returns a registered party.
func party(tx Tx, id carnet.PartyID) (*carnet.Party, error) {
	st, err := tx.GetNamed(NamedParty, string(id))
	if err != nil {
		return nil, err
	}
	p := &carnet.Party{}
	return p, st.Envelope.Decode(carnet.TypeParty, p)
}

// partyChain is all that the journal says about a party; empty if it is unknown.
func partyChain(tx Tx, id carnet.PartyID) (*evidence.PartyChain, error) {
	list, revoked, err := partyHistory(tx, id)
	if err != nil {
		return nil, err
	}
	chain := &evidence.PartyChain{}
	for _, st := range list {
		if err := chain.Restore(st.Seq, st.Envelope); err != nil {
			return nil, err
		}
	}
	if revoked != nil {
		chain.RestoreRevoked(revoked.Seq)
	}
	return chain, nil
}

// signer returns the party if it is registered, has one of the roles and signed the
// statement.
func signer(tx Tx, env *evidence.Envelope, id carnet.PartyID, roles ...carnet.Role) (*carnet.Party, error) {
	chain, err := partyChain(tx, id)
	if err != nil {
		return nil, err
	}
	p := chain.Present()
	if p == nil {
		return nil, carnet.E(carnet.Forbidden, "UNKNOWN_PARTY", "party %q is not registered", id).
			Fix("register with the network's registrar first")
	}
	if !hasRole(p, roles...) {
		return nil, carnet.E(carnet.Forbidden, "WRONG_ROLE", "party %q is not registered as %s", id, carnet.RoleNames(roles)).
			Fix("connect as a party with that role, or ask the registrar for it")
	}
	return p, chain.Signed(endOfJournal, env)
}

func hasRole(p *carnet.Party, roles ...carnet.Role) bool {
	for _, r := range roles {
		if p.HasRole(r) {
			return true
		}
	}
	return false
}

// sameCaller refuses a statement that speaks for another party than the one that
// delivers it.
func sameCaller(as *carnet.Party, claimed carnet.PartyID) error {
	if as.ID != claimed {
		return carnet.E(carnet.Forbidden, "WRONG_PARTY", "%q can't deliver a statement of %q", as.ID, claimed).
			Fix("connect with the certificate of %q", claimed)
	}
	return nil
}

// onlySignature returns the signature of env that verifies under pub, nil if none.
func onlySignature(env *evidence.Envelope, pub ed25519.PublicKey) *evidence.Signature {
	for i := range env.Signatures {
		one := evidence.Envelope{PayloadType: env.PayloadType, Payload: env.Payload, Signatures: env.Signatures[i : i+1]}
		if one.SignedBy(pub) {
			return &env.Signatures[i]
		}
	}
	return nil
}

// bad starts the error of a statement whose contents are not acceptable.
func bad(reason, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, reason, format, args...)
}

// known says that a name or nonce is taken by another statement.
func known(reason, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Exists, reason, format, args...)
}

// absent reports whether err says that something is not there.
func absent(err error) bool { return carnet.KindOf(err) == carnet.NotFound }
