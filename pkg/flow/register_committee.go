package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// RegisterCommittee stores a committee statement signed by the registrar. Its
// members are registered keyholders, and it is never changed: owners deal to its
// statement hash.
func (g *Gateway) RegisterCommittee(ctx context.Context, env *evidence.Envelope) (Ref, error) {
	var c carnet.Committee
	if err := env.Verify(carnet.TypeCommittee, g.Registrar, &c); err != nil {
		return Ref{}, notRegistrar(err)
	}
	if !carnet.ValidName(string(c.ID)) {
		return Ref{}, bad("BAD_COMMITTEE", "the committee statement is not acceptable").With("id", "is not a name")
	}
	n, t := len(c.Members), c.Threshold
	scheme, err := share.NewCommittee(n, t)
	if err == nil && c.PrivateChecks != 0 {
		_, err = scheme.AllowsSelections(c.PrivateChecks)
	}
	if err != nil {
		return Ref{}, err
	}
	// Fewer co-signatures would let a gateway show two halves of the committee two
	// journals with fewer than t dishonest members.
	if least := (n + t + 1) / 2; c.Quorum < least || c.Quorum > n {
		return Ref{}, bad("BAD_QUORUM", "a committee of %d with threshold %d needs a quorum from %d to %d, not %d", n, t, least, n, c.Quorum)
	}
	if c.Attestations < 0 || c.Attestations > n {
		return Ref{}, bad("BAD_COMMITTEE", "the committee statement is not acceptable").With("attestations", "want 0 to %d", n)
	}
	if err := c.Policy.Validate(); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := tx.GetNamed(NamedCommittee, string(c.ID)); !absent(err) {
			return orElse(err, known("COMMITTEE_EXISTS", "committee %q is registered with another statement", c.ID))
		}
		seen := map[carnet.PartyID]bool{}
		for _, m := range c.Members {
			chain, err := partyChain(tx, m)
			if err != nil {
				return err
			}
			p := chain.At(endOfJournal)
			switch {
			case seen[m]:
				return bad("BAD_MEMBER", "member %q is listed twice", m).Fix("name every keyholder once")
			case p == nil:
				return bad("BAD_MEMBER", "member %q is not registered, or revoked", m).Fix("register its party statement first; carnet party list has those that are")
			case !p.HasRole(carnet.RoleKeyholder):
				return bad("BAD_MEMBER", "member %q is no keyholder", m).Fix("name parties that were registered with that role; carnet party list shows roles")
			}
			seen[m] = true
		}
		return tx.PutNamed(NamedCommittee, string(c.ID), st.Hash)
	})
}

// committee returns a committee by statement hash.
func committee(tx Tx, h carnet.Hash) (carnet.Committee, Stored, error) {
	var c carnet.Committee
	st, err := tx.Statement(h)
	if err == nil {
		err = st.Envelope.Decode(carnet.TypeCommittee, &c)
	}
	if err != nil && (absent(err) || carnet.KindOf(err) == carnet.Invalid) {
		err = carnet.E(carnet.NotFound, "UNKNOWN_COMMITTEE", "there is no committee %s", h)
	}
	return c, st, err
}

// memberNumber returns a party's number in a committee, 0 if it is no member.
func memberNumber(c *carnet.Committee, id carnet.PartyID) int {
	for i, m := range c.Members {
		if m == id {
			return i + 1
		}
	}
	return 0
}
