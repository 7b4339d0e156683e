package columnstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// Objects is a bucket that sealed packed column files are moved to.
type Objects interface {
	// Upload stores what r gives, in place of what was there, all or nothing.
	Upload(ctx context.Context, key string, r io.Reader) error
	// ReadRange fills p from an offset on. Both it and Size return an error of kind
	// NotFound if there is no such object.
	ReadRange(ctx context.Context, key string, offset int64, p []byte) error
	Size(ctx context.Context, key string) (int64, error)
	DeletePrefix(ctx context.Context, prefix string) error
	// Sync makes everything under a prefix durable.
	Sync(ctx context.Context, prefix string) error
}

// source is where the bytes of a sealed column file come from.
type source interface {
	size(ctx context.Context) (int64, error)
	readAt(ctx context.Context, p []byte, offset int64) error
	close()
	String() string
}

type fileSource struct{ *os.File }

func (f fileSource) size(context.Context) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f fileSource) readAt(_ context.Context, p []byte, offset int64) error {
	_, err := f.ReadAt(p, offset)
	return err
}

func (f fileSource) close()         { f.Close() }
func (f fileSource) String() string { return f.Name() }

type objectSource struct {
	objects Objects
	key     string
}

func (o objectSource) size(ctx context.Context) (int64, error) { return o.objects.Size(ctx, o.key) }

func (o objectSource) readAt(ctx context.Context, p []byte, offset int64) error {
	return o.objects.ReadRange(ctx, o.key, offset, p)
}

func (o objectSource) close()         {}
func (o objectSource) String() string { return "object " + o.key }

func prefix(n carnet.Nonce) string { return "columns/" + n.String() }

func objectKey(k columnKey) string { return fmt.Sprintf("%s/%d", prefix(k.nonce), k.column) }

// source finds a column file: in the folder, else in the bucket. It is nil if there is
// none.
func (s *Store) source(k columnKey) (source, error) {
	f, err := os.Open(s.path(k))
	switch {
	case err == nil:
		return fileSource{f}, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	case s.objects != nil:
		return objectSource{s.objects, objectKey(k)}, nil
	}
	return nil, nil
}

// Settle moves the packed column files of a file whose manifest was accepted from the
// folder to the bucket, if there is one. It may be repeated, and does nothing for a
// file that was moved before.
func (s *Store) Settle(ctx context.Context, nonce carnet.Nonce) error {
	if s.objects == nil {
		return nil
	}
	list, err := os.ReadDir(s.folder(nonce))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range list {
		packed, err := isPacked(filepath.Join(s.folder(nonce), e.Name()))
		if err != nil {
			return err
		}
		if !packed { // raw files stay where they can be mapped
			return nil
		}
	}
	for _, e := range list {
		if err := s.move(ctx, filepath.Join(s.folder(nonce), e.Name()), prefix(nonce)+"/"+e.Name()); err != nil {
			return err
		}
	}
	if err := s.objects.Sync(ctx, prefix(nonce)); err != nil {
		return err
	}
	// From here on columns are opened from the bucket. Those that are open stay readable.
	if err := os.RemoveAll(s.folder(nonce)); err != nil {
		return err
	}
	s.columns.Forget(func(k columnKey) bool { return k.nonce == nonce })
	return nil
}

// isPacked reports whether a file in the folder is a packed column file.
func isPacked(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	header := make([]byte, columnfile.HeaderBytes)
	if _, err := io.ReadFull(f, header); err != nil {
		return false, nil // not a column file; it stays
	}
	return columnfile.FormOf(header) == columnfile.Packed, nil
}

func (s *Store) move(ctx context.Context, from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.objects.Upload(ctx, to, f)
}
