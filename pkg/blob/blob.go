// Package blob keeps immutable bytes: ciphertext blocks, corrections, sealed seeds
// and sealed answers. It is the only importer of gocloud.dev.
//
// The life of a block: Put writes it beside its place and renames it there, so a
// reader sees all of it or nothing; a second Put of the same bytes does nothing, of
// other bytes is refused, because an object never changes. Before a manifest that
// names the block is accepted, Sync forces the file and its directory to disk. From
// then on it is only read, and whoever reads it checks its hash.
//
// What a backend must do is written down as a test in package blobtest.
package blob

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// MaxKey bounds the length of a key.
const MaxKey = 512

// Bucket is a set of objects. It is safe for concurrent use within one process.
type Bucket struct {
	b   *blob.Bucket
	dir string // local folder, "" for other backends

	seed  maphash.Seed
	locks [64]sync.Mutex // by key, so that two Puts of one key follow each other
}

// OpenDir opens a bucket in a local folder, made if absent (mode 0700).
func OpenDir(dir string) (*Bucket, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Temporary files live beside their place: renaming across file systems fails,
	// and /tmp may be small. Attribute files would double the number of files.
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{
		NoTempDir: true, Metadata: fileblob.MetadataDontWrite, DirFileMode: 0o700,
	})
	if err != nil {
		return nil, err
	}
	return newBucket(b, dir), nil
}

func newBucket(b *blob.Bucket, dir string) *Bucket {
	return &Bucket{b: b, dir: dir, seed: maphash.MakeSeed()}
}

// Close releases the bucket.
func (b *Bucket) Close() error { return b.b.Close() }

// checkKey accepts what every backend stores under exactly that name: parts of
// [a-z0-9._-] joined by single slashes, none starting with a dot.
func checkKey(key string) error {
	ok := len(key) > 0 && len(key) <= MaxKey && path.Clean(key) == key && !strings.HasSuffix(key, ".tmp")
	for i, c := range []byte(key) {
		start := i == 0 || key[i-1] == '/'
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || !start && (c == '.' || c == '_' || c == '-' || c == '/'))
	}
	if !ok {
		return carnet.E(carnet.Internal, "BAD_BLOB_KEY", "%q is not an object key", key)
	}
	return nil
}

func notFound(key string) error {
	return carnet.E(carnet.NotFound, "NO_OBJECT", "there is no object %s", key)
}

// Put stores data under key. added is false if the same bytes were there; other
// bytes are an error of kind Exists.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) (added bool, err error) {
	if err := checkKey(key); err != nil {
		return false, err
	}
	l := &b.locks[maphash.String(b.seed, key)%uint64(len(b.locks))]
	l.Lock()
	defer l.Unlock()
	// Local folders need this check: their IfNotExist is not atomic.
	switch old, err := b.Get(ctx, key); {
	case err == nil:
		return false, same(key, old, data)
	case carnet.KindOf(err) != carnet.NotFound:
		return false, err
	}
	err = b.b.WriteAll(ctx, key, data, &blob.WriterOptions{IfNotExist: true, ContentType: "application/octet-stream"})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition { // written by another process meanwhile
		old, err := b.Get(ctx, key)
		if err != nil {
			return false, err
		}
		return false, same(key, old, data)
	}
	return err == nil, err
}

func same(key string, old, data []byte) error {
	if bytes.Equal(old, data) {
		return nil
	}
	return carnet.E(carnet.Exists, "OBJECT_DIFFERS", "object %s is there with other contents", key)
}

// Get returns the object's bytes.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	data, err := b.b.ReadAll(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, notFound(key)
	}
	return data, err
}

// Exists reports whether there is an object.
func (b *Bucket) Exists(ctx context.Context, key string) (bool, error) {
	if err := checkKey(key); err != nil {
		return false, err
	}
	return b.b.Exists(ctx, key)
}

// Delete removes the object if it is there.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := b.b.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return err
	}
	return nil
}

// List calls do for every object whose key is prefix/..., ascending by key. It stops
// at the first error.
func (b *Bucket) List(ctx context.Context, prefix string, do func(key string, size int64) error) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	it := b.b.List(&blob.ListOptions{Prefix: prefix + "/"})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if strings.HasSuffix(o.Key, ".tmp") { // left over from a crash while writing
			continue
		}
		if err := do(o.Key, o.Size); err != nil {
			return err
		}
	}
}

// DeletePrefix removes every object whose key is prefix/... .
func (b *Bucket) DeletePrefix(ctx context.Context, prefix string) error {
	if b.dir != "" {
		if err := checkKey(prefix); err != nil {
			return err
		}
		return os.RemoveAll(filepath.Join(b.dir, filepath.FromSlash(prefix)))
	}
	return b.List(ctx, prefix, func(key string, _ int64) error { return b.Delete(ctx, key) })
}

// Sync forces every object under prefix, and the names that lead to it, to disk.
// Object stores need nothing: a finished write is durable there. The error is of kind
// NotFound if there is no object.
func (b *Bucket) Sync(ctx context.Context, prefix string) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	if b.dir == "" {
		_, err := b.b.List(&blob.ListOptions{Prefix: prefix + "/"}).Next(ctx)
		if errors.Is(err, io.EOF) {
			return notFound(prefix)
		}
		return err
	}
	root := filepath.Join(b.dir, filepath.FromSlash(prefix))
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if strings.HasSuffix(p, ".tmp") { // somebody else is writing it; it is gone once it is an object
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return syncPath(p)
	})
	if errors.Is(err, os.ErrNotExist) {
		return notFound(prefix)
	}
	if err != nil {
		return err
	}
	for p := filepath.Dir(root); len(p) >= len(filepath.Clean(b.dir)); p = filepath.Dir(p) {
		if err := syncPath(p); err != nil {
			return err
		}
		if p == filepath.Dir(p) {
			break
		}
	}
	return nil
}

func syncPath(p string) error {
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
