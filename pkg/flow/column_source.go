package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/scan"
)

// columnSource serves the ciphertext of a query's inputs to scans.
type columnSource struct {
	columns Columns
	files   map[carnet.Nonce]*committed
}

func newColumnSource(columns Columns, in *inputs) (*columnSource, error) {
	s := &columnSource{columns, map[carnet.Nonce]*committed{}}
	for _, p := range in.products {
		for i := range p.Datasets {
			for _, f := range p.Datasets[i].Manifest.Files {
				file, err := columnfile.NewFile(p.Profile, f.Nonce, f.Columns, f.Blocks)
				if err != nil {
					return nil, err
				}
				s.files[f.Nonce] = &committed{file: file, root: f.Root}
			}
		}
	}
	return s, nil
}

// doubt has all files read anew.
func (s *columnSource) doubt() {
	for nonce := range s.files {
		s.columns.Doubt(nonce)
	}
}

// Constants implements scan.Constants.
func (s *columnSource) Constants(ctx context.Context, file carnet.Nonce, column uint32) ([]uint64, error) {
	c := s.files[file]
	if c == nil {
		return nil, carnet.E(carnet.Internal, "PIECE_DIFFERS", "file %s is not part of the inputs", file)
	}
	return s.columns.Constants(ctx, c.file, c.root, column)
}

// Chunk implements scan.Chunks.
func (s *columnSource) Chunk(ctx context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	c := s.files[id.File]
	if c == nil {
		return nil, nil, carnet.E(carnet.Internal, "PIECE_DIFFERS", "file %s is not part of the inputs", id.File)
	}
	return s.columns.Chunk(ctx, c.file, c.root, id.Column, int(id.Chunk), limb)
}
