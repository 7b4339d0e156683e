package keyholder

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

func (m *member) GetSealedSeeds(_ context.Context, r *apiv1.GetSealedSeedsRequest) (*apiv1.GetSealedSeedsResponse, error) {
	key, err := carnet.ParseKeyID(r.GetKeyId())
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	sealed := m.w.sealed[key]
	if sealed == nil {
		return nil, status.Error(codes.NotFound, "no seeds")
	}
	return &apiv1.GetSealedSeedsResponse{Seeds: &apiv1.SealedSeeds{Number: int32(m.number), Sealed: sealed[m.number-1]}}, nil
}

func (m *member) ConfirmSeeds(_ context.Context, r *apiv1.ConfirmSeedsRequest) (*apiv1.ConfirmSeedsResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.confirmed[fmt.Sprint(m.number, " ", r.GetKeyId())] = fmt.Sprint(r.GetOk(), " ", r.GetReason())
	m.touch()
	return &apiv1.ConfirmSeedsResponse{}, nil
}

// SubmitDestruction journals the statement unless the keyholder said so before.
func (m *member) SubmitDestruction(_ context.Context, r *apiv1.SubmitDestructionRequest) (*apiv1.SubmitDestructionResponse, error) {
	env, err := apiconv.FromEnvelope("statement", r.GetStatement())
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var d carnet.Destruction
	if err := env.Verify(carnet.TypeDestruction, m.w.stores()[m.number-1].Signer().Public(), &d); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	at := fmt.Sprint(m.number, " ", d.Key)
	if m.destroyed[at] == nil {
		m.destroyed[at] = env
		if err := errors.Join(m.add(env), m.publish()); err != nil {
			return nil, err
		}
	}
	m.touch()
	return &apiv1.SubmitDestructionResponse{}, nil
}

func (m *member) GetCorrections(r *apiv1.GetCorrectionsRequest, s grpc.ServerStreamingServer[apiv1.GetCorrectionsResponse]) error {
	key, err := carnet.ParseKeyID(r.GetKeyId())
	if err != nil {
		return err
	}
	for j, b := range m.w.corrections[key] {
		if m.deltas != nil {
			b = m.deltas(append([]byte(nil), b...))
		}
		for at := 0; at < len(b); at += 1 << 18 {
			piece := &apiv1.CorrectionPiece{Power: int32(j + 1), Offset: int64(at), Data: b[at:min(at+1<<18, len(b))]}
			if err := s.Send(&apiv1.GetCorrectionsResponse{Piece: piece}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *member) ReadPieces(r *apiv1.ReadPiecesRequest, s grpc.ServerStreamingServer[apiv1.ReadPiecesResponse]) error {
	f := m.w.files[r.GetNonce()]
	if f == nil {
		return status.Error(codes.NotFound, "no file")
	}
	if m.stall != nil {
		select {
		case <-m.stall:
		case <-s.Context().Done():
			return nil
		}
	}
	for _, rg := range r.GetRanges() {
		p := columnfile.Piece{Column: uint32(rg.GetColumn()), Limb: uint32(rg.GetLimb()), Chunk: uint32(rg.GetChunk())}
		for ; f.Has(p); p.Piece++ {
			leaf := f.Leaf(p)
			out := &sentPiece{file: f, at: p, data: f.Pack(m.w.pieces[f.Nonce()][p]), proof: m.w.columns[f.Nonce()][p.Column].AppendProof(nil, leaf, leaf+1)}
			m.mu.Lock()
			m.reads++
			if m.piece != nil {
				m.piece(out)
			}
			m.mu.Unlock()
			if out.data == nil {
				return nil // cut short
			}
			if err := s.Send(&apiv1.ReadPiecesResponse{Column: rg.GetColumn(), Limb: rg.GetLimb(), Chunk: rg.GetChunk(), Piece: int32(p.Piece), Data: out.data, Proof: out.proof}); err != nil {
				return err
			}
		}
	}
	return nil
}
