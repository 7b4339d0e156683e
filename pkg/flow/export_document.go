package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// ExportProof collects what proves a certificate or a usage statement, in the newest
// checkpoint that a quorum of a committee co-signed; with the zero hash what proves a state
// alone. since is the size of the state that the document names, 0 for none. The log is read
// from its first entry, which takes time.
//
// Certificates repeat what the catalogue shows everybody; usage statements are proved to whom
// they are made for.
func (g *Gateway) ExportProof(ctx context.Context, as *carnet.Party, statement carnet.Hash, since int64) (*Evidence, error) {
	var com carnet.Hash
	var at Published
	var by *carnet.Committee
	if err := g.Store.View(ctx, func(tx Tx) (err error) {
		var needed int64
		if !statement.IsZero() {
			st, err := tx.Statement(statement)
			if err != nil {
				return err
			}
			if err := provable(as, st.Envelope); err != nil {
				return err
			}
			needed = st.Seq + 1
		}
		by, com, at, err = cosignedByAny(tx)
		if err == nil && at.Size < needed {
			err = evidencePending()
		}
		return err
	}); err != nil {
		return nil, err
	}
	return g.prove(ctx, statement, func(s *history.Selector) ([]*evidence.Entry, error) { return s.Proving(com) }, onlyBy(by, at), since)
}

// provable refuses statements that are no documents, and usage statements to those who may
// not have them.
func provable(as *carnet.Party, env *evidence.Envelope) error {
	var u carnet.Usage
	switch {
	case env.PayloadType == carnet.TypeCertificate:
		return nil
	case env.Decode(carnet.TypeUsage, &u) == nil && (u.Owner == as.ID || hasRole(as, carnet.RoleAuditor, carnet.RoleOperator, carnet.RoleKeyholder)):
		return nil
	}
	return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no certificate or usage statement of yours with this hash").
		Fix("carnet certificate and carnet usage make them")
}

// cosignedByAny finds the newest checkpoint that a quorum of some committee co-signed, and
// the committee.
func cosignedByAny(tx Tx) (*carnet.Committee, carnet.Hash, Published, error) {
	list, err := tx.RecentPublished(recentPage)
	if err != nil {
		return nil, carnet.Hash{}, Published{}, err
	}
	committees, err := committeesOf(tx)
	if err != nil {
		return nil, carnet.Hash{}, Published{}, err
	}
	for _, p := range list {
		for i := range committees {
			if c := &committees[i]; signedBy(&c.body, p.Signers) >= c.body.Quorum {
				return &c.body, c.hash, p, nil
			}
		}
	}
	return nil, carnet.Hash{}, Published{}, evidencePending()
}
