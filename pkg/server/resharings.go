package server

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/flow"
)

type reshareService struct {
	carnetv1.UnimplementedReshareServiceServer
	s *Server
}

func (r reshareService) SubmitSuccession(ctx context.Context, m *carnetv1.SubmitSuccessionRequest) (*carnetv1.SubmitSuccessionResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.SubmitSuccession(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.SubmitSuccessionResponse{Ref: ref(got)}, nil
}

func (r reshareService) GetSuccession(ctx context.Context, m *carnetv1.GetSuccessionRequest) (*carnetv1.GetSuccessionResponse, error) {
	key, err := apiconv.FromKeyID("key_id", m.KeyId)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.Succession(ctx, key)
	if err != nil {
		return nil, err
	}
	resp := &carnetv1.GetSuccessionResponse{}
	if got.Statement != nil {
		resp.Statement = apiconv.ToEnvelope(got.Statement.Envelope)
	}
	for _, c := range got.Contributions {
		resp.Contributions = append(resp.Contributions, apiconv.ToEnvelope(c.Envelope))
	}
	return resp, nil
}

func (r reshareService) SubmitContribution(stream grpc.ClientStreamingServer[carnetv1.SubmitContributionRequest, carnetv1.SubmitContributionResponse]) error {
	ctx := stream.Context()
	first, err := stream.Recv()
	if err != nil {
		return ended(err)
	}
	env, err := apiconv.FromEnvelope("statement", first.GetStatement())
	if err != nil {
		return err
	}
	shape, err := r.s.g.CheckContribution(ctx, as(ctx), env)
	if err != nil {
		return err
	}
	c := handedCollector{g: r.s.g, shape: shape, sealed: make([][]byte, shape.Members)}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ended(err)
		}
		if err := c.add(ctx, m); err != nil {
			return err
		}
	}
	if len(c.partial) > 0 {
		return malformed("correction", "ends before it is complete")
	}
	got, err := r.s.g.SubmitContribution(ctx, as(ctx), env, c.sealed)
	if err != nil {
		return err
	}
	return stream.SendAndClose(&carnetv1.SubmitContributionResponse{Ref: ref(got)})
}

// handedCollector puts the pieces of a contribution together: one polynomial at a time,
// which is stored when it is complete.
type handedCollector struct {
	g       *flow.Gateway
	shape   flow.ContributionShape
	power   int
	partial []byte
	sealed  [][]byte
}

func (c *handedCollector) add(ctx context.Context, m *carnetv1.SubmitContributionRequest) error {
	switch part := m.Part.(type) {
	case *carnetv1.SubmitContributionRequest_Correction:
		p := part.Correction
		if len(c.partial) == 0 {
			c.power = int(p.GetPower())
		}
		if len(p.GetData()) == 0 || int(p.GetPower()) != c.power || p.GetOffset() != int64(len(c.partial)) || len(c.partial)+len(p.GetData()) > c.shape.CorrectionBytes {
			return malformed("correction.offset", "pieces come in order and make %d bytes", c.shape.CorrectionBytes)
		}
		if c.partial = append(c.partial, p.GetData()...); len(c.partial) < c.shape.CorrectionBytes {
			return nil
		}
		whole := c.partial
		c.partial = nil
		return c.g.PutHanded(ctx, &c.shape, c.power, whole)
	case *carnetv1.SubmitContributionRequest_Seeds:
		i := int(part.Seeds.GetNumber()) - 1
		if i < 0 || i >= len(c.sealed) || c.sealed[i] != nil {
			return malformed("seeds.number", "want each of 1 to %d once", len(c.sealed))
		}
		if n := len(part.Seeds.GetSealed()); n == 0 || n > flow.MaxSealedHanded {
			return malformed("seeds.sealed", "want 1 to %d bytes", flow.MaxSealedHanded)
		}
		c.sealed[i] = part.Seeds.GetSealed()
		return nil
	}
	return malformed("part", "want corrections and seeds after the statement")
}

func (r reshareService) GetHandedSeeds(ctx context.Context, m *carnetv1.GetHandedSeedsRequest) (*carnetv1.GetHandedSeedsResponse, error) {
	h, err := apiconv.FromHash("contribution", m.Contribution)
	if err != nil {
		return nil, err
	}
	sealed, err := r.s.g.HandedSeeds(ctx, as(ctx), h)
	if err != nil {
		return nil, err
	}
	return &carnetv1.GetHandedSeedsResponse{Sealed: sealed}, nil
}

func (r reshareService) GetHandedCorrection(m *carnetv1.GetHandedCorrectionRequest, stream grpc.ServerStreamingServer[carnetv1.GetHandedCorrectionResponse]) error {
	from, err := apiconv.FromKeyID("from", m.From)
	if err != nil {
		return err
	}
	committee, err := apiconv.FromHash("committee", m.Committee)
	if err != nil {
		return err
	}
	digest, err := apiconv.FromHash("digest", m.Digest)
	if err != nil {
		return err
	}
	b, err := r.s.g.HandedCorrection(stream.Context(), from, committee, digest)
	if err != nil {
		return err
	}
	for len(b) > 0 {
		n := min(len(b), pieceBytes)
		if err := stream.Send(&carnetv1.GetHandedCorrectionResponse{Data: b[:n]}); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func (r reshareService) SubmitResharing(ctx context.Context, m *carnetv1.SubmitResharingRequest) (*carnetv1.SubmitResharingResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.SubmitResharing(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	resp := &carnetv1.SubmitResharingResponse{Signed: int32(got.Signed), Needed: int32(got.Needed)}
	if got.Ref != nil {
		resp.Ref = ref(*got.Ref)
	}
	return resp, nil
}
