package client

import (
	"context"
	"errors"
	"io"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/schema"
)

// upload sends the blocks of one dataset.
type upload struct {
	client   *Client
	profile  *he.Profile
	p        *Publication
	state    *uploadState
	builders []*schema.Builder

	hashes  [][]carnet.Hash // per file, index column*blocks + block; zero = not yet encrypted
	present [][]byte        // per file, the gateway's bitmap of stored blocks
	done    atomic.Int64
	total   int64
	sent    atomic.Int64
	had     int64 // bytes that had arrived before
	report  sync.Mutex
}

// uploadAttempts is how often a broken connection is taken up again in one call.
const uploadAttempts = 6

// run encrypts and sends everything that is missing. Encryption is deterministic in
// key, nonce and plaintext, so that a repeated block has the same bytes.
func (u *upload) run(ctx context.Context) error {
	req := &pb.BeginUploadRequest{Dataset: string(u.p.ID), Profile: u.profile.Name()}
	u.total = 0
	for i, b := range u.builders {
		cells := len(u.p.Encoding.Columns) * b.Blocks()
		u.hashes = append(u.hashes, make([]carnet.Hash, cells))
		u.present = append(u.present, nil)
		u.total += int64(cells)
		req.Files = append(req.Files, &pb.UploadFile{
			Nonce: u.state.Files[i].Nonce.String(), Columns: int32(len(u.p.Encoding.Columns)), Blocks: int32(b.Blocks()),
		})
	}
	resp, err := u.client.datasets.BeginUpload(ctx, req)
	if err != nil {
		return fault(err)
	}
	if resp.GetBlockBytes() != int64(u.profile.BlockBytes()) {
		return wrong("the gateway expects blocks of %d bytes, profile %s has %d", resp.GetBlockBytes(), u.profile.Name(), u.profile.BlockBytes())
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
	for i := range u.builders {
		resp, err := u.client.datasets.GetUpload(ctx, &pb.GetUploadRequest{Nonce: u.state.Files[i].Nonce.String()})
		if err != nil {
			return fault(err)
		}
		u.present[i] = resp.GetPresent()
		for _, b := range u.present[i] {
			if first {
				u.had += int64(bits.OnesCount8(b)) * int64(u.profile.BlockBytes())
			}
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

// work encrypts and sends blocks until there are none left.
func (u *upload) work(ctx context.Context, ring *he.Ring, enc *he.Encryptor, next *atomic.Int64) error {
	stream, err := u.client.datasets.UploadBlocks(ctx)
	if err != nil {
		return fault(err)
	}
	values := make([]uint64, u.profile.N())
	poly := ring.NewPoly()
	for {
		f, column, block, ok := u.locate(next.Add(1) - 1)
		if !ok {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b := u.builders[f]
		at := column*b.Blocks() + block
		stored := hasBit(u.present[f], at)
		if stored && !u.hashes[f][at].IsZero() {
			u.advance(0)
			continue
		}
		n := b.Column(column, block, values)
		id := he.BlockID{File: u.state.Files[f].Nonce, Column: uint32(column), Block: uint32(block)}
		if err := enc.EncryptBlock(id, values[:n], poly); err != nil {
			return err
		}
		// The message keeps its bytes until it is on the wire, so each has its own.
		data := wire.AppendPoly(make([]byte, 0, u.profile.BlockBytes()), u.profile, poly)
		u.hashes[f][at] = wire.HashBlock(data)
		if stored {
			u.advance(0)
			continue
		}
		err := stream.Send(&pb.UploadBlocksRequest{Nonce: id.File.String(), Column: int32(column), Block: int32(block), Data: data})
		if errors.Is(err, io.EOF) { // the gateway ended the stream and has said why
			if _, err = stream.CloseAndRecv(); err == nil {
				err = carnet.E(carnet.Unavailable, "UPLOAD_CUT", "the gateway ended the upload early")
			}
		}
		if err != nil {
			return fault(err)
		}
		u.advance(len(data))
	}
	if _, err := stream.CloseAndRecv(); err != nil {
		return fault(err)
	}
	return nil
}

// locate maps a running number to a block: file by file, column by column.
func (u *upload) locate(i int64) (file, column, block int, ok bool) {
	for f := range u.hashes {
		if n := int64(len(u.hashes[f])); i >= n {
			i -= n
			continue
		}
		blocks := u.builders[f].Blocks()
		return f, int(i) / blocks, int(i) % blocks, true
	}
	return 0, 0, 0, false
}

func (u *upload) advance(bytes int) {
	done, sent := u.done.Add(1), u.sent.Add(int64(bytes))
	if u.p.Progress == nil {
		return
	}
	u.report.Lock()
	defer u.report.Unlock()
	u.p.Progress(Progress{Blocks: done, Total: u.total, Sent: sent})
}

func hasBit(bitmap []byte, i int) bool { return i/8 < len(bitmap) && bitmap[i/8]>>(i%8)&1 == 1 }
