// Package columnstore keeps column files in a local folder: one file for each column
// of a file version, at <nonce>/<column>, and what whole columns add to linear sums, at
// constants/<nonce>/<column>.
//
// The life of a column file: pieces are written to their places while the table is
// uploaded, in any order; Seal adds the hashes and forces everything before
// the manifest is accepted; from then on the file is only read. It is kept raw, mapped
// into memory and read where it lies, or packed, in the folder or in a bucket, and
// unpacked on demand into memory that a setting bounds. Whatever is read is compared with its hash: from a
// bucket every time, from a disk the first time since the file was opened.
package columnstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/carnet-network/carnet/internal/lease"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// Options say how column files are kept. The zero value is raw and mapped.
type Options struct {
	Form   columnfile.Form // of new files, default Raw; others stay as they are
	Memory int64           // bytes of unpacked words that are kept; default 1 GiB
	Cold   Objects         // where packed files go once they are complete; nil: they stay
	NoMap  bool            // read raw files into memory, as machines without mappings do
}

const (
	openColumns = 4096 // column files open or mapped at a time, unless more are in use
	openUploads = 256  // column files open for writing
)

// Store is safe for concurrent use within one process.
type Store struct {
	dir     string
	form    columnfile.Form
	mapping bool
	objects Objects
	columns *lease.Cache[columnKey, *column]
	words   *lease.Cache[limbKey, []uint64]
	uploads *lease.Cache[columnKey, *upload]
}

type columnKey struct {
	nonce  carnet.Nonce
	column uint32
}

type limbKey struct {
	columnKey
	limb, chunk uint32
}

// Open uses a folder, made if absent (mode 0700).
func Open(dir string, o Options) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if o.Form == 0 {
		o.Form = columnfile.Raw
	}
	if o.Memory <= 0 {
		o.Memory = 1 << 30
	}
	return &Store{
		dir: dir, form: o.Form, mapping: canMap && !o.NoMap, objects: o.Cold,
		columns: lease.New[columnKey](openColumns, (*column).close),
		words:   lease.New[limbKey, []uint64](o.Memory, nil),
		uploads: lease.New[columnKey](openUploads, func(u *upload) { u.Close() }),
	}, nil
}

// Close releases everything that is not in use.
func (s *Store) Close() error {
	s.words.Forget(func(limbKey) bool { return true })
	s.columns.Forget(func(columnKey) bool { return true })
	s.uploads.Forget(func(columnKey) bool { return true })
	return nil
}

// Bytes returns how much is stored for a new file.
func (s *Store) Bytes(f *columnfile.File) (n int64) {
	for c := range f.Columns() {
		n += f.Size(uint32(c), s.form)
	}
	return n
}

func (s *Store) folder(n carnet.Nonce) string { return filepath.Join(s.dir, n.String()) }

func (s *Store) path(k columnKey) string {
	return filepath.Join(s.folder(k.nonce), strconv.FormatUint(uint64(k.column), 10))
}

// Write puts the words of a piece in their place. A piece may be written again.
func (s *Store) Write(ctx context.Context, f *columnfile.File, p columnfile.Piece, words []uint64) error {
	file, release, err := s.upload(ctx, f, p.Column)
	if err != nil {
		return err
	}
	defer release()
	data := columnfile.Bytes(words)
	if file.form == columnfile.Packed {
		data = f.Pack(words)
	}
	_, err = file.WriteAt(data, f.Offset(p, file.form))
	return err
}

// upload is a column file that pieces are written to.
type upload struct {
	*os.File
	form columnfile.Form
}

