package server

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

type dealingService struct {
	carnetv1.UnimplementedDealingServiceServer
	s *Server
}

// pieceBytes is the size of the pieces that long byte strings are sent in.
const pieceBytes = 1 << 20

func malformed(field, format string, args ...any) error {
	return carnet.E(carnet.Invalid, "BAD_REQUEST", "the request is malformed").With(field, format, args...)
}

func (d dealingService) SubmitDealing(stream grpc.ClientStreamingServer[carnetv1.SubmitDealingRequest, carnetv1.SubmitDealingResponse]) error {
	ctx := stream.Context()
	first, err := stream.Recv()
	if err != nil {
		return ended(err)
	}
	env, err := apiconv.FromEnvelope("statement", first.GetStatement())
	if err != nil {
		return err
	}
	// The statement says how much may follow; what belongs to no dealing is not even
	// received.
	shape, err := d.s.g.CheckDealing(ctx, as(ctx), env)
	if err != nil {
		return err
	}
	c := collector{shape: shape, corrections: make([][]byte, shape.Powers), sealed: make([][]byte, shape.Members)}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ended(err)
		}
		if err := c.add(m); err != nil {
			return err
		}
	}
	got, err := d.s.g.SubmitDealing(ctx, as(ctx), env, c.corrections, c.sealed)
	if err != nil {
		return err
	}
	return stream.SendAndClose(&carnetv1.SubmitDealingResponse{Ref: ref(got)})
}

// ended turns the end of a client's stream before it was complete into an error.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return malformed("stream", "ends before it is complete")
	}
	return err
}

// collector puts the pieces of a dealing together, never holding more than its
// statement allows.
type collector struct {
	shape       flow.DealingShape
	corrections [][]byte
	sealed      [][]byte
}

func (c *collector) add(m *carnetv1.SubmitDealingRequest) error {
	switch part := m.Part.(type) {
	case *carnetv1.SubmitDealingRequest_Correction:
		p := part.Correction
		j := int(p.GetPower()) - 1
		if j < 0 || j >= len(c.corrections) {
			return malformed("correction.power", "want 1 to %d", len(c.corrections))
		}
		if p.GetOffset() != int64(len(c.corrections[j])) || len(c.corrections[j])+len(p.GetData()) > c.shape.CorrectionBytes {
			return malformed("correction.offset", "pieces come in order and make %d bytes", c.shape.CorrectionBytes)
		}
		c.corrections[j] = append(c.corrections[j], p.GetData()...)
		return nil
	case *carnetv1.SubmitDealingRequest_Seeds:
		i := int(part.Seeds.GetNumber()) - 1
		if i < 0 || i >= len(c.sealed) || c.sealed[i] != nil {
			return malformed("seeds.number", "want each of 1 to %d once", len(c.sealed))
		}
		if n := len(part.Seeds.GetSealed()); n == 0 || n > flow.MaxSealedSeeds {
			return malformed("seeds.sealed", "want 1 to %d bytes", flow.MaxSealedSeeds)
		}
		c.sealed[i] = part.Seeds.GetSealed()
		return nil
	}
	return malformed("part", "want corrections and seeds after the statement")
}

func (d dealingService) GetDealing(ctx context.Context, m *carnetv1.GetDealingRequest) (*carnetv1.GetDealingResponse, error) {
	key, err := apiconv.FromKeyID("key_id", m.KeyId)
	if err != nil {
		return nil, err
	}
	k, err := d.s.g.Dealing(ctx, as(ctx), key)
	if err != nil {
		return nil, err
	}
	resp := &carnetv1.GetDealingResponse{Statement: apiconv.ToEnvelope(k.Statement.Envelope), Ref: ref(k.Statement.Ref),
		Committee: apiconv.ToEnvelope(k.Committee.Envelope)}
	for _, c := range k.Said {
		resp.Confirmations = append(resp.Confirmations, &carnetv1.SeedConfirmation{Number: int32(c.Number), Ok: c.OK, Reason: c.Reason})
	}
	if k.Retirement != nil {
		resp.Retirement = apiconv.ToEnvelope(k.Retirement.Envelope)
	}
	for _, w := range k.Words {
		resp.Redealings = append(resp.Redealings, apiconv.ToEnvelope(w.Envelope))
	}
	resp.Released = k.Released
	for _, g := range k.Destructions {
		resp.Destructions = append(resp.Destructions, apiconv.ToEnvelope(g.Statement.Envelope))
	}
	return resp, nil
}

func (d dealingService) RetireKey(ctx context.Context, m *carnetv1.RetireKeyRequest) (*carnetv1.RetireKeyResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := d.s.g.RetireKey(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.RetireKeyResponse{Ref: ref(got)}, nil
}

func (d dealingService) RedealKey(ctx context.Context, m *carnetv1.RedealKeyRequest) (*carnetv1.RedealKeyResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := d.s.g.RedealKey(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.RedealKeyResponse{Ref: ref(got)}, nil
}

func (d dealingService) SubmitDestruction(ctx context.Context, m *carnetv1.SubmitDestructionRequest) (*carnetv1.SubmitDestructionResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := d.s.g.SubmitDestruction(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.SubmitDestructionResponse{Ref: ref(got)}, nil
}

func (d dealingService) GetCorrections(m *carnetv1.GetCorrectionsRequest, stream grpc.ServerStreamingServer[carnetv1.GetCorrectionsResponse]) error {
	key, err := apiconv.FromKeyID("key_id", m.KeyId)
	if err != nil {
		return err
	}
	return d.s.g.Corrections(stream.Context(), key, func(power int, b []byte) error {
		for off := 0; off < len(b); off += pieceBytes {
			if err := stream.Send(&carnetv1.GetCorrectionsResponse{Piece: &carnetv1.CorrectionPiece{
				Power: int32(power), Offset: int64(off), Data: b[off:min(off+pieceBytes, len(b))]}}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d dealingService) GetSealedSeeds(ctx context.Context, m *carnetv1.GetSealedSeedsRequest) (*carnetv1.GetSealedSeedsResponse, error) {
	key, err := apiconv.FromKeyID("key_id", m.KeyId)
	if err != nil {
		return nil, err
	}
	number, sealed, err := d.s.g.SealedSeeds(ctx, as(ctx), key)
	if err != nil {
		return nil, err
	}
	return &carnetv1.GetSealedSeedsResponse{Seeds: &carnetv1.SealedSeeds{Number: int32(number), Sealed: sealed}}, nil
}

func (d dealingService) ConfirmSeeds(ctx context.Context, m *carnetv1.ConfirmSeedsRequest) (*carnetv1.ConfirmSeedsResponse, error) {
	key, err := apiconv.FromKeyID("key_id", m.KeyId)
	if err != nil {
		return nil, err
	}
	return &carnetv1.ConfirmSeedsResponse{}, d.s.g.ConfirmSeeds(ctx, as(ctx), key, m.Ok, m.Reason)
}
