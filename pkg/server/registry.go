package server

import (
	"context"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

type registryService struct {
	carnetv1.UnimplementedRegistryServiceServer
	s *Server
}

func ref(r flow.Ref) *carnetv1.StatementRef { return apiconv.ToRef(r.Hash, r.Seq) }

func (r registryService) RegisterParty(ctx context.Context, m *carnetv1.RegisterPartyRequest) (*carnetv1.RegisterPartyResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.RegisterParty(ctx, env)
	if err != nil {
		return nil, err
	}
	r.s.forgetParties()
	return &carnetv1.RegisterPartyResponse{Ref: ref(got)}, nil
}

func (r registryService) RevokeParty(ctx context.Context, m *carnetv1.RevokePartyRequest) (*carnetv1.RevokePartyResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.RevokeParty(ctx, env)
	if err != nil {
		return nil, err
	}
	r.s.forgetParties()
	return &carnetv1.RevokePartyResponse{Ref: ref(got)}, nil
}

func (r registryService) RegisterCommittee(ctx context.Context, m *carnetv1.RegisterCommitteeRequest) (*carnetv1.RegisterCommitteeResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.RegisterCommittee(ctx, env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.RegisterCommitteeResponse{Ref: ref(got)}, nil
}

func (r registryService) RegisterSchema(ctx context.Context, m *carnetv1.RegisterSchemaRequest) (*carnetv1.RegisterSchemaResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.RegisterSchema(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.RegisterSchemaResponse{Ref: ref(got)}, nil
}

func (r registryService) GetParty(ctx context.Context, m *carnetv1.GetPartyRequest) (*carnetv1.GetPartyResponse, error) {
	st, err := r.s.g.Statement(ctx, flow.NamedParty, m.Id)
	if err != nil {
		return nil, err
	}
	var p carnet.Party
	if err := st.Envelope.Decode(carnet.TypeParty, &p); err != nil {
		return nil, err
	}
	list, revoked, err := r.s.g.PartyHistory(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	last := len(list) - 1
	resp := &carnetv1.GetPartyResponse{Statement: apiconv.ToEnvelope(list[last].Envelope), Ref: ref(list[last].Ref)}
	for _, old := range list[:last] {
		resp.Earlier = append(resp.Earlier, apiconv.ToEnvelope(old.Envelope))
	}
	if revoked != nil {
		resp.Revocation = apiconv.ToEnvelope(revoked.Envelope)
	}
	return resp, nil
}

func (r registryService) GetCommittee(ctx context.Context, m *carnetv1.GetCommitteeRequest) (*carnetv1.GetCommitteeResponse, error) {
	st, err := r.s.g.Statement(ctx, flow.NamedCommittee, m.Id)
	if err != nil {
		return nil, err
	}
	return &carnetv1.GetCommitteeResponse{Statement: apiconv.ToEnvelope(st.Envelope), Ref: ref(st.Ref)}, nil
}

func (r registryService) GetSchema(ctx context.Context, m *carnetv1.GetSchemaRequest) (*carnetv1.GetSchemaResponse, error) {
	st, err := r.s.g.Statement(ctx, flow.NamedSchema, m.Id)
	if err != nil {
		return nil, err
	}
	return &carnetv1.GetSchemaResponse{Statement: apiconv.ToEnvelope(st.Envelope), Ref: ref(st.Ref)}, nil
}

func (r registryService) ListParties(ctx context.Context, m *carnetv1.ListPartiesRequest) (*carnetv1.ListPartiesResponse, error) {
	list, listed, next, err := r.list(ctx, flow.NamedParty, m.PageSize, m.PageToken)
	if err != nil {
		return nil, err
	}
	resp := &carnetv1.ListPartiesResponse{Statements: list, NextPageToken: next}
	ids := make([]carnet.PartyID, len(listed))
	for i := range listed {
		ids[i] = carnet.PartyID(listed[i].ID)
	}
	revoked, err := r.s.g.PartyRevocations(ctx, ids)
	for _, st := range revoked {
		resp.Revocations = append(resp.Revocations, apiconv.ToEnvelope(st.Envelope))
	}
	return resp, err
}

func (r registryService) ListCommittees(ctx context.Context, m *carnetv1.ListCommitteesRequest) (*carnetv1.ListCommitteesResponse, error) {
	list, _, next, err := r.list(ctx, flow.NamedCommittee, m.PageSize, m.PageToken)
	return &carnetv1.ListCommitteesResponse{Statements: list, NextPageToken: next}, err
}

func (r registryService) ListSchemas(ctx context.Context, m *carnetv1.ListSchemasRequest) (*carnetv1.ListSchemasResponse, error) {
	list, _, next, err := r.list(ctx, flow.NamedSchema, m.PageSize, m.PageToken)
	return &carnetv1.ListSchemasResponse{Statements: list, NextPageToken: next}, err
}

func (r registryService) list(ctx context.Context, kind flow.Named, size int32, token string) (out []*carnetv1.Envelope, listed []flow.NamedStatement, next string, err error) {
	limit, err := pageSize(size)
	if err != nil {
		return nil, nil, "", err
	}
	after, err := fromToken(token)
	if err != nil {
		return nil, nil, "", err
	}
	list, err := r.s.g.Statements(ctx, kind, after, limit)
	if err != nil {
		return nil, nil, "", err
	}
	out, next = page(list, limit,
		func(s *flow.NamedStatement) *carnetv1.Envelope { return apiconv.ToEnvelope(s.Envelope) },
		func(s *flow.NamedStatement) string { return s.ID })
	return out, list[:len(out)], next, nil
}
