package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ingest"
	"github.com/carnet-network/carnet/pkg/schema"
)

// table is an input read into the shape of its schema.
type table struct {
	encoding   *schema.Encoding
	tables     *schema.Tables
	read, bad  int64
	clipped    map[string]int64
	unused     []string
	violations []carnet.Violation
}

// maxFaults is how many faults of an input are kept for printing. Rows are counted
// to the end, so that the size of a problem is known.
const maxFaults = 1000

// loadTable reads every input. Faults of single rows are collected, not returned.
func loadTable(ctx context.Context, s *schema.Schema, layout carnet.Layout, inputs []string) (*table, error) {
	enc, err := s.Encode(layout)
	if err != nil {
		return nil, err
	}
	t := &table{encoding: enc, tables: enc.NewTables(), clipped: map[string]int64{}}
	for _, file := range inputs {
		if err := t.load(ctx, s, file); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *table) load(ctx context.Context, s *schema.Schema, file string) error {
	r, err := ingest.Open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := s.Bind(r.Name(), r.Header())
	if err != nil {
		return err
	}
	var rec schema.Record
	var row schema.Row
	for {
		err := r.Read(&rec)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if t.read++; t.read%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := b.Row(&rec, &row); err != nil {
			if err := t.fault(err); err != nil {
				return err
			}
			continue
		}
		if err := t.tables.Add(&row); err != nil {
			if err := t.fault(err); err != nil {
				return err
			}
		}
	}
	for m, n := range b.Clipped() {
		t.clipped[m] += n
	}
	for _, name := range b.Unused() { // once, though every file has it
		if !slices.Contains(t.unused, name) {
			t.unused = append(t.unused, name)
		}
	}
	return nil
}

// fault notes what is wrong with one row; other errors end the reading.
func (t *table) fault(err error) error {
	var e *carnet.Error
	if !errors.As(err, &e) || e.Reason != "BAD_ROW" {
		return err
	}
	t.bad++
	if len(t.violations) < maxFaults {
		t.violations = append(t.violations, e.Violations...)
	}
	return nil
}

// refused is the error of a table with bad rows, or none: nothing of it is published.
func (t *table) refused() error {
	if t.read == 0 {
		return carnet.E(carnet.Invalid, "NO_ROWS", "the table has no rows").Fix("check that the file has more than its header")
	}
	if t.bad == 0 {
		return nil
	}
	e := carnet.E(carnet.Invalid, "BAD_ROWS", "%d of %d rows do not fit the schema", t.bad, t.read).
		Fix("correct them and try again; nothing was published")
	e.Violations = t.violations
	return e
}

// clipping tells which values were changed, since that changes answers.
func (t *table) clipping(a *app) {
	for _, m := range slices.Sorted(maps.Keys(t.clipped)) {
		a.printf("clipped: %s of %s outside its bounds\n", plural(int(t.clipped[m]), "value"), m)
	}
}

func partitionText(p map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(p)) {
		out = append(out, fmt.Sprintf("%s=%s", k, p[k]))
	}
	return strings.Join(out, " ")
}
