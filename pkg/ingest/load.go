package ingest

import (
	"context"
	"errors"
	"io"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Options of Load. The zero value is fine.
type Options struct {
	MaxErrors int                     // report at most this many bad rows; 0 = 20
	Progress  func(done, total int64) // called now and then, and at the end; may be nil
}

// Report tells what Load did besides adding rows.
type Report struct {
	Rows    int64
	Unused  []string         // headers that the schema does not use
	Clipped map[string]int64 // per measure: values outside its bounds, stored as the nearest bound
}

// Load reads a whole file into tables. Bad rows are collected up to MaxErrors, so that
// they can be repaired together; if there is one, the result is an error of kind
// Invalid, reason BAD_ROWS, with all their violations, and no tables.
func Load(ctx context.Context, path string, e *schema.Encoding, opt Options) (*schema.Tables, *Report, error) {
	r, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = r.Close() }() // only read from
	return LoadFrom(ctx, r, e, opt)
}

// LoadFrom is Load for an open Reader, which it does not close.
func LoadFrom(ctx context.Context, r Reader, e *schema.Encoding, opt Options) (*schema.Tables, *Report, error) {
	b, err := e.Schema().Bind(r.Name(), r.Header())
	if err != nil {
		return nil, nil, err
	}
	l := &loader{r: r, b: b, tables: e.NewTables(), most: opt.MaxErrors}
	if l.most <= 0 {
		l.most = 20
	}
	progress := opt.Progress
	if progress == nil {
		progress = func(int64, int64) {}
	}
	for n := 0; ; n++ {
		if n%4096 == 0 {
			progress(r.Progress())
			if err := ctx.Err(); err != nil {
				return nil, nil, carnet.E(carnet.Canceled, "CANCELED", "reading %s was cancelled", r.Name()).Because(err)
			}
		}
		if err := l.step(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, err
		}
	}
	progress(r.Progress())
	if l.bad != nil {
		return nil, nil, l.bad
	}
	return l.tables, &Report{l.tables.Rows(), b.Unused(), b.Clipped()}, nil
}

type loader struct {
	r      Reader
	b      *schema.Binder
	tables *schema.Tables
	rec    schema.Record
	row    schema.Row
	bad    *carnet.Error
	rows   int // bad ones
	most   int
}

// step reads one record. It returns an error only if it makes no sense to go on.
func (l *loader) step() error {
	if err := l.r.Read(&l.rec); err != nil {
		return err
	}
	err := l.b.Row(&l.rec, &l.row)
	if err == nil {
		err = l.tables.Add(&l.row)
	}
	if err == nil {
		return nil
	}
	var e *carnet.Error
	if !errors.As(err, &e) || e.Reason != "BAD_ROW" {
		return err
	}
	if l.bad == nil {
		l.bad = carnet.E(carnet.Invalid, "BAD_ROWS", "%s has rows that do not fit the schema", l.r.Name()).
			Fix("correct them, or exclude them from the file; nothing was published")
	}
	l.bad.Violations = append(l.bad.Violations, e.Violations...)
	if l.rows++; l.rows >= l.most {
		return l.bad
	}
	return nil
}
