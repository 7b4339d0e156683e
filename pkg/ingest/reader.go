package ingest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Reader delivers the records of one table. It is for one goroutine.
type Reader interface {
	// Name is the file's name, for messages.
	Name() string
	// Header returns the names of the columns.
	Header() []string
	// Read fills rec with the next record, reusing its slices, and returns io.EOF after
	// the last one. Other errors are *carnet.Error of kind Invalid, reasons BAD_CSV,
	// BAD_TBL and BAD_PARQUET; nothing can be read after them.
	Read(rec *schema.Record) error
	// Progress tells how much has been read, in bytes or in rows.
	Progress() (done, total int64)
	Close() error
}

// Open opens a table. Files that begin with PAR1 are Parquet; others whose name ends in
// .tbl, or .tbl and a number, are dbgen's; all others CSV.
func Open(path string) (Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	r, err := open(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

func open(path string, f *os.File) (Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fileError(path, err)
	}
	if info.IsDir() {
		return nil, carnet.E(carnet.Invalid, "NOT_A_FILE", "%s is a directory", path).Fix("name one CSV or Parquet file")
	}
	magic := make([]byte, 4)
	n, err := f.ReadAt(magic, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fileError(path, err)
	}
	if string(magic[:n]) == "PAR1" {
		return newParquet(path, f, info.Size(), f)
	}
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".parquet" || ext == ".pq" {
		return nil, badParquet(path, "the file does not begin with PAR1")
	}
	if _, ok := tblTable(path); ok {
		return newTbl(path, f, info.Size(), f)
	}
	return newCSV(path, f, info.Size(), f)
}

// NewCSV reads a CSV file from r. size is for Progress; 0 if unknown.
func NewCSV(name string, r io.Reader, size int64) (Reader, error) { return newCSV(name, r, size, nil) }

// NewParquet reads a Parquet file of size bytes from r.
func NewParquet(name string, r io.ReaderAt, size int64) (Reader, error) {
	return newParquet(name, r, size, nil)
}

func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return carnet.E(carnet.NotFound, "NO_SUCH_FILE", "there is no file %s", path).Fix("check the name and the directory you are in")
	case errors.Is(err, fs.ErrPermission):
		return carnet.E(carnet.Forbidden, "FILE_NOT_READABLE", "the file %s may not be read", path).Fix("check its permissions")
	}
	return carnet.E(carnet.Internal, "FILE_ERROR", "reading %s failed", path).Because(err)
}
