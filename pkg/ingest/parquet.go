package ingest

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// parquetReader reads flat Parquet files, one row group after the other.
type parquetReader struct {
	name    string
	closer  io.Closer
	file    *parquet.File
	header  []string
	texts   []textFunc
	groups  []parquet.RowGroup
	rows    parquet.Rows // of the current row group
	buf     []parquet.Row
	pending []parquet.Row // read, not delivered
	row     int64         // delivered
}

func newParquet(name string, r io.ReaderAt, size int64, closer io.Closer) (_ *parquetReader, err error) {
	defer guard(name, &err)
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, badParquet(name, "the file can't be opened").Because(err)
	}
	p := &parquetReader{name: name, closer: closer, file: f, groups: f.RowGroups(), buf: make([]parquet.Row, 256)}
	for _, field := range f.Schema().Fields() {
		if !field.Leaf() || field.Repeated() {
			return nil, badParquet(name, "column %q is nested or repeated", field.Name()).
				Fix("export a flat table: one value per column and row")
		}
		p.header = append(p.header, field.Name())
		p.texts = append(p.texts, textOf(field.Type()))
	}
	if len(p.header) == 0 {
		return nil, badParquet(name, "the file has no columns")
	}
	return p, nil
}

func (p *parquetReader) Name() string                  { return p.name }
func (p *parquetReader) Header() []string              { return p.header }
func (p *parquetReader) Progress() (done, total int64) { return p.row, max(p.row, p.file.NumRows()) }

func (p *parquetReader) Close() error {
	var err error
	if p.rows != nil {
		err = p.rows.Close()
	}
	if p.closer != nil {
		err = errors.Join(err, p.closer.Close())
	}
	return err
}

func (p *parquetReader) Read(rec *schema.Record) (err error) {
	defer guard(p.name, &err)
	for len(p.pending) == 0 {
		if err := p.more(); err != nil {
			return err
		}
	}
	values := p.pending[0]
	p.pending = p.pending[1:]
	p.row++
	n := len(p.header)
	rec.Fields, rec.Null, rec.At, rec.Line = resize(rec.Fields, n), resize(rec.Null, n), nil, int(p.row)
	if len(values) != n {
		return badParquet(p.name, "row %d has %d values, the schema has %d columns", p.row, len(values), n)
	}
	for _, v := range values {
		i := v.Column()
		if i < 0 || i >= n {
			return badParquet(p.name, "row %d has a value outside the schema", p.row)
		}
		if rec.Null[i] = v.IsNull(); rec.Null[i] {
			rec.Fields[i] = ""
		} else {
			rec.Fields[i] = p.texts[i](v)
		}
	}
	return nil
}

// more reads the next rows, opening row groups as needed. It returns io.EOF at the
// end of the file; without an error there may still be no rows.
func (p *parquetReader) more() error {
	if p.rows == nil {
		switch {
		case len(p.groups) > 0:
		case p.row != p.file.NumRows():
			return badParquet(p.name, "the file says it has %d rows, it has %d", p.file.NumRows(), p.row)
		default:
			return io.EOF
		}
		p.rows, p.groups = p.groups[0].Rows(), p.groups[1:]
	}
	n, err := p.rows.ReadRows(p.buf)
	p.pending = p.buf[:n]
	if errors.Is(err, io.EOF) || err == nil && n == 0 {
		err, p.rows = p.rows.Close(), nil
	}
	if err != nil {
		return badParquet(p.name, "rows after row %d can't be read", p.row).Because(err)
	}
	return nil
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// guard turns a panic of the Parquet library over a damaged file into an error.
func guard(name string, err *error) {
	if r := recover(); r != nil {
		text := fmt.Sprint(r)
		text, _, _ = strings.Cut(text, "\n")
		*err = badParquet(name, "the file is damaged: %s", text)
	}
}

func badParquet(name, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, "BAD_PARQUET", "%s is not a Parquet file that can be read: %s", name, fmt.Sprintf(format, args...)).
		Fix("write it again with a current tool, or convert it to CSV")
}
