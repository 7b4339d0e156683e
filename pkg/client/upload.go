package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
)

// upload sends the ciphertext of one dataset.
type upload struct {
	client   *Client
	profile  *he.Profile
	p        *Publication
	state    *uploadState
	builders []*schema.Builder
	files    []*columnfile.File
	groups   *carnet.Groups // of the files, if the terms ask for them

	hashes  [][]carnet.Hash // per file, of its pieces; zero = not yet encrypted
	present [][]byte        // per file, the gateway's bitmap of stored pieces
	done    atomic.Int64    // blocks
	total   int64
	sent    atomic.Int64
	had     int64 // bytes that had arrived before
	report  sync.Mutex
}

// uploadAttempts is how often a broken connection is taken up again in one call.
const uploadAttempts = 6

// run encrypts and sends everything that is missing. Encryption is deterministic in
// key, nonce and plaintext, so that a repeated piece has the same bytes.
func (u *upload) run(ctx context.Context) error {
	req := &pb.BeginUploadRequest{Dataset: string(u.p.ID), Profile: u.profile.Name()}
	u.total = 0
	for i, f := range u.files {
		u.hashes = append(u.hashes, make([]carnet.Hash, f.Columns()*f.Leaves()))
		u.present = append(u.present, nil)
		u.total += int64(f.Columns()) * int64(f.Blocks())
		req.Files = append(req.Files, &pb.UploadFile{Nonce: u.state.Files[i].Nonce.String(), Columns: int32(f.Columns()), Blocks: int32(f.Blocks())})
	}
	resp, err := u.client.datasets.BeginUpload(ctx, req)
	if err != nil {
		return fault(err)
	}
	if resp.GetParams() != u.profile.ID().String() {
		return wrong("the gateway's profile %s is another one, with digest %q instead of %s", u.profile.Name(), resp.GetParams(), u.profile.ID())
	}
	ring := he.NewRing(u.profile)
	enc := he.NewEncryptor(ring, he.Seed(u.p.Key.Seed), u.p.Key.Key)
	defer enc.Zero()
	for attempt := 1; ; attempt++ {
		err := u.pass(ctx, ring, enc, attempt == 1)
		if err == nil || carnet.KindOf(err) != carnet.Unavailable || attempt == uploadAttempts {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond << attempt):
		}
	}
}

// pass asks what has arrived and sends the rest over one stream for each worker.
func (u *upload) pass(ctx context.Context, ring *he.Ring, enc *he.Encryptor, first bool) error {
	for i, f := range u.files {
		resp, err := u.client.datasets.GetUpload(ctx, &pb.GetUploadRequest{Nonce: u.state.Files[i].Nonce.String()})
		if err != nil {
			return fault(err)
		}
		u.present[i] = resp.GetPresent()
		if first {
			u.had += arrived(f, u.present[i])
		}
	}
	u.done.Store(0)
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range u.p.Workers {
		g.Go(func() error { return u.work(ctx, ring, enc, &next) })
	}
	return g.Wait()
}

// arrived adds up the bytes of the pieces in a bitmap.
func arrived(f *columnfile.File, present []byte) (n int64) {
	for i, b := range present {
		for ; b != 0; b &= b - 1 {
			at := 8*i + bits.TrailingZeros8(b)
			if at < f.Columns()*f.Leaves() {
				n += int64(f.PackedBytes(int(f.At(0, at%f.Leaves()).Chunk)))
			}
		}
	}
	return n
}

// worker encrypts chunks; its memory is that of one chunk.
type worker struct {
	u      *upload
	stream pb.DatasetService_UploadPiecesClient
	enc    *he.Encryptor
	values []uint64
	poly   he.Poly
}

// work encrypts and sends chunks until there are none left.
func (u *upload) work(ctx context.Context, ring *he.Ring, enc *he.Encryptor, next *atomic.Int64) error {
	stream, err := u.client.datasets.UploadPieces(ctx)
	if err != nil {
		return fault(err)
	}
	w := &worker{u: u, stream: stream, enc: enc, values: make([]uint64, u.profile.N()), poly: ring.NewPoly()}
	file := -1
	var buffer *columnfile.Chunk
	for {
		f, column, chunk, ok := u.locate(next.Add(1) - 1)
		if !ok {
			break
		}
		if f != file {
			file, buffer = f, u.files[f].NewChunk()
		}
		if err := w.chunk(ctx, buffer, f, column, chunk); err != nil {
			return err
		}
	}
	if _, err := stream.CloseAndRecv(); err != nil {
		return fault(err)
	}
	return nil
}

