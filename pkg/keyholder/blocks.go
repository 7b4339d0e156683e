package keyholder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/singleflight"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// blockCache keeps verified blocks in memory, across queries.
type blockCache struct {
	limit  int64
	polys  *lru[he.BlockID, he.Poly]
	flight singleflight.Group
}

func newBlockCache(limit int64) *blockCache {
	return &blockCache{limit: limit, polys: newLRU[he.BlockID, he.Poly](limit)}
}

// blockSource is a scan.Blocks over the gateway: every block is streamed from
// there, must hash to what the signed root commits to, and must be canonical. It
// reads several blocks of a column at a time and is safe for concurrent use.
type blockSource struct {
	k     *Keyholder
	p     *he.Profile
	files map[carnet.Nonce]*carnet.File
	ahead uint32 // blocks of one column fetched together

	hashes map[carnet.Nonce]*fileHashes // filled per file, once
}

// fileHashes are the verified block hashes of one file, fetched once.
type fileHashes struct {
	once sync.Once
	all  []carnet.Hash
	err  error
}

// newBlockSource serves the blocks of the given files. columns is how many columns
// are read side by side; it bounds how far each may be read ahead.
func (k *Keyholder) newBlockSource(p *he.Profile, files []*carnet.File, columns int) *blockSource {
	s := &blockSource{k: k, p: p, files: map[carnet.Nonce]*carnet.File{}, hashes: map[carnet.Nonce]*fileHashes{}}
	for _, f := range files {
		s.files[f.Nonce], s.hashes[f.Nonce] = f, &fileHashes{}
	}
	room := k.blocks.limit / 2 / int64(max(columns, 1)) / int64(p.BlockBytes())
	s.ahead = uint32(min(max(room, 1), 16))
	return s
}

// Block implements scan.Blocks.
func (s *blockSource) Block(ctx context.Context, id he.BlockID, out he.Poly) error {
	poly, ok := s.k.blocks.polys.get(id)
	if !ok {
		first := id.Block - id.Block%s.ahead
		// Other queries may want the same blocks at the same time.
		got, err, _ := s.k.blocks.flight.Do(fmt.Sprint(id.File, id.Column, first, s.ahead), func() (any, error) {
			return s.fetch(ctx, id.File, id.Column, first)
		})
		if err != nil {
			return err
		}
		poly = got.([]he.Poly)[id.Block-first]
	}
	for l := range out {
		copy(out[l], poly[l])
	}
	return nil
}

// errCorrupt says that the gateway's data is not what the owner signed. It depends
// on public facts only.
func errCorrupt(file carnet.Nonce, format string, args ...any) error {
	return carnet.E(carnet.Refused, "BLOCKS_DIFFER", "file %s: %s", file, fmt.Sprintf(format, args...)).
		Fix("the gateway's operator has to restore the file from storage; then ask again")
}

// fetch reads a run of blocks of one column. Damage may be on the wire only, so a
// run that does not verify is read once more.
func (s *blockSource) fetch(ctx context.Context, file carnet.Nonce, column, first uint32) ([]he.Poly, error) {
	f := s.files[file]
	if f == nil || int64(column) >= int64(f.Columns) || int64(first) >= int64(f.Blocks) {
		return nil, fmt.Errorf("block %d/%d of %s is not part of the inputs", column, first, file)
	}
	hashes, err := s.fileHashes(ctx, f)
	if err != nil {
		return nil, err
	}
	n := min(s.ahead, uint32(f.Blocks)-first)
	at := int(column)*f.Blocks + int(first)
	for attempt := 0; ; attempt++ {
		polys, err := s.read(ctx, file, column, first, hashes[at:at+int(n)])
		if err == nil {
			for i, p := range polys {
				s.k.blocks.polys.put(he.BlockID{File: file, Column: column, Block: first + uint32(i)}, p, int64(s.p.BlockBytes()))
			}
			return polys, nil
		}
		if attempt == 1 || carnet.ReasonOf(err) != "BLOCKS_DIFFER" {
			return nil, err
		}
	}
}

func (s *blockSource) read(ctx context.Context, file carnet.Nonce, column, first uint32, hashes []carnet.Hash) ([]he.Poly, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.k.api.dataset.ReadBlocks(ctx, &apiv1.ReadBlocksRequest{Nonce: file.String(),
		Ranges: []*apiv1.BlockRange{{Column: int32(column), FirstBlock: int32(first), Blocks: int32(len(hashes))}}})
	if err != nil {
		return nil, err
	}
	r := he.NewRing(s.p)
	polys := make([]he.Poly, len(hashes))
	for i := range polys {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, errCorrupt(file, "column %d ends before block %d", column, first+uint32(i))
		}
		if err != nil {
			return nil, err
		}
		if m.GetColumn() != int32(column) || m.GetBlock() != int32(first)+int32(i) || wire.HashBlock(m.GetData()) != hashes[i] {
			return nil, errCorrupt(file, "block %d of column %d is not the one the owner committed to", first+uint32(i), column)
		}
		polys[i] = r.NewPoly()
		if err := wire.ReadPoly(s.p, m.GetData(), polys[i]); err != nil {
			return nil, errCorrupt(file, "block %d of column %d is not canonical", first+uint32(i), column)
		}
	}
	return polys, nil
}

// fileHashes returns the hashes of all blocks of a file, verified against its root.
func (s *blockSource) fileHashes(ctx context.Context, f *carnet.File) ([]carnet.Hash, error) {
	h := s.hashes[f.Nonce]
	h.once.Do(func() { h.all, h.err = s.k.readHashes(ctx, f) })
	return h.all, h.err
}

func (k *Keyholder) readHashes(ctx context.Context, f *carnet.File) ([]carnet.Hash, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := k.api.dataset.ListBlockHashes(ctx, &apiv1.ListBlockHashesRequest{Nonce: f.Nonce.String()})
	if err != nil {
		return nil, err
	}
	want := f.Columns * f.Blocks
	all := make([]carnet.Hash, 0, want)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		b := m.GetHashes()
		if m.GetOffset() != int64(len(all)) || len(b)%32 != 0 || len(all)+len(b)/32 > want {
			return nil, errCorrupt(f.Nonce, "the list of block hashes is malformed")
		}
		for ; len(b) > 0; b = b[32:] {
			all = append(all, carnet.Hash(b[:32]))
		}
	}
	if len(all) != want || wire.Root(all) != f.Root {
		return nil, errCorrupt(f.Nonce, "the block hashes do not match the signed root")
	}
	return all, nil
}

// corrections returns the correction polynomials of a key, power 1 first, each
// checked against the hash in the owner's dealing.
func (k *Keyholder) corrections(ctx context.Context, d *dealing) ([]he.Poly, error) {
	if polys, ok := k.deltas.get(d.key); ok {
		return polys, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := k.api.dealing.GetCorrections(ctx, &apiv1.GetCorrectionsRequest{KeyId: d.key.String()})
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
	k.deltas.put(d.key, polys, int64(size*powers))
	return polys, nil
}
