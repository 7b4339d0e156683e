package client

import (
	"context"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Inbox lists the open queries that wait for the caller's approval, oldest first.
func (c *Client) Inbox(ctx context.Context) (out []*Status, err error) {
	resp, err := c.approvals.ListApprovals(ctx, &pb.ListApprovalsRequest{})
	if err != nil {
		return nil, fault(err)
	}
	for _, m := range resp.GetQueries() {
		s, err := toStatus(m)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Recompile makes the plan that the buyer of a query signed, from the products as they are
// now. Error: PLAN_DIFFERS if they have changed since.
func (c *Client) Recompile(ctx context.Context, q *carnet.Query) (*plan.Plan, error) {
	_, p, err := c.prepare(ctx, q.Product, q.SQL)
	if err != nil {
		return nil, err
	}
	if p.Hash() != q.Plan {
		return nil, carnet.E(carnet.Precondition, "PLAN_DIFFERS", "the plan that is compiled here is not the one the buyer signed").
			Fix("a dataset was published or revoked since the query was asked; refuse it, so that its buyer asks again")
	}
	return p, nil
}

// Approve signs that a query is allowed, or refused with a reason, in the name of an owner
// of one of its datasets or of the operator.
func (c *Client) Approve(ctx context.Context, as Signer, query carnet.Hash, allow bool, reason string) (Ref, error) {
	env, err := evidence.Seal(carnet.TypeApproval, carnet.Approval{
		Query: query, By: as.Party(), Allow: allow, Reason: reason, Created: c.timestamp(),
	}, as)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.approvals.SubmitApproval(ctx, &pb.SubmitApprovalRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}
