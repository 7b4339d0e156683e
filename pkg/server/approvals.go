package server

import (
	"context"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
)

type approvalService struct {
	carnetv1.UnimplementedApprovalServiceServer
	s *Server
}

func (a approvalService) ListApprovals(ctx context.Context, _ *carnetv1.ListApprovalsRequest) (*carnetv1.ListApprovalsResponse, error) {
	list, err := a.s.g.ListApprovals(ctx, as(ctx))
	if err != nil {
		return nil, err
	}
	out := &carnetv1.ListApprovalsResponse{}
	for i := range list {
		out.Queries = append(out.Queries, toQueryStatus(&list[i]))
	}
	return out, nil
}

func (a approvalService) SubmitApproval(ctx context.Context, m *carnetv1.SubmitApprovalRequest) (*carnetv1.SubmitApprovalResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := a.s.g.SubmitApproval(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.SubmitApprovalResponse{Ref: ref(got)}, nil
}

func (a approvalService) SubmitDeferral(ctx context.Context, m *carnetv1.SubmitDeferralRequest) (*carnetv1.SubmitDeferralResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := a.s.g.SubmitDeferral(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.SubmitDeferralResponse{Ref: ref(got)}, nil
}