// upload opens a column file for writing, at its full length. A file that is there
// keeps its form.
func (s *Store) upload(ctx context.Context, f *columnfile.File, column uint32) (*upload, func(), error) {
	key := columnKey{f.Nonce(), column}
	return s.uploads.Get(ctx, key, func(context.Context) (*upload, int64, error) {
		if err := os.MkdirAll(s.folder(key.nonce), 0o700); err != nil {
			return nil, 0, err
		}
		file, err := os.OpenFile(s.path(key), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, 0, err
		}
		u := &upload{file, s.form}
		if err := u.prepare(f, column); err != nil {
			file.Close()
			return nil, 0, err
		}
		return u, 1, nil
	})
}

func (u *upload) prepare(f *columnfile.File, column uint32) error {
	header := make([]byte, columnfile.HeaderBytes)
	if _, err := u.ReadAt(header, 0); err == nil && f.CheckHeader(header, column, columnfile.FormOf(header)) == nil {
		u.form = columnfile.FormOf(header)
	} else if _, err := u.WriteAt(f.AppendHeader(nil, column, u.form), 0); err != nil {
		return err
	}
	return u.Truncate(f.Size(column, u.form))
}

// Holds reports whether a piece that was written is there with its hash. After a
// power failure it may not be.
func (s *Store) Holds(ctx context.Context, f *columnfile.File, p columnfile.Piece, hash carnet.Hash) (bool, error) {
	if _, err := os.Stat(s.path(columnKey{f.Nonce(), p.Column})); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		return false, err
	}
	file, release, err := s.upload(ctx, f, p.Column)
	if err != nil {
		return false, err
	}
	defer release()
	data := make([]byte, f.PieceBytes(int(p.Chunk), file.form))
	if _, err := file.ReadAt(data, f.Offset(p, file.form)); err != nil {
		return false, err
	}
	words := make([]uint64, f.PieceWords(int(p.Chunk)))
	return decode(f, p, file.form, data, words) == nil && columnfile.HashPiece(words) == hash, nil
}

// decode sets words from the stored form of a piece.
func decode(f *columnfile.File, p columnfile.Piece, form columnfile.Form, data []byte, words []uint64) error {
	if form == columnfile.Packed {
		return f.Unpack(p, data, words)
	}
	columnfile.Copy(words, data)
	return nil
}

// Seal completes the column files of a file all of whose pieces, in the order that
// columnfile.RootOf takes their hashes, were written, and forces them and the names
// that lead to them to disk. It may be repeated.
func (s *Store) Seal(ctx context.Context, f *columnfile.File, pieces []carnet.Hash) error {
	tree := f.ColumnTree(pieces)
	for c := range uint32(f.Columns()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		hashes := pieces[int(c)*f.Leaves() : (int(c)+1)*f.Leaves()]
		if err := s.seal(ctx, f, c, f.AppendTrailer(nil, c, hashes, tree)); err != nil {
			return err
		}
	}
	s.uploads.Forget(func(k columnKey) bool { return k.nonce == f.Nonce() })
	return errors.Join(syncDir(s.folder(f.Nonce())), syncDir(s.dir), syncDir(filepath.Dir(s.dir)))
}

func (s *Store) seal(ctx context.Context, f *columnfile.File, column uint32, trailer []byte) error {
	file, release, err := s.upload(ctx, f, column)
	if err != nil {
		return err
	}
	defer release()
	if _, err := file.WriteAt(f.AppendHeader(nil, column, file.form), 0); err != nil {
		return err
	}
	if _, err := file.WriteAt(trailer, f.TrailerOffset(file.form)); err != nil {
		return err
	}
	return file.Sync()
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Remove deletes everything of a file version.
func (s *Store) Remove(ctx context.Context, nonce carnet.Nonce) error {
	s.words.Forget(func(k limbKey) bool { return k.nonce == nonce })
	s.columns.Forget(func(k columnKey) bool { return k.nonce == nonce })
	s.uploads.Forget(func(k columnKey) bool { return k.nonce == nonce })
	if s.objects != nil {
		if err := s.objects.DeletePrefix(ctx, prefix(nonce)); err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(s.constants(nonce)), os.RemoveAll(s.folder(nonce)))
}
