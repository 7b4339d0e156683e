package keyholder

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/carnet-network/carnet/internal/lease"
	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/scan"
)

// chunkCache keeps verified ciphertext in memory, in the order of column files, across
// queries. Its bound holds for what is idle and in use together, unless more than that is in
// use.
type chunkCache struct {
	limbs *lease.Cache[limbKey, []uint64]
}

// limbKey names one limb of a chunk.
type limbKey struct {
	file                carnet.Nonce
	column, chunk, limb uint32
}

func newChunkCache(limit int64) *chunkCache {
	return &chunkCache{lease.New[limbKey, []uint64](limit, nil)}
}

// chunkSource serves ciphertext of the gateway to scans: every piece is streamed from
// there in packed form with its proof, must be canonical, and must belong to the root
// that the owner signed. It is safe for concurrent use.
type chunkSource struct {
	k     *Keyholder
	files map[carnet.Nonce]*signedFile
}

type signedFile struct {
	*columnfile.File
	root carnet.Hash
}

// newChunkSource serves the given files.
func (k *Keyholder) newChunkSource(p *he.Profile, files []*carnet.File) (*chunkSource, error) {
	s := &chunkSource{k: k, files: map[carnet.Nonce]*signedFile{}}
	for _, f := range files {
		file, err := columnfile.NewFile(p, f.Nonce, f.Columns, f.Blocks)
		if err != nil {
			return nil, err
		}
		s.files[f.Nonce] = &signedFile{file, f.Root}
	}
	return s, nil
}

// Chunk implements scan.Chunks.
func (s *chunkSource) Chunk(ctx context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	return s.limb(ctx, limbKey{id.File, id.Column, id.Chunk, uint32(limb)})
}

// limb returns one limb of a chunk; it is read only and valid until release.
func (s *chunkSource) limb(ctx context.Context, key limbKey) ([]uint64, func(), error) {
	return s.k.chunks.limbs.Get(ctx, key, func(ctx context.Context) ([]uint64, int64, error) {
		words, err := s.fetch(ctx, key)
		return words, 8 * int64(len(words)), err
	})
}

// errCorrupt says that the gateway's data is not what the owner signed. It depends
// on public facts only.
func errCorrupt(file carnet.Nonce, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Refused, "BLOCKS_DIFFER", "file %s: %s", file, fmt.Sprintf(format, args...)).
		Fix("the gateway's operator has to restore the file from storage; then ask again")
}

// fetch reads one limb of a chunk. Damage may be on the wire only, so what does not
// verify is read once more.
func (s *chunkSource) fetch(ctx context.Context, key limbKey) ([]uint64, error) {
	f := s.files[key.file]
	first := columnfile.Piece{Column: key.column, Limb: key.limb, Chunk: key.chunk}
	if f == nil || !f.Has(first) {
		return nil, fmt.Errorf("chunk %d/%d/%d of %s is not part of the inputs", key.column, key.chunk, key.limb, key.file)
	}
	words := make([]uint64, f.ChunkWords(int(key.chunk)))
	for attempt := 0; ; attempt++ {
		err := s.read(ctx, f, first, words)
		if err == nil {
			return words, nil
		}
		if attempt == 1 || carnet.ReasonOf(err) != "BLOCKS_DIFFER" {
			return nil, err
		}
	}
}

// read sets words from the pieces that begin with the first one.
func (s *chunkSource) read(ctx context.Context, f *signedFile, p columnfile.Piece, words []uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.k.api.dataset.ReadPieces(ctx, &apiv1.ReadPiecesRequest{Nonce: f.Nonce().String(),
		Ranges: []*apiv1.PieceRange{{Column: int32(p.Column), Limb: int32(p.Limb), Chunk: int32(p.Chunk)}}})
	if err != nil {
		return err
	}
	n := f.PieceWords(int(p.Chunk))
	for ; len(words) > 0; words, p.Piece = words[n:], p.Piece+1 {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return errCorrupt(f.Nonce(), "column %d ends before piece %d of limb %d in chunk %d", p.Column, p.Piece, p.Limb, p.Chunk)
		}
		if err != nil {
			return err
		}
		if err := f.Open(p, m.GetData(), m.GetProof(), f.root, words[:n]); err != nil {
			return errCorrupt(f.Nonce(), "piece %d of limb %d in chunk %d of column %d", p.Piece, p.Limb, p.Chunk, p.Column).Because(err)
		}
	}
	return nil
}

// corrections returns the correction polynomials of a key, power 1 first, each
// checked against the hash in the owner's dealing.
func (k *Keyholder) corrections(ctx context.Context, d *dealing) ([]he.Poly, error) {
	if polys, ok := k.deltas.get(d.id); ok {
		return polys, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := k.api.dealing.GetCorrections(ctx, &apiv1.GetCorrectionsRequest{KeyId: d.id.String()})
	if err != nil {
		return nil, err
	}
	size, powers := d.profile.BlockBytes(), len(d.body.Corrections)
	bad := carnet.E(carnet.Refused, "CORRECTIONS_DIFFER", "the corrections of key %s are not those the owner committed to", d.key).
		Fix("the gateway's operator has to restore them; then ask again")
	all := make([][]byte, powers)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		j, b := int(m.GetPiece().GetPower())-1, m.GetPiece().GetData()
		if j < 0 || j >= powers || m.GetPiece().GetOffset() != int64(len(all[j])) || len(all[j])+len(b) > size {
			return nil, bad
		}
		all[j] = append(all[j], b...)
	}
	r := he.NewRing(d.profile)
	polys := make([]he.Poly, powers)
	for j := range all {
		polys[j] = r.NewPoly()
		if wire.CorrectionHash(j+1, all[j]) != d.body.Corrections[j] || wire.ReadPoly(d.profile, all[j], polys[j]) != nil {
			return nil, bad
		}
	}
	k.deltas.put(d.id, polys, int64(size*powers))
	return polys, nil
}