// chunk encrypts one chunk and sends those of its pieces that are missing. A chunk
// that has arrived is encrypted all the same if its hashes are not known.
func (w *worker) chunk(ctx context.Context, buffer *columnfile.Chunk, file int, column uint32, chunk int) error {
	f, b := w.u.files[file], w.u.builders[file]
	if w.u.complete(file, column, chunk) {
		w.u.advance(f.ChunkBlocks(chunk))
		return nil
	}
	buffer.Begin(chunk)
	for i := range f.ChunkBlocks(chunk) {
		if err := ctx.Err(); err != nil {
			return err
		}
		id := he.BlockID{File: f.Nonce(), Column: column, Block: uint32(chunk*columnfile.ChunkBlocks + i)}
		n := b.Column(int(column), int(id.Block), w.values)
		if err := w.enc.EncryptBlock(id, w.values[:n], w.poly); err != nil {
			return err
		}
		buffer.Put(i, w.poly)
	}
	for p := range pieces(f, column, chunk) {
		words := buffer.Piece(int(p.Limb), int(p.Piece))
		at := int(column)*f.Leaves() + f.Leaf(p)
		w.u.hashes[file][at] = columnfile.HashPiece(words)
		if hasBit(w.u.present[file], at) {
			continue
		}
		// The message keeps its bytes until it is on the wire, so each has its own.
		data := f.Pack(words)
		if err := w.send(&pb.UploadPiecesRequest{Nonce: f.Nonce().String(), Column: int32(column), Limb: int32(p.Limb), Chunk: int32(chunk), Piece: int32(p.Piece), Data: data}); err != nil {
			return err
		}
		w.u.sent.Add(int64(len(data))) // also of a chunk that a break cuts short
	}
	w.u.advance(f.ChunkBlocks(chunk))
	return nil
}

func (w *worker) send(m *pb.UploadPiecesRequest) error {
	err := w.stream.Send(m)
	if errors.Is(err, io.EOF) { // the gateway ended the stream and has said why
		if _, err = w.stream.CloseAndRecv(); err == nil {
			err = carnet.E(carnet.Unavailable, "UPLOAD_CUT", "the gateway ended the upload early")
		}
	}
	if err != nil {
		return fault(err)
	}
	return nil
}

// pieces lists the pieces of a chunk, limb by limb.
func pieces(f *columnfile.File, column uint32, chunk int) iter.Seq[columnfile.Piece] {
	return func(yield func(columnfile.Piece) bool) {
		for l := range f.Profile().Limbs() {
			for i := range f.Pieces(chunk) {
				if !yield(columnfile.Piece{Column: column, Limb: uint32(l), Chunk: uint32(chunk), Piece: uint32(i)}) {
					return
				}
			}
		}
	}
}

// complete reports whether all pieces of a chunk are at the gateway and known here.
func (u *upload) complete(file int, column uint32, chunk int) bool {
	f := u.files[file]
	for p := range pieces(f, column, chunk) {
		if at := int(column)*f.Leaves() + f.Leaf(p); !hasBit(u.present[file], at) || u.hashes[file][at].IsZero() {
			return false
		}
	}
	return true
}

// locate maps a running number to a chunk: file by file, column by column.
func (u *upload) locate(i int64) (file int, column uint32, chunk int, ok bool) {
	for n, f := range u.files {
		chunks := int64(f.Chunks())
		if all := chunks * int64(f.Columns()); i >= all {
			i -= all
			continue
		}
		return n, uint32(i / chunks), int(i % chunks), true
	}
	return 0, 0, 0, false
}

func (u *upload) advance(blocks int) {
	done, sent := u.done.Add(int64(blocks)), u.sent.Load()
	if u.p.Progress == nil {
		return
	}
	u.report.Lock()
	defer u.report.Unlock()
	u.p.Progress(Progress{Blocks: done, Total: u.total, Sent: sent})
}

func hasBit(bitmap []byte, i int) bool { return i/8 < len(bitmap) && bitmap[i/8]>>(i%8)&1 == 1 }
