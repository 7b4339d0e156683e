package keyholder

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
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

func (m *member) file(nonce string) *carnet.File {
	for i := range m.w.product.Datasets {
		for j := range m.w.product.Datasets[i].Manifest.Files {
			if f := &m.w.product.Datasets[i].Manifest.Files[j]; f.Nonce.String() == nonce {
				return f
			}
		}
	}
	return nil
}

func (m *member) ListBlockHashes(r *apiv1.ListBlockHashesRequest, s grpc.ServerStreamingServer[apiv1.ListBlockHashesResponse]) error {
	f := m.file(r.GetNonce())
	if f == nil {
		return status.Error(codes.NotFound, "no file")
	}
	var all []byte
	for c := range f.Columns {
		for b := range f.Blocks {
			h := wire.HashBlock(m.w.blocks[he.BlockID{File: f.Nonce, Column: uint32(c), Block: uint32(b)}])
			all = append(all, h[:]...)
		}
	}
	if m.hashes != nil {
		all = m.hashes(r.GetNonce(), all)
	}
	half := len(all) / 64 * 32
	if err := s.Send(&apiv1.ListBlockHashesResponse{Hashes: all[:half]}); err != nil {
		return err
	}
	return s.Send(&apiv1.ListBlockHashesResponse{Offset: int64(half / 32), Hashes: all[half:]})
}

func (m *member) ReadBlocks(r *apiv1.ReadBlocksRequest, s grpc.ServerStreamingServer[apiv1.ReadBlocksResponse]) error {
	f := m.file(r.GetNonce())
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
		for b := rg.GetFirstBlock(); b < rg.GetFirstBlock()+rg.GetBlocks(); b++ {
			id := he.BlockID{File: f.Nonce, Column: uint32(rg.GetColumn()), Block: uint32(b)}
			data := m.w.blocks[id]
			m.mu.Lock()
			m.reads++
			if m.block != nil {
				data = m.block(id, append([]byte(nil), data...))
			}
			m.mu.Unlock()
			if data == nil {
				return nil // cut short
			}
			if err := s.Send(&apiv1.ReadBlocksResponse{Column: rg.GetColumn(), Block: b, Data: data}); err != nil {
				return err
			}
		}
	}
	return nil
}
