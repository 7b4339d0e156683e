package blob

import (
	"context"
	"io"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// Upload stores what r gives under key, in place of what was there. A reader of the
// object sees all of it or nothing.
func (b *Bucket) Upload(ctx context.Context, key string, r io.Reader) error {
	if err := checkKey(key); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := b.b.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel() // so that closing gives the object up
		w.Close()
		return err
	}
	return w.Close()
}

// ReadRange fills p with the bytes of an object from offset on.
func (b *Bucket) ReadRange(ctx context.Context, key string, offset int64, p []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	r, err := b.b.NewRangeReader(ctx, key, offset, int64(len(p)), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return notFound(key)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.ReadFull(r, p)
	return err
}

// Size returns the length of an object.
func (b *Bucket) Size(ctx context.Context, key string) (int64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	a, err := b.b.Attributes(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return 0, notFound(key)
	}
	if err != nil {
		return 0, err
	}
	return a.Size, nil
}
