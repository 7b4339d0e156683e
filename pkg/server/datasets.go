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
	"github.com/carnet-network/carnet/pkg/he"
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
	n, err := d.s.g.BeginUpload(ctx, as(ctx), carnet.DatasetID(m.Dataset), m.Profile, files)
	if err != nil {
		return nil, err
	}
	return &carnetv1.BeginUploadResponse{BlockBytes: int64(n)}, nil
}

// maxStreamBlocks bounds one stream of blocks; longer uploads take several.
const maxStreamBlocks = 1 << 20

func (d datasetService) UploadBlocks(stream grpc.ClientStreamingServer[carnetv1.UploadBlocksRequest, carnetv1.UploadBlocksResponse]) error {
	ctx := stream.Context()
	w := d.s.g.WriteBlocks(as(ctx))
	err := d.receive(ctx, stream, w)
	// Blocks that arrived before the stream broke count. The client may be gone, so
	// its context does not matter any more.
	stored, skipped, cerr := w.Close(context.WithoutCancel(ctx))
	if err = errors.Join(err, cerr); err != nil {
		return err
	}
	return stream.SendAndClose(&carnetv1.UploadBlocksResponse{Stored: stored, Skipped: skipped})
}

func (d datasetService) receive(ctx context.Context, stream grpc.ClientStreamingServer[carnetv1.UploadBlocksRequest, carnetv1.UploadBlocksResponse], w *flow.BlockWriter) error {
	for range maxStreamBlocks {
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
		if m.Column < 0 || m.Block < 0 {
			return malformed("block", "column and block are not negative")
		}
		if err := w.Put(ctx, he.BlockID{File: nonce, Column: uint32(m.Column), Block: uint32(m.Block)}, m.Data); err != nil {
			return err
		}
	}
	return carnet.E(carnet.Exhausted, "STREAM_TOO_LONG", "one stream takes %d blocks", maxStreamBlocks).Fix("continue in a new stream")
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
	return &carnetv1.GetDatasetResponse{Dataset: toDatasetEntry(&rec)}, nil
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
	out, next := page(list, limit, toDatasetEntry, func(r *flow.DatasetRecord) string { return string(r.ID) })
	return &carnetv1.ListDatasetsResponse{Datasets: out, NextPageToken: next}, nil
}

func (d datasetService) ListBlockHashes(m *carnetv1.ListBlockHashesRequest, stream grpc.ServerStreamingServer[carnetv1.ListBlockHashesResponse]) error {
	nonce, err := apiconv.FromNonce("nonce", m.Nonce)
	if err != nil {
		return err
	}
	ctx := stream.Context()
	return d.s.g.BlockHashes(ctx, as(ctx), nonce, func(offset int64, hashes []byte) error {
		return stream.Send(&carnetv1.ListBlockHashesResponse{Offset: offset, Hashes: hashes})
	})
}

func (d datasetService) ReadBlocks(m *carnetv1.ReadBlocksRequest, stream grpc.ServerStreamingServer[carnetv1.ReadBlocksResponse]) error {
	nonce, err := apiconv.FromNonce("nonce", m.Nonce)
	if err != nil {
		return err
	}
	var ranges []flow.BlockRange
	for _, r := range m.Ranges {
		ranges = append(ranges, flow.BlockRange{Column: int(r.GetColumn()), First: int(r.GetFirstBlock()), Blocks: int(r.GetBlocks())})
	}
	ctx := stream.Context()
	return d.s.g.ReadBlocks(ctx, as(ctx), nonce, ranges, func(column, block int, data []byte) error {
		return stream.Send(&carnetv1.ReadBlocksResponse{Column: int32(column), Block: int32(block), Data: data})
	})
}
