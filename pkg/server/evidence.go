package server

import (
	"context"

	"google.golang.org/grpc"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

type evidenceService struct {
	carnetv1.UnimplementedEvidenceServiceServer
	s *Server
}

// collect gathers the evidence of a query, or of a document.
func (e evidenceService) collect(ctx context.Context, m *carnetv1.ExportEvidenceRequest) (*flow.Evidence, error) {
	if m.Query != "" {
		query, err := apiconv.FromHash("query", m.Query)
		if err != nil {
			return nil, err
		}
		return e.s.g.ExportEvidence(ctx, as(ctx), query, m.Since, !m.WithoutPieces)
	}
	var statement carnet.Hash
	if m.Document != "" {
		var err error
		if statement, err = apiconv.FromHash("document", m.Document); err != nil {
			return nil, err
		}
	}
	return e.s.g.ExportProof(ctx, as(ctx), statement, m.Since)
}

// ExportEvidence sends what a bundle consists of, in its order.
func (e evidenceService) ExportEvidence(m *carnetv1.ExportEvidenceRequest, stream grpc.ServerStreamingServer[carnetv1.ExportEvidenceResponse]) error {
	if m.Since < 0 {
		return malformed("since", "is negative")
	}
	ev, err := e.collect(stream.Context(), m)
	if err != nil {
		return err
	}
	note, err := apiconv.ToCheckpoint(ev.Checkpoint)
	if err != nil {
		return err
	}
	if err := stream.Send(&carnetv1.ExportEvidenceResponse{Part: &carnetv1.ExportEvidenceResponse_Checkpoint{Checkpoint: note}}); err != nil {
		return err
	}
	if m.Since > 0 {
		if err := stream.Send(&carnetv1.ExportEvidenceResponse{Part: &carnetv1.ExportEvidenceResponse_Consistency{
			Consistency: &carnetv1.HashPath{Hashes: apiconv.ToPath(ev.Consistency)}}}); err != nil {
			return err
		}
	}
	for i := range ev.Entries {
		if err := stream.Send(&carnetv1.ExportEvidenceResponse{Part: &carnetv1.ExportEvidenceResponse_Entry{
			Entry: &carnetv1.ProvedEntry{Entry: apiconv.ToEntry(&ev.Entries[i].Entry), Path: apiconv.ToPath(ev.Entries[i].Path)}}}); err != nil {
			return err
		}
	}
	for _, f := range ev.Files {
		all := make([]byte, 0, 32*len(f.Hashes))
		for _, h := range f.Hashes {
			all = append(all, h[:]...)
		}
		for b := range pieces(all) {
			if err := stream.Send(&carnetv1.ExportEvidenceResponse{Part: &carnetv1.ExportEvidenceResponse_Pieces{
				Pieces: &carnetv1.PieceHashes{Nonce: f.Nonce.String(), Hashes: b}}}); err != nil {
				return err
			}
		}
	}
	return nil
}
