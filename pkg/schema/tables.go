package schema

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Tables collects the rows of one dataset: one Builder for each combination of
// partition values. It is for one goroutine.
type Tables struct {
	enc      *Encoding
	rows     int64
	builders map[string]*Builder
	last     *Builder // rows of one partition often follow each other
}

// NewTables returns an empty dataset. Without partitions it has exactly one file,
// even with no rows.
func (e *Encoding) NewTables() *Tables {
	t := &Tables{enc: e, builders: map[string]*Builder{}}
	if len(e.schema.Partitions) == 0 {
		if b, err := e.NewBuilder(nil, 0); err == nil { // fails for wrong partition values only
			t.builders[""] = b
		}
	}
	return t
}

// Add adds a row to the file of its partition. Errors are those of Builder.Add, with
// the limit on rows counted over all files, and TOO_MANY_FILES.
func (t *Tables) Add(r *Row) error {
	if t.rows >= t.enc.schema.Limits.Rows {
		return tooManyRows(t.enc.schema)
	}
	b := t.last
	if b == nil || !slices.Equal(b.partition, r.Partition) {
		var err error
		if b, err = t.builder(r.Partition); err != nil {
			return err
		}
	}
	if err := b.Add(r); err != nil {
		if b.rows == 0 && len(r.Partition) > 0 {
			delete(t.builders, key(r.Partition)) // a refused row leaves no empty file behind
		}
		return err
	}
	t.last = b
	t.rows++
	return nil
}

func (t *Tables) builder(partition []string) (*Builder, error) {
	if b, ok := t.builders[key(partition)]; ok {
		return b, nil
	}
	if len(t.builders) >= MaxFiles {
		return nil, carnet.E(carnet.Invalid, "TOO_MANY_FILES", "the dataset has more than %d combinations of partition values", MaxFiles).
			Fix("use a coarser partition, or split the data into several datasets")
	}
	b, err := t.enc.NewBuilder(partition, 0)
	if err != nil {
		return nil, err
	}
	t.builders[key(partition)] = b
	return b, nil
}

// key joins partition values, which have no control characters.
func key(partition []string) string { return strings.Join(partition, "\x00") }

// Rows is the number of rows in all files.
func (t *Tables) Rows() int64 { return t.rows }

// Builders returns the files in ascending order of their partition values.
func (t *Tables) Builders() []*Builder {
	list := make([]*Builder, 0, len(t.builders))
	for _, b := range t.builders {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b *Builder) int { return slices.Compare(a.partition, b.partition) })
	return list
}
