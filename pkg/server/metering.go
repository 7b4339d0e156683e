package server

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/meter"
)

type meteringService struct {
	carnetv1.UnimplementedMeteringServiceServer
	s *Server
}

func (m meteringService) CertifyRegistration(ctx context.Context, r *carnetv1.CertifyRegistrationRequest) (*carnetv1.CertifyRegistrationResponse, error) {
	var st flow.Stored
	var err error
	switch {
	case (r.Dataset == "") == (r.Product == ""):
		return nil, malformed("dataset", "name a dataset or a product, one of the two")
	case r.Dataset != "":
		st, err = m.s.g.CertifyDataset(ctx, carnet.DatasetID(r.Dataset))
	default:
		st, err = m.s.g.CertifyProduct(ctx, carnet.ProductID(r.Product))
	}
	if err != nil {
		return nil, err
	}
	return &carnetv1.CertifyRegistrationResponse{Statement: apiconv.ToEnvelope(st.Envelope), Ref: ref(st.Ref)}, nil
}

func (m meteringService) CertifyUsage(ctx context.Context, r *carnetv1.CertifyUsageRequest) (*carnetv1.CertifyUsageResponse, error) {
	from, err := instant("from", r.From)
	if err != nil {
		return nil, err
	}
	until, err := instant("until", r.Until)
	if err != nil {
		return nil, err
	}
	st, err := m.s.g.UsageOf(ctx, as(ctx), carnet.DatasetID(r.Dataset), from, until)
	if err != nil {
		return nil, err
	}
	return &carnetv1.CertifyUsageResponse{Statement: apiconv.ToEnvelope(st.Envelope), Ref: ref(st.Ref)}, nil
}

// instant reads a time in whole seconds, as statements have them.
func instant(field string, t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil || !t.IsValid() || t.Nanos != 0 {
		return time.Time{}, malformed(field, "is not a time in whole seconds")
	}
	return t.AsTime(), nil
}

func (m meteringService) GetSettlement(ctx context.Context, r *carnetv1.GetSettlementRequest) (*carnetv1.GetSettlementResponse, error) {
	month, err := meter.ParseMonth(r.Month)
	if err != nil {
		return nil, err
	}
	s, signed, err := m.s.g.Settlement(ctx, as(ctx), month, r.All)
	if err != nil {
		return nil, err
	}
	out, err := toStruct(s)
	return &carnetv1.GetSettlementResponse{Settlement: out, Statement: apiconv.ToEnvelope(signed)}, err
}

func (m meteringService) GetValuation(ctx context.Context, r *carnetv1.GetValuationRequest) (*carnetv1.GetValuationResponse, error) {
	month, err := meter.ParseMonth(r.Until)
	if err != nil {
		return nil, err
	}
	var assumed meter.Assumptions
	if err := fromStruct(r.Assumptions, &assumed); err != nil {
		return nil, err
	}
	v, signed, err := m.s.g.Valuation(ctx, as(ctx), carnet.DatasetID(r.Dataset), month, assumed)
	if err != nil {
		return nil, err
	}
	out, err := toStruct(v)
	return &carnetv1.GetValuationResponse{Valuation: out, Statement: apiconv.ToEnvelope(signed)}, err
}

func fromStruct(s *structpb.Struct, into any) error {
	data, err := s.MarshalJSON()
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	}
	if err != nil {
		return carnet.E(carnet.Invalid, "BAD_REQUEST", "the request is malformed").With("assumptions", "%v", err)
	}
	return nil
}
