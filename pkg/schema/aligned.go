package schema

import (
	"slices"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// aligned keeps the rows of a schema whose slots are combinations of codes: slot c holds
// the row with the codes of cell c, and zeros if there is none. Files of several owners
// then belong together slot by slot.
type aligned struct {
	records
	cells []uint32 // of the rows, in the order in which they came
	taken bitset   // by cell

	once  sync.Once
	order []int // rows by cell, ascending
}

func newAligned(e *Encoding, hint int64) *aligned {
	return &aligned{records: *newRecords(e, hint), taken: make(bitset, (e.Cells+63)/64)}
}

// check refuses a second row with the same codes: it would need the slot of the first.
func (t *aligned) check(r *Row) error {
	if t.taken.get(int(t.enc.Cell(r.Dims))) == 1 {
		return carnet.E(carnet.Invalid, "BAD_ROW", "a row with the same codes is there already, and an aligned schema has one row for each combination").
			Fix("add up the rows of a combination first, or leave aligned out of a new version of the schema")
	}
	return nil
}

func (t *aligned) add(r *Row) {
	cell := t.enc.Cell(r.Dims)
	t.taken[cell>>6] |= 1 << (cell & 63)
	t.cells = append(t.cells, cell)
	t.records.add(r)
}

func (t *aligned) fill(c *Column, block int, out []uint64) int {
	t.once.Do(func() {
		t.order = make([]int, len(t.cells))
		for i := range t.order {
			t.order[i] = i
		}
		slices.SortFunc(t.order, func(a, b int) int { return int(t.cells[a]) - int(t.cells[b]) })
	})
	from := block * len(out)
	n := min(len(out), t.enc.Cells-from)
	if n <= 0 {
		return 0
	}
	out = out[:n]
	clear(out)
	at, _ := slices.BinarySearchFunc(t.order, from, func(row, cell int) int { return int(t.cells[row]) - cell })
	for ; at < len(t.order) && int(t.cells[t.order[at]]) < from+n; at++ {
		row := t.order[at]
		t.values(c, row, out[int(t.cells[row])-from:][:1])
	}
	return n
}

// checkAligned checks a schema whose slots are combinations of codes.
func (s *Schema) checkAligned(c *checker) {
	if !s.Aligned {
		return
	}
	if !s.Offers(carnet.LayoutRecords) && len(s.Layouts) > 0 {
		c.add("aligned", "aligned matters in the records layout only; remove it, or add records to layouts")
	}
	if len(s.Dimensions) == 0 {
		c.add("aligned", "rows are aligned by their codes, and there is no dimension; add one, or remove aligned")
	}
	for i := range s.Dimensions {
		if s.Dimensions[i].Nullable {
			c.add("aligned", "rows are joined by their codes, and NULL is equal to nothing; give dimension %s a code for it, or remove aligned", s.Dimensions[i].Name)
		}
	}
}
