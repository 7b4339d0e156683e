package server

import (
	"context"
	"strconv"

	"google.golang.org/grpc"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/privacy"
)

type queryService struct {
	carnetv1.UnimplementedQueryServiceServer
	s *Server
}

func (q queryService) ExplainQuery(ctx context.Context, m *carnetv1.ExplainQueryRequest) (*carnetv1.ExplainQueryResponse, error) {
	ex, err := q.s.explain(ctx, m.Product, m.With, m.Sql, m.Purpose)
	if err != nil {
		return nil, err
	}
	out := &carnetv1.ExplainQueryResponse{Plan: apiconv.ToPlan(ex.Plan), Refusals: toRefusals(ex.Refusals)}
	for i := range ex.Quote {
		l := &ex.Quote[i]
		out.Quote = append(out.Quote, &carnetv1.Charge{Dataset: string(l.Dataset), Payee: string(l.Payee), Item: string(l.Item), Quantity: l.Quantity,
			Price: l.Price.String(), Currency: l.Currency, Amount: l.Amount.String()})
	}
	for _, by := range ex.Approval {
		out.Approvals = append(out.Approvals, string(by))
	}
	for i := range ex.Spent {
		x := &ex.Spent[i]
		out.Privacy = append(out.Privacy, &carnetv1.PrivacyCost{Dataset: string(x.Dataset), Cost: privacy.Format(x.Cost),
			Spent: privacy.Format(x.Spent), Budget: privacy.Format(x.Budget)})
	}
	if out.Plan != nil {
		out.Plan.Estimate = apiconv.ToEstimate(ex.Estimate)
		for i, k := range ex.Plan.Cost.Keys() { // in this order
			out.Plan.Releases[i].Charged = ex.Charged[k]
		}
	}
	return out, nil
}

// explain compiles a query over a product and those that it is joined with.
func (s *Server) explain(ctx context.Context, product string, with []string, sql, purpose string) (*flow.Explanation, error) {
	products := []carnet.ProductID{carnet.ProductID(product)}
	for _, p := range with {
		products = append(products, carnet.ProductID(p))
	}
	return s.g.ExplainQuery(ctx, as(ctx), products, sql, purpose)
}

func (q queryService) SubmitQuery(ctx context.Context, m *carnetv1.SubmitQueryRequest) (*carnetv1.SubmitQueryResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := q.s.g.SubmitQuery(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.SubmitQueryResponse{Ref: ref(got)}, nil
}

func (q queryService) GetQuery(ctx context.Context, m *carnetv1.GetQueryRequest) (*carnetv1.GetQueryResponse, error) {
	id, err := apiconv.FromHash("id", m.Id)
	if err != nil {
		return nil, err
	}
	st, err := q.s.g.GetQuery(ctx, as(ctx), id)
	if err != nil {
		return nil, err
	}
	return &carnetv1.GetQueryResponse{Status: toQueryStatus(&st)}, nil
}

func (q queryService) WatchQuery(m *carnetv1.WatchQueryRequest, stream grpc.ServerStreamingServer[carnetv1.WatchQueryResponse]) error {
	id, err := apiconv.FromHash("id", m.Id)
	if err != nil {
		return err
	}
	ctx := stream.Context()
	return q.s.g.WatchQuery(ctx, as(ctx), id, func(st flow.QueryStatus) error {
		return stream.Send(&carnetv1.WatchQueryResponse{Status: toQueryStatus(&st)})
	})
}

func (q queryService) ListQueries(ctx context.Context, m *carnetv1.ListQueriesRequest) (*carnetv1.ListQueriesResponse, error) {
	limit, err := pageSize(m.PageSize)
	if err != nil {
		return nil, err
	}
	before, err := fromSeqToken(m.PageToken)
	if err != nil {
		return nil, err
	}
	list, err := q.s.g.ListQueries(ctx, as(ctx), before, limit)
	if err != nil {
		return nil, err
	}
	out, next := page(list, limit, toQueryStatus, func(s *flow.QueryStatus) string { return strconv.FormatInt(s.Statement.Seq, 10) })
	return &carnetv1.ListQueriesResponse{Queries: out, NextPageToken: next}, nil
}

func (q queryService) FetchAnswer(m *carnetv1.FetchAnswerRequest, stream grpc.ServerStreamingServer[carnetv1.FetchAnswerResponse]) error {
	id, err := apiconv.FromHash("id", m.Id)
	if err != nil {
		return err
	}
	ctx := stream.Context()
	f, err := q.s.g.FetchAnswer(ctx, as(ctx), id)
	if err != nil {
		return err
	}
	for b := range pieces(f.Values) {
		if err := stream.Send(&carnetv1.FetchAnswerResponse{Part: &carnetv1.FetchAnswerResponse_PublicValues{PublicValues: b}}); err != nil {
			return err
		}
	}
	if f.Decision != nil {
		if err := stream.Send(&carnetv1.FetchAnswerResponse{Part: &carnetv1.FetchAnswerResponse_Decision{Decision: apiconv.ToEnvelope(f.Decision)}}); err != nil {
			return err
		}
	}
	for _, a := range f.Answers {
		if err := stream.Send(&carnetv1.FetchAnswerResponse{Part: &carnetv1.FetchAnswerResponse_Answer{
			Answer: &carnetv1.KeyholderAnswer{Statement: apiconv.ToEnvelope(a.Statement.Envelope)}}}); err != nil {
			return err
		}
		sealed, err := f.Sealed(ctx, a)
		if err != nil {
			return err
		}
		for b := range pieces(sealed) {
			if err := stream.Send(&carnetv1.FetchAnswerResponse{Part: &carnetv1.FetchAnswerResponse_Sealed{Sealed: &carnetv1.SealedPiece{Data: b}}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// pieces cuts bytes into runs of at most pieceBytes.
func pieces(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(len(b), pieceBytes)
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}
