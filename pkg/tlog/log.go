// Package tlog keeps the transparency log in a folder, as tiles of C2SP tlog-tiles
// (https://c2sp.org/tlog-tiles), with Tessera's POSIX driver. It is the only importer of
// Tessera.
//
// The life of a leaf: the store has its entry, under the number that the leaf will have.
// Append hands it to Tessera, which writes it into entry bundles and tiles, every file
// by renaming a complete one, and last the size that these make; all of it is forced to
// disk. Append returns when that is so, and says if Tessera gave a leaf another number.
// Whoever called it reads Tree, compares it with the store, and signs. The folder can be
// lost: the same leaves in the same order make the same files again.
//
// Tessera also writes a file named checkpoint into the folder, which it needs for its own
// house-keeping. It is signed with a key that is thrown away, and not served: the log's
// key signs nothing that was not compared with the store.
package tlog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

const (
	batchSize = 256                    // leaves that Tessera writes in one go; a full tile
	houseKeep = 200 * time.Millisecond // how often Tessera writes its own checkpoint, if it has grown
)

// DefaultBatchAge is how long Tessera waits for more leaves before it writes those it has.
const DefaultBatchAge = 5 * time.Millisecond

// Options are how a log is kept. The zero value will do.
type Options struct {
	BatchAge time.Duration // 0: DefaultBatchAge
	Logger   *slog.Logger  // what Tessera says; nil: nothing
}

// Log is an open log. One process at a time opens a folder. It is safe for concurrent use.
type Log struct {
	dir      string
	appender *tessera.Appender
	reader   tessera.LogReader
	shutdown func(context.Context) error
	cancel   context.CancelFunc
	closed   <-chan struct{}
	mu       sync.Mutex // held while leaves are added
	once     sync.Once
}

// logger sets where Tessera's lines go. That is one place for a process: the first log's.
var logger sync.Once

// Open opens the log in a folder, or makes an empty one there.
func Open(ctx context.Context, dir string, o Options) (*Log, error) {
	if o.BatchAge <= 0 {
		o.BatchAge = DefaultBatchAge
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	logger.Do(func() { klog.SetSlogLogger(slog.New(quieter{o.Logger.Handler()})) })
	skey, _, err := note.GenerateKey(rand.Reader, "house-keeping")
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return nil, unwritable(err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &Log{dir: dir, cancel: cancel, closed: running.Done()}
	l.appender, l.shutdown, l.reader, err = tessera.NewAppender(running, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).WithCheckpointInterval(houseKeep).WithBatching(batchSize, o.BatchAge))
	if err != nil {
		cancel()
		return nil, unwritable(err)
	}
	return l, nil
}

func unwritable(err error) error {
	return carnet.E(carnet.Unavailable, "LOG_UNWRITABLE", "the gateway's transparency log can't be written; nothing is released meanwhile").Because(err).
		Fix("the gateway's operator checks free space and permissions of the folder log in its data folder; nothing has to be submitted again")
}

// Tree returns the tree that the tiles make.
func (l *Log) Tree(ctx context.Context) (evidence.Tree, error) {
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return evidence.Tree{}, unwritable(err)
	}
	nodes, err := client.FetchRangeNodes(ctx, size, l.tile)
	if err != nil {
		return evidence.Tree{}, unwritable(err)
	}
	return evidence.TreeOf(int64(size), hashes(nodes))
}

func hashes(b [][]byte) (out []carnet.Hash) {
	for _, h := range b {
		out = append(out, carnet.Hash(h))
	}
	return out
}

// Append adds leaves, the first of which gets number first, and returns when they are
// durable and can be read.
func (l *Log) Append(ctx context.Context, first int64, leaves []carnet.Hash) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.probe(); err != nil {
		return unwritable(err)
	}
	switch size, err := l.reader.IntegratedSize(ctx); {
	case err != nil:
		return unwritable(err)
	case size != uint64(first):
		return carnet.E(carnet.Unavailable, "LOG_MOVED", "the log has %d entries, not %d", size, first).Fix("read its tree again")
	}
	done := make(chan error, 1)
	go func() { done <- l.append(ctx, first, leaves) }()
	select {
	case err := <-done:
		return err
	case <-l.closed:
		return unwritable(errClosed)
	}
}

func (l *Log) append(ctx context.Context, first int64, leaves []carnet.Hash) error {
	given := make([]tessera.IndexFuture, len(leaves))
	for i := range leaves {
		given[i] = l.appender.Add(ctx, tessera.NewEntry(leaves[i][:]))
	}
	var failed error
	for i, f := range given {
		at, err := f()
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
		case at.Index != uint64(first)+uint64(i):
			return carnet.E(carnet.Precondition, "LOG_DIFFERS", "the log gave entry %d the number %d", first+int64(i), at.Index).
				Fix("stop the gateway and move the log's folder away: the log is made again from the database, with the roots it had")
		}
	}
	if failed != nil {
		return unwritable(failed)
	}
	return nil
}

var errClosed = errors.New("the log is closed")

// probe tries to write to the folder. Tessera ends the process where it can't.
func (l *Log) probe() error {
	select {
	case <-l.closed:
		return errClosed
	default:
	}
	f, err := os.CreateTemp(filepath.Join(l.dir, ".state"), "probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write([]byte{1})
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// Inclusion returns the audit path of leaf number index in the tree of a size.
func (l *Log) Inclusion(ctx context.Context, index, size int64) ([]carnet.Hash, error) {
	return l.prove(ctx, size, func(b *client.ProofBuilder) ([][]byte, error) { return b.InclusionProof(ctx, uint64(index)) })
}

// Consistency proves that the tree of one size begins with that of an older one.
func (l *Log) Consistency(ctx context.Context, older, newer int64) ([]carnet.Hash, error) {
	return l.prove(ctx, newer, func(b *client.ProofBuilder) ([][]byte, error) {
		return b.ConsistencyProof(ctx, uint64(older), uint64(newer))
	})
}

func (l *Log) prove(ctx context.Context, size int64, make func(*client.ProofBuilder) ([][]byte, error)) ([]carnet.Hash, error) {
	b, err := client.NewProofBuilder(ctx, uint64(size), l.tile)
	if err != nil {
		return nil, err
	}
	path, err := make(b)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return hashes(path), nil
}

// Close waits a moment for what Tessera does in the background. Nothing is lost if it
// can't.
func (l *Log) Close() error {
	l.once.Do(func() {
		ctx, done := context.WithTimeout(context.Background(), 2*time.Second)
		defer done()
		if err := l.shutdown(ctx); err != nil {
			klog.Warningf("closing the log: %v", err)
		}
		l.cancel()
	})
	return nil
}
