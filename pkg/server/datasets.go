package server

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/flow"
)

type datasetService struct {
	carnetv1.UnimplementedDatasetServiceServer
	s *Server
}

func (d datasetService) BeginUpload(ctx context.Context, m *carnetv1.BeginUploadRequest) (*carnetv1.BeginUploadResponse, error) {
	var files []flow.UploadFile
	for _, f := range m.Files {
		nonce, err := apiconv.FromNonce("files.nonce", f.GetNonce())
		if err != nil {
			return nil, err
		}
		files = append(files, flow.UploadFile{Nonce: nonce, Columns: int(f.GetColumns()), Blocks: int(f.GetBlocks())})
	}
	params, err := d.s.g.BeginUpload(ctx, as(ctx), carnet.DatasetID(m.Dataset), m.Profile, files)
	if err != nil {
		return nil, err
	}
	return &carnetv1.BeginUploadResponse{Params: params.String()}, nil
}

// maxStreamPieces bounds one stream of pieces; longer uploads take several.
const maxStreamPieces = 1 << 22

func (d datasetService) UploadPieces(stream grpc.ClientStreamingServer[carnetv1.UploadPiecesRequest, carnetv1.UploadPiecesResponse]) error {
	ctx := stream.Context()
	w := d.s.g.WritePieces(as(ctx))
	err := d.receive(ctx, stream, w)
	// Pieces that arrived before the stream broke count. The client may be gone, so
	// its context does not matter any more.
	stored, skipped, cerr := w.Close(context.WithoutCancel(ctx))
	if err = errors.Join(err, cerr); err != nil {
		return err
	}
	return stream.SendAndClose(&carnetv1.UploadPiecesResponse{Stored: stored, Skipped: skipped})
}

func (d datasetService) receive(ctx context.Context, stream grpc.ClientStreamingServer[carnetv1.UploadPiecesRequest, carnetv1.UploadPiecesResponse], w *flow.PieceWriter) error {
	for range maxStreamPieces {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		nonce, err := apiconv.FromNonce("nonce", m.Nonce)
		if err != nil {
			return err
		}
		if min(m.Column, m.Limb, m.Chunk, m.Piece) < 0 {
			return malformed("piece", "column, limb, chunk and piece are not negative")
		}
		p := columnfile.Piece{Column: uint32(m.Column), Limb: uint32(m.Limb), Chunk: uint32(m.Chunk), Piece: uint32(m.Piece)}
		if err := w.Put(ctx, nonce, p, m.Data); err != nil {
			return err
		}
	}
	return carnet.E(carnet.Exhausted, "STREAM_TOO_LONG", "one stream takes %d pieces", maxStreamPieces).Fix("continue in a new stream")
}

func (d datasetService) GetUpload(ctx context.Context, m *carnetv1.GetUploadRequest) (*carnetv1.GetUploadResponse, error) {
	nonce, err := apiconv.FromNonce("nonce", m.Nonce)
	if err != nil {
		return nil, err
	}
	u, present, err := d.s.g.UploadStatus(ctx, as(ctx), nonce)
	if err != nil {
		return nil, err
	}
	return &carnetv1.GetUploadResponse{Dataset: string(u.Dataset), Columns: int32(u.Columns), Blocks: int32(u.Blocks),
		Present: present, Committed: u.State == flow.UploadCommitted}, nil
}

func (d datasetService) CommitDataset(ctx context.Context, m *carnetv1.CommitDatasetRequest) (*carnetv1.CommitDatasetResponse, error) {
	env, err := apiconv.FromEnvelope("manifest", m.Manifest)
	if err != nil {
		return nil, err
	}
	got, err := d.s.g.CommitDataset(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.CommitDatasetResponse{Ref: ref(got)}, nil
}

func (d datasetService) RevokeDataset(ctx context.Context, m *carnetv1.RevokeDatasetRequest) (*carnetv1.RevokeDatasetResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := d.s.g.RevokeDataset(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.RevokeDatasetResponse{Ref: ref(got)}, nil
}

func (d datasetService) GetDataset(ctx context.Context, m *carnetv1.GetDatasetRequest) (*carnetv1.GetDatasetResponse, error) {
	rec, err := d.s.g.Dataset(ctx, carnet.DatasetID(m.Id))
	if err != nil {
		return nil, err
	}
	spent, err := d.s.g.Budgets(ctx, as(ctx), []flow.DatasetRecord{rec})
	if err != nil {
		return nil, err
	}
	return &carnetv1.GetDatasetResponse{Dataset: withBudget(toDatasetEntry(&rec), spent[rec.ID])}, nil
}

func (d datasetService) ListDatasets(ctx context.Context, m *carnetv1.ListDatasetsRequest) (*carnetv1.ListDatasetsResponse, error) {
	limit, err := pageSize(m.PageSize)
	if err != nil {
		return nil, err
	}
	after, err := fromToken(m.PageToken)
	if err != nil {
		return nil, err
	}
	list, err := d.s.g.Datasets(ctx, carnet.PartyID(m.Owner), m.Schema, carnet.DatasetID(after), limit)
	if err != nil {
		return nil, err
	}
	spent, err := d.s.g.Budgets(ctx, as(ctx), list)
	if err != nil {
		return nil, err
	}
	entry := func(r *flow.DatasetRecord) *carnetv1.DatasetEntry { return withBudget(toDatasetEntry(r), spent[r.ID]) }
	out, next := page(list, limit, entry, func(r *flow.DatasetRecord) string { return string(r.ID) })
	return &carnetv1.ListDatasetsResponse{Datasets: out, NextPageToken: next}, nil
}

func (d datasetService) ReadPieces(m *carnetv1.ReadPiecesRequest, stream grpc.ServerStreamingServer[carnetv1.ReadPiecesResponse]) error {
	nonce, err := apiconv.FromNonce("nonce", m.Nonce)
	if err != nil {
		return err
	}
	var ranges []flow.PieceRange
	for _, r := range m.Ranges {
		ranges = append(ranges, flow.PieceRange{Column: int(r.GetColumn()), Limb: int(r.GetLimb()), Chunk: int(r.GetChunk()),
			First: int(r.GetFirstPiece()), Pieces: int(r.GetPieces())})
	}
	ctx := stream.Context()
	return d.s.g.ReadPieces(ctx, as(ctx), nonce, ranges, func(p flow.SentPiece) error {
		return stream.Send(&carnetv1.ReadPiecesResponse{Column: int32(p.Column), Limb: int32(p.Limb), Chunk: int32(p.Chunk), Piece: int32(p.Piece.Piece),
			Data: p.Packed, Proof: p.Proof})
	})
}
