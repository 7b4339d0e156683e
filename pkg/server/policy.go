package server

import (
	"bytes"
	"context"
	"encoding/json"

	"google.golang.org/protobuf/types/known/structpb"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

type policyService struct {
	carnetv1.UnimplementedPolicyServiceServer
	s *Server
}

func (p policyService) AssessRegistration(ctx context.Context, m *carnetv1.AssessRegistrationRequest) (*carnetv1.AssessRegistrationResponse, error) {
	kinds, err := p.s.g.AssessRegistration(ctx, carnet.Jurisdiction(m.Jurisdiction), m.Committee)
	if err != nil {
		return nil, err
	}
	out := &carnetv1.AssessRegistrationResponse{}
	for i := range kinds {
		k := &carnetv1.KindAssessment{}
		if d := kinds[i].Declaration; d != nil {
			if k.Declaration, err = toStruct(d); err != nil {
				return nil, err
			}
		}
		if k.Assessment, err = toAssessment(kinds[i].Verdict.Refusals, kinds[i].Verdict.Judged); err != nil {
			return nil, err
		}
		out.Kinds = append(out.Kinds, k)
	}
	return out, nil
}

func (p policyService) AssessPublication(ctx context.Context, m *carnetv1.AssessPublicationRequest) (*carnetv1.AssessPublicationResponse, error) {
	d := &carnet.Dataset{}
	dec := json.NewDecoder(bytes.NewReader(m.Manifest))
	dec.DisallowUnknownFields()
	if len(m.Manifest) > evidence.MaxPayload {
		return nil, carnet.E(carnet.Invalid, "STATEMENT_TOO_LARGE", "the manifest is %d bytes, the limit is %d", len(m.Manifest), evidence.MaxPayload)
	}
	if err := dec.Decode(d); err != nil {
		return nil, carnet.E(carnet.Invalid, "BAD_MANIFEST", "the manifest is not well-formed").Because(err).
			Fix("write it as it would be signed; docs/formats/statements.md describes it")
	}
	v, err := p.s.g.AssessDataset(ctx, as(ctx), d)
	if err != nil {
		return nil, err
	}
	a, err := toAssessment(v.Refusals, v.Judged)
	return &carnetv1.AssessPublicationResponse{Assessment: a}, err
}

func (p policyService) AssessQuery(ctx context.Context, m *carnetv1.AssessQueryRequest) (*carnetv1.AssessQueryResponse, error) {
	ex, err := p.s.explain(ctx, m.Product, m.With, m.Sql, m.Purpose)
	if err != nil {
		return nil, err
	}
	a, err := toAssessment(ex.Refusals, ex.Judged)
	return &carnetv1.AssessQueryResponse{Assessment: a}, err
}

func toAssessment(refusals []flow.Refusal, judged []carnet.Judged) (*carnetv1.Assessment, error) {
	a := &carnetv1.Assessment{Allow: len(refusals) == 0, Refusals: toRefusals(refusals)}
	for i := range judged {
		j := &judged[i]
		d := &structpb.Struct{}
		if err := d.UnmarshalJSON(j.Output); err != nil {
			return nil, err
		}
		a.Flows = append(a.Flows, &carnetv1.FlowDecision{Flow: j.Flow, Allow: j.Allow, Bundle: j.Bundle.String(), Name: j.Name, Version: j.Version, Decision: d})
	}
	return a, nil
}

// toStruct shows a value as its JSON.
func toStruct(v any) (*structpb.Struct, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	s := &structpb.Struct{}
	return s, s.UnmarshalJSON(b)
}
