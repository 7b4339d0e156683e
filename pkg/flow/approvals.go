package flow

import (
	"context"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Pending is a party whose people have not decided about a query yet.
type Pending struct {
	Of    carnet.PartyID
	Until time.Time
}

// asked reports whether a party was asked to approve a query, which it then may see.
func asked(tx Tx, query carnet.Hash, by carnet.PartyID) bool {
	list, err := tx.Approvals(query)
	return err == nil && slices.ContainsFunc(list, func(a ApprovalRecord) bool { return a.By == by })
}

// approvals counts those that are needed and have not come, and the parties that refused.
func (g *Gateway) approvals(tx Tx, query carnet.Hash) (unapproved, declined int, err error) {
	list, err := tx.Approvals(query)
	if err != nil {
		return 0, 0, err
	}
	for i := range list {
		if list[i].Statement == nil {
			if list[i].Binding {
				unapproved++
			}
			continue
		}
		a, err := list[i].decode()
		if err != nil {
			return 0, 0, err
		}
		if !a.Allow {
			declined++
		}
	}
	return unapproved, declined, nil
}

func (r *ApprovalRecord) decode() (a carnet.Approval, err error) {
	return a, r.Statement.Envelope.Decode(carnet.TypeApproval, &a)
}

// pending lists the parties that a query waits for, or of one that expired waited for:
// those asked here, and keyholders that said that they wait for their own people.
func pending(tx Tx, q *QueryRecord, refusals []DecisionRecord) (out []Pending, err error) {
	if !takesAnswers(q.State) && q.State != QueryExpired {
		return nil, nil
	}
	list, err := tx.Approvals(q.Statement.Hash)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if a.Statement == nil {
			out = append(out, Pending{a.By, q.Expires})
		}
	}
	waiting, err := tx.Deferrals(q.Statement.Hash)
	if err != nil || len(waiting) == 0 {
		return out, err
	}
	answers, err := tx.Answers(q.Statement.Hash)
	if err != nil {
		return nil, err
	}
	for _, w := range waiting {
		var d carnet.Deferral
		if err := w.Statement.Envelope.Decode(carnet.TypeDeferral, &d); err != nil {
			return nil, err
		}
		if !slices.Contains(d.For, d.By) ||
			slices.ContainsFunc(answers, func(a AnswerRecord) bool { return a.By == d.By }) ||
			slices.ContainsFunc(refusals, func(r DecisionRecord) bool { return r.By == d.By }) {
			continue
		}
		out = append(out, Pending{d.By, d.Until})
	}
	return out, nil
}

// addDeclined adds the refusals of parties that were to approve the query.
func (s *QueryStatus) addDeclined(tx Tx) error {
	list, err := tx.Approvals(s.Statement.Hash)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Statement == nil {
			continue
		}
		a, err := list[i].decode()
		if err != nil {
			return err
		}
		if !a.Allow {
			s.Refusals = append(s.Refusals, Refusal{By: a.By, Reason: "APPROVAL_REFUSED", Message: a.Reason,
				Remedy: "talk to " + string(a.By) + ", or ask without its data"})
		}
	}
	return nil
}

