package client

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/meter"
)

// CertifyDataset has the registration of a dataset certified by the gateway's operator, and
// checks that the certificate is about the manifest that the gateway shows.
func (c *Client) CertifyDataset(ctx context.Context, id carnet.DatasetID) (*evidence.Envelope, *carnet.Certificate, Ref, error) {
	shown, err := c.datasets.GetDataset(ctx, &pb.GetDatasetRequest{Id: string(id)})
	if err != nil {
		return nil, nil, Ref{}, named(err, "dataset", string(id), "carnet datasets lists them")
	}
	manifest := fromProto(shown.GetDataset().GetManifest())
	if manifest == nil {
		return nil, nil, Ref{}, wrong("the gateway sent no manifest of %s", id)
	}
	return c.certified(ctx, &pb.CertifyRegistrationRequest{Dataset: string(id)}, manifest.Hash(), string(id))
}

// CertifyProduct has the registration of a product certified.
func (c *Client) CertifyProduct(ctx context.Context, id carnet.ProductID) (*evidence.Envelope, *carnet.Certificate, Ref, error) {
	shown, err := c.catalogue.GetProduct(ctx, &pb.GetProductRequest{Id: string(id)})
	if err != nil {
		return nil, nil, Ref{}, named(err, "product", string(id), "carnet products search lists them")
	}
	statement := fromProto(shown.GetProduct())
	if statement == nil {
		return nil, nil, Ref{}, wrong("the gateway sent no product")
	}
	return c.certified(ctx, &pb.CertifyRegistrationRequest{Product: string(id)}, statement.Hash(), string(id))
}

func (c *Client) certified(ctx context.Context, req *pb.CertifyRegistrationRequest, statement carnet.Hash, subject string) (*evidence.Envelope, *carnet.Certificate, Ref, error) {
	resp, err := c.metering.CertifyRegistration(ctx, req)
	if err != nil {
		return nil, nil, Ref{}, fault(err)
	}
	env := fromProto(resp.GetStatement())
	if env == nil {
		return nil, nil, Ref{}, wrong("the gateway sent no certificate")
	}
	body := &carnet.Certificate{}
	if err := env.Decode(carnet.TypeCertificate, body); err != nil {
		return nil, nil, Ref{}, err
	}
	if err := c.byOperator(ctx, env, body.Operator); err != nil {
		return nil, nil, Ref{}, err
	}
	if body.Subject != subject || body.Statement != statement {
		return nil, nil, Ref{}, wrong("the certificate is of another statement than the gateway shows")
	}
	ref, err := refTo(env, resp.GetRef())
	return env, body, ref, err
}

// byOperator checks that an operator that the registrar knows signed a statement.
func (c *Client) byOperator(ctx context.Context, env *evidence.Envelope, id carnet.PartyID) error {
	p, err := c.registered(ctx, id)
	if err != nil {
		return err
	}
	err = parties{id: p}.signed(ctx, env, id, carnet.RoleOperator)
	if carnet.ReasonOf(err) != "KEY_REPLACED" {
		return err
	}
	// It was certified before the operator replaced its key, which the log has to prove.
	all, unread := c.Committees(ctx)
	if unread != nil {
		return unread
	}
	for _, committee := range all {
		ps := parties{id: p}
		if unread = ps.load(ctx, c, committee); unread != nil {
			return unread
		}
		if err = ps.signed(ctx, env, id, carnet.RoleOperator); carnet.ReasonOf(err) != "NO_QUORUM" {
			return err
		}
	}
	return err
}

// CertifyUsage has certified how a dataset was used from a time on until another, both in
// whole seconds.
func (c *Client) CertifyUsage(ctx context.Context, id carnet.DatasetID, from, until time.Time) (*evidence.Envelope, *carnet.Usage, Ref, error) {
	resp, err := c.metering.CertifyUsage(ctx, &pb.CertifyUsageRequest{Dataset: string(id), From: timestamppb.New(from), Until: timestamppb.New(until)})
	if err != nil {
		return nil, nil, Ref{}, fault(err)
	}
	env := fromProto(resp.GetStatement())
	if env == nil {
		return nil, nil, Ref{}, wrong("the gateway sent no statement")
	}
	body := &carnet.Usage{}
	if err := env.Decode(carnet.TypeUsage, body); err != nil {
		return nil, nil, Ref{}, err
	}
	if err := c.byOperator(ctx, env, body.Operator); err != nil {
		return nil, nil, Ref{}, err
	}
	if body.Dataset != id || !body.From.Equal(from) || !body.Until.Equal(until) {
		return nil, nil, Ref{}, wrong("the statement is about another dataset or period")
	}
	ref, err := refTo(env, resp.GetRef())
	return env, body, ref, err
}

// Settlement fetches what this party owes and is owed for a month, or for auditors and
// operators that of all parties, with the operator's signature of it, which is nil if it
// made none. Nothing is checked.
func (c *Client) Settlement(ctx context.Context, month meter.Month, all bool) (*meter.Settlement, *evidence.Envelope, error) {
	resp, err := c.metering.GetSettlement(ctx, &pb.GetSettlementRequest{Month: string(month), All: all})
	if err != nil {
		return nil, nil, fault(err)
	}
	s := &meter.Settlement{}
	return s, fromProto(resp.GetStatement()), document(resp.GetSettlement(), s)
}

// Valuation fetches figures of what a dataset is worth, signed as a settlement is.
func (c *Client) Valuation(ctx context.Context, id carnet.DatasetID, until meter.Month, assumed meter.Assumptions) (*meter.Valuation, *evidence.Envelope, error) {
	data, err := json.Marshal(assumed)
	if err != nil {
		return nil, nil, err
	}
	as := &structpb.Struct{}
	if err := as.UnmarshalJSON(data); err != nil {
		return nil, nil, err
	}
	resp, err := c.metering.GetValuation(ctx, &pb.GetValuationRequest{Dataset: string(id), Until: string(until), Assumptions: as})
	if err != nil {
		return nil, nil, fault(err)
	}
	v := &meter.Valuation{}
	return v, fromProto(resp.GetStatement()), document(resp.GetValuation(), v)
}

func document(s *structpb.Struct, into any) error {
	data, err := protojson.Marshal(s)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return wrong("the gateway sent a document that this version can't read")
	}
	return nil
}
