package ingest

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// defaultErrors is how many bad rows are described where Options does not say.
const defaultErrors = 1000

// Options of Load. The zero value is fine.
type Options struct {
	MaxErrors int                     // describe at most this many bad rows; 0 = 1000
	Progress  func(done, total int64) // called now and then for each input, and at its end; may be nil
	Row       func(*schema.Row)       // called with each row that was taken; may be nil
}

// Table is inputs that were read into the shape of a schema. Use it only if Refused
// says nothing.
type Table struct {
	Tables  *schema.Tables
	Read    int64            // rows
	Bad     int64            // rows that do not fit the schema
	Unused  []string         // headers that the schema does not use, each once
	Clipped map[string]int64 // per measure: values outside its bounds, stored as the nearest bound

	opt    Options
	schema *schema.Schema
	faults []carnet.Violation // of the first bad rows
}

// NewTable returns a Table without rows.
func NewTable(e *schema.Encoding, opt Options) *Table {
	if opt.MaxErrors <= 0 {
		opt.MaxErrors = defaultErrors
	}
	if opt.Progress == nil {
		opt.Progress = func(int64, int64) {}
	}
	return &Table{Tables: e.NewTables(), Clipped: map[string]int64{}, opt: opt, schema: e.Schema()}
}

// Load reads whole files into a Table. Bad rows are not errors of Load: they are counted
// to the last one, so that the size of a problem is known, and can be repaired together.
func Load(ctx context.Context, e *schema.Encoding, opt Options, paths ...string) (*Table, error) {
	t := NewTable(e, opt)
	for _, path := range paths {
		if err := t.load(ctx, path); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Table) load(ctx context.Context, path string) error {
	r, err := Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // only read from
	return t.Add(ctx, r)
}

// Add reads an input to its end.
func (t *Table) Add(ctx context.Context, r Reader) error {
	b, err := t.schema.Bind(r.Name(), r.Header())
	if err != nil {
		return err
	}
	var rec schema.Record
	var row schema.Row
	for n := 0; ; n++ {
		if n%4096 == 0 {
			t.opt.Progress(r.Progress())
			if err := ctx.Err(); err != nil {
				return carnet.E(carnet.Canceled, "CANCELED", "reading %s was cancelled", r.Name()).Because(err)
			}
		}
		err := r.Read(&rec)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		t.Read++
		if err = b.Row(&rec, &row); err == nil {
			if err = t.Tables.Add(&row); err == nil && t.opt.Row != nil {
				t.opt.Row(&row)
			}
		}
		if err := t.fault(err); err != nil {
			return err
		}
	}
	t.opt.Progress(r.Progress())
	for m, n := range b.Clipped() {
		t.Clipped[m] += n
	}
	for _, name := range b.Unused() {
		if !slices.Contains(t.Unused, name) {
			t.Unused = append(t.Unused, name)
		}
	}
	return nil
}

// fault notes what is wrong with one row; other errors end the reading.
func (t *Table) fault(err error) error {
	var e *carnet.Error
	if err == nil || !errors.As(err, &e) || e.Reason != "BAD_ROW" {
		return err
	}
	if t.Bad++; t.Bad <= int64(t.opt.MaxErrors) {
		t.faults = append(t.faults, e.Violations...)
	}
	return nil
}

// Refused is the error of a table without rows (NO_ROWS) or with bad ones (BAD_ROWS, kind
// Invalid, with their violations): nothing of it is published.
func (t *Table) Refused() error {
	switch {
	case t.Read == 0:
		return carnet.E(carnet.Invalid, "NO_ROWS", "the table has no rows").Fix("check that the file has more than its header")
	case t.Bad == 0:
		return nil
	}
	e := carnet.E(carnet.Invalid, "BAD_ROWS", "%d of %d rows do not fit the schema", t.Bad, t.Read).
		Fix("correct them and try again; nothing was published")
	e.Violations = t.faults
	return e
}