// ListApprovals lists the queries that wait for the caller's approval, oldest first.
func (g *Gateway) ListApprovals(ctx context.Context, as *carnet.Party) (out []QueryStatus, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		list, err := tx.ApprovalsAsked(as.ID, append(slices.Clone(open), QueryReady)...)
		if err != nil {
			return err
		}
		for _, q := range list {
			if !g.now().Before(q.Expires) {
				continue
			}
			s, err := g.status(tx, q)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// SubmitApproval journals an approval, or a refusal, by an owner of one of the query's
// datasets or by the operator, asked or not. The first one of a party counts; keyholders
// check it again.
func (g *Gateway) SubmitApproval(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var a carnet.Approval
	if err := env.Decode(carnet.TypeApproval, &a); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, a.By); err != nil {
		return Ref{}, err
	}
	if len(a.Reason) > maxReasonText || !a.Allow && a.Reason == "" {
		return Ref{}, bad("BAD_APPROVAL", "the approval is not acceptable").
			With("reason", "want at most %d bytes, and some for a refusal", maxReasonText).Fix("say in a sentence why the query is refused")
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, a.By, carnet.RoleOwner, carnet.RoleOperator); err != nil {
			return err
		}
		q, err := tx.GetQuery(a.Query)
		if err != nil {
			return err
		}
		if a.By != g.Operator {
			owners, err := ownersOf(tx, &q)
			if err != nil {
				return err
			}
			if !slices.Contains(owners, a.By) { // as if there were no such query
				return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such query over data of %q", a.By).
					Fix("carnet inbox lists the queries that wait for you")
			}
		}
		if !takesAnswers(q.State) || !g.now().Before(q.Expires) {
			return carnet.E(carnet.Precondition, "QUERY_CLOSED", "the query is %s and takes no more approvals", q.State).
				Fix("its buyer can ask again")
		}
		list, err := tx.Approvals(a.Query)
		if err != nil {
			return err
		}
		for _, old := range list {
			if old.By == a.By && old.Statement != nil {
				return known("APPROVAL_DIFFERS", "%q has decided about this query before", a.By).
					Fix("the first decision counts; a dataset can be revoked")
			}
		}
		if err := tx.PutApproval(a.Query, a.By, st.Hash); err != nil {
			return err
		}
		return g.settle(tx, q)
	}, topicQuery(a.Query), topicWork)
}

// ownersOf lists the owners of a query's inputs, each once.
func ownersOf(tx Tx, q *QueryRecord) (out []carnet.PartyID, err error) {
	var body carnet.Query
	if err := q.Statement.Envelope.Decode(carnet.TypeQuery, &body); err != nil {
		return nil, err
	}
	for _, h := range body.Inputs {
		st, err := tx.Statement(h)
		if err != nil {
			return nil, err
		}
		var d carnet.Dataset
		if err := st.Envelope.Decode(carnet.TypeDataset, &d); err != nil {
			return nil, err
		}
		out = append(out, d.Owner)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// SubmitDeferral journals that the calling keyholder waits for people before it decides.
// Owners among them are asked.
func (g *Gateway) SubmitDeferral(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var d carnet.Deferral
	if err := env.Decode(carnet.TypeDeferral, &d); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, d.By); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, d.By, carnet.RoleKeyholder); err != nil {
			return err
		}
		q, _, err := memberQuery(tx, as, d.Query)
		if err != nil {
			return err
		}
		owners, err := ownersOf(tx, &q)
		if err != nil {
			return err
		}
		e := bad("BAD_DEFERRAL", "the deferral does not fit its query")
		switch {
		case len(d.For) == 0 || !slices.IsSorted(d.For) || len(slices.Compact(slices.Clone(d.For))) != len(d.For):
			return e.With("for", "want parties, ascending, each once")
		case slices.ContainsFunc(d.For, func(p carnet.PartyID) bool { return p != d.By && !slices.Contains(owners, p) }):
			return e.With("for", "want the keyholder itself and owners of the query's datasets")
		case d.Until.After(q.Expires):
			return e.With("until", "is after the query expires")
		case !takesAnswers(q.State) || !g.now().Before(q.Expires):
			return carnet.E(carnet.Precondition, "QUERY_CLOSED", "the query is %s and waits for nobody", q.State)
		}
		old, err := tx.Deferrals(d.Query)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(old, func(o DeferralRecord) bool { return o.By == d.By }) {
			return known("DEFERRAL_DIFFERS", "%q has said before whom it waits for", d.By)
		}
		for _, p := range d.For {
			if p == d.By {
				continue
			}
			if err := tx.AskApproval(d.Query, p, false); err != nil {
				return err
			}
		}
		return tx.PutDeferral(d.Query, d.By, st.Hash)
	}, topicQuery(d.Query))
}
