package server

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

type journalService struct {
	carnetv1.UnimplementedJournalServiceServer
	s *Server
}

func (j journalService) Follow(m *carnetv1.FollowRequest, stream grpc.ServerStreamingServer[carnetv1.FollowResponse]) error {
	return j.s.g.Follow(stream.Context(), m.From, m.StopAtEnd, func(e *evidence.Entry) error {
		return stream.Send(&carnetv1.FollowResponse{Event: &carnetv1.FollowResponse_Entry{Entry: apiconv.ToEntry(e)}})
	}, func(c *evidence.SignedCheckpoint) error {
		note, err := apiconv.ToCheckpoint(c)
		if err != nil {
			return err
		}
		return stream.Send(&carnetv1.FollowResponse{Event: &carnetv1.FollowResponse_Checkpoint{Checkpoint: note}})
	})
}

func (j journalService) GetCheckpoint(ctx context.Context, _ *carnetv1.GetCheckpointRequest) (*carnetv1.GetCheckpointResponse, error) {
	_, newest, err := j.s.g.Journal(ctx)
	if err != nil || newest == nil {
		return &carnetv1.GetCheckpointResponse{}, err
	}
	note, err := apiconv.ToCheckpoint(newest)
	return &carnetv1.GetCheckpointResponse{Checkpoint: note, Size: newest.Size, Head: newest.Head[:]}, err
}

func (j journalService) GetInclusion(ctx context.Context, m *carnetv1.GetInclusionRequest) (*carnetv1.GetInclusionResponse, error) {
	statement, err := apiconv.FromHash("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	if m.Size < 0 {
		return nil, malformed("size", "is negative")
	}
	got, err := j.s.g.ProveInclusion(ctx, as(ctx), statement, m.Size)
	if err != nil {
		return nil, err
	}
	note, err := apiconv.ToCheckpoint(got.Checkpoint)
	return &carnetv1.GetInclusionResponse{Entry: apiconv.ToEntry(&got.Entry), Path: apiconv.ToPath(got.Path), Checkpoint: note}, err
}

func (j journalService) GetConsistency(ctx context.Context, m *carnetv1.GetConsistencyRequest) (*carnetv1.GetConsistencyResponse, error) {
	path, err := j.s.g.ProveConsistency(ctx, m.Older, m.Newer)
	return &carnetv1.GetConsistencyResponse{Path: apiconv.ToPath(path)}, err
}

type releaseService struct {
	carnetv1.UnimplementedReleaseServiceServer
	s *Server
}

func (r releaseService) Cosign(ctx context.Context, m *carnetv1.CosignRequest) (*carnetv1.CosignResponse, error) {
	c, err := evidence.ParseCheckpoint([]byte(m.Note))
	if err != nil {
		return nil, err
	}
	return &carnetv1.CosignResponse{}, r.s.g.Cosign(ctx, as(ctx), c)
}

func (r releaseService) SubmitAnswer(stream grpc.ClientStreamingServer[carnetv1.SubmitAnswerRequest, carnetv1.SubmitAnswerResponse]) error {
	ctx := stream.Context()
	first, err := stream.Recv()
	if err != nil {
		return ended(err)
	}
	env, err := apiconv.FromEnvelope("statement", first.GetStatement())
	if err != nil {
		return err
	}
	var sealed, values []byte
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ended(err)
		}
		switch part := m.Part.(type) {
		case *carnetv1.SubmitAnswerRequest_Sealed:
			sealed = append(sealed, part.Sealed...)
		case *carnetv1.SubmitAnswerRequest_PublicValues:
			values = append(values, part.PublicValues...)
		default:
			return malformed("part", "want sealed shares and public values after the statement")
		}
		if len(sealed) > flow.MaxAnswer || len(values) > flow.MaxAnswer {
			return malformed("stream", "an answer has at most %d bytes", flow.MaxAnswer)
		}
	}
	got, err := r.s.g.SubmitAnswer(ctx, as(ctx), env, sealed, values)
	if err != nil {
		return err
	}
	return stream.SendAndClose(&carnetv1.SubmitAnswerResponse{Ref: ref(got)})
}

// SubmitCheck publishes a keyholder's check of a private parameter.
func (r releaseService) SubmitCheck(ctx context.Context, m *carnetv1.SubmitCheckRequest) (*carnetv1.SubmitCheckResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.SubmitCheck(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.SubmitCheckResponse{Ref: ref(got)}, nil
}

func (r releaseService) SubmitDecision(ctx context.Context, m *carnetv1.SubmitDecisionRequest) (*carnetv1.SubmitDecisionResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := r.s.g.SubmitDecision(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.SubmitDecisionResponse{Ref: ref(got)}, nil
}
