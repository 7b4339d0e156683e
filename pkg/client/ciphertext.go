package client

import (
	"context"
	"errors"
	"io"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// maxCorrection bounds the bytes of one correction polynomial: 2^14 coefficients of six
// limbs.
const maxCorrection = 8 * 6 << 14

// Chunk reads one limb of a chunk of a file from the gateway, piece by piece, and checks
// every piece against the root that the owner signed. Owners, keyholders, auditors and
// operators may read ciphertext.
func (c *Client) Chunk(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32, chunk, limb int) ([]uint64, func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.datasets.ReadPieces(ctx, &pb.ReadPiecesRequest{Nonce: f.Nonce().String(),
		Ranges: []*pb.PieceRange{{Column: int32(column), Limb: int32(limb), Chunk: int32(chunk)}}})
	if err != nil {
		return nil, nil, fault(err)
	}
	words := make([]uint64, f.ChunkWords(chunk))
	p := columnfile.Piece{Column: column, Limb: uint32(limb), Chunk: uint32(chunk)}
	n := f.PieceWords(chunk)
	for rest := words; len(rest) > 0; rest, p.Piece = rest[n:], p.Piece+1 {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, nil, carnet.E(carnet.Invalid, "PIECE_DIFFERS", "column %d of file %s ends early", column, f.Nonce())
		}
		if err != nil {
			return nil, nil, fault(err)
		}
		if err := f.Open(p, m.GetData(), m.GetProof(), root, rest[:n]); err != nil {
			return nil, nil, err
		}
	}
	return words, func() {}, nil
}

// Correction reads the correction polynomial of a power of a dealing. Whoever uses it
// compares it with the dealing.
func (c *Client) Correction(ctx context.Context, dealing carnet.KeyID, power int) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.dealings.GetCorrections(ctx, &pb.GetCorrectionsRequest{KeyId: dealing.String()})
	if err != nil {
		return nil, fault(err)
	}
	var out []byte
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fault(err)
		}
		p := m.GetPiece()
		if int(p.GetPower()) != power {
			continue
		}
		if p.GetOffset() != int64(len(out)) || len(out)+len(p.GetData()) > maxCorrection {
			return nil, wrong("the gateway sent a malformed correction")
		}
		out = append(out, p.GetData()...)
	}
}

// PublicValues returns the gateway's public half of the answer to a query, for its buyer
// and for auditors.
func (c *Client) PublicValues(ctx context.Context, query carnet.Hash) ([]byte, error) {
	f, err := c.fetch(ctx, query)
	if err != nil {
		return nil, err
	}
	return f.public, nil
}
