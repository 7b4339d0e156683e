package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// SubmitCheck journals the calling keyholder's check of a private parameter, where the
// others find it. The same check again is accepted, another one is refused: were there
// two, keyholders could be shown different ones.
func (g *Gateway) SubmitCheck(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var c carnet.Check
	if err := env.Decode(carnet.TypeCheck, &c); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, c.By); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, c.By, carnet.RoleKeyholder); err != nil {
			return err
		}
		q, com, err := memberQuery(tx, as, c.Query)
		if err != nil {
			return err
		}
		e := bad("BAD_CHECK", "the check does not fit its query")
		switch {
		case q.Checks == 0:
			return e.With("query", "has no private parameter")
		case c.Number != memberNumber(&com, as.ID):
			return e.With("number", "%q is keyholder %d", as.ID, memberNumber(&com, as.ID))
		case len(c.Scalars) != share.CheckScalars*q.ScalarBytes:
			return e.With("scalars", "want %d bytes, have %d", share.CheckScalars*q.ScalarBytes, len(c.Scalars))
		case !takesAnswers(q.State) || !g.now().Before(q.Expires):
			return carnet.E(carnet.Precondition, "QUERY_CLOSED", "the query is %s and takes no more checks", q.State)
		}
		old, err := tx.Checks(c.Query)
		if err != nil {
			return err
		}
		for _, o := range old {
			if o.Number == c.Number {
				return known("CHECK_DIFFERS", "keyholder %d has published another check of this query", c.Number)
			}
		}
		return tx.PutCheck(c.Query, c.Number, c.By, st.Hash)
	}, topicQuery(c.Query))
}
