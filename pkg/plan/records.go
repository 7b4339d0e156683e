package plan

import (
	"cmp"
	"slices"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/schema"
)

// amount is a way to write a quantity of a row: Times x 2^Shift x the product of
// columns. Without columns it is 1.
type amount struct {
	columns []schema.Column
	shift   uint
	times   int64
}

// ones is the column that is 1 in every row.
func (b *builder) ones() uint32 {
	return b.u.Encoding.Digits(schema.Atom{Kind: schema.Count})[0].ID
}

// amounts writes a need as a sum over stored columns or products of them; nil if they
// are not stored.
func (b *builder) amounts(want need) []amount {
	lists, ok := want.of.columns(b.u.Encoding)
	if !ok {
		return nil
	}
	return multiply(lists)
}

// multiply multiplies quantities digit by digit. A product that comes about in several
// ways, such as a mixed pair of a square, is there once and counts as often.
func multiply(lists [][]schema.Column) []amount {
	out := []amount{{times: 1}}
	for _, digits := range lists {
		var next []amount
		for _, m := range out {
			for _, c := range digits {
				p := amount{append(slices.Clone(m.columns), c), m.shift + c.Shift, m.times}
				slices.SortFunc(p.columns, func(x, y schema.Column) int { return cmp.Compare(x.ID, y.ID) })
				same := func(o amount) bool {
					return slices.EqualFunc(o.columns, p.columns, func(x, y schema.Column) bool { return x.ID == y.ID })
				}
				if i := slices.IndexFunc(next, same); i >= 0 {
					next[i].times += m.times
					continue
				}
				next = append(next, p)
			}
		}
		out = next
	}
	return out
}

// recordsQuantity opens a need over records.
func (b *builder) recordsQuantity(n int, p *picks) ([]Part, error) {
	amounts := b.amounts(b.needs.list[n])
	if amounts == nil {
		return nil, b.notStored(n)
	}
	var parts []Part
	for i := range amounts {
		o, err := b.openAmount(n, p, &amounts[i])
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{Opening: o, Shift: amounts[i].shift, Times: amounts[i].times})
	}
	return parts, nil
}

// openAmount opens the sum of one amount over the picked rows, at the lowest degree
// that all files allow.
func (b *builder) openAmount(n int, p *picks, m *amount) (int, error) {
	most := 0
	for i := range p.files {
		r := p.files[i].rows
		if r.weighty && !r.possible {
			return 0, b.unwritable(n)
		}
		if r.factors+len(m.columns) > b.u.Profile.MaxDegree() {
			return 0, b.tooManyFactors(n, r, len(m.columns))
		}
		most = max(most, r.factors)
	}
	f := &functional.Functional{Degree: max(1, most+len(m.columns))}
	for i := range p.files {
		t := &p.files[i]
		k := keyed(f, t.key)
		list := settle(t.rows.selectors, f.Degree-len(m.columns), b.ones())
		if f.Degree == 1 {
			k.Linear = append(k.Linear, b.linear(t, list, m)...)
		} else {
			k.Products = append(k.Products, b.products(t, list, m, f.Degree)...)
		}
	}
	return b.open(n, f, p, b.amountBounds(m, p.rows))
}

// linear lists the columns of selectors of one factor at most, or the amount's own.
func (b *builder) linear(t *pick, list []selector, m *amount) (out []functional.Linear) {
	add := func(columns []uint32, minus bool) {
		for _, c := range columns {
			out = append(out, functional.Linear{File: t.nonce, Column: c, Blocks: t.blocks, Minus: minus})
		}
	}
	for _, s := range list {
		switch {
		case len(m.columns) == 1:
			add([]uint32{m.columns[0].ID}, s.minus)
		case len(s.factors) == 0:
			add([]uint32{b.ones()}, s.minus)
		default:
			add(s.factors[0].Plus, s.minus)
			add(s.factors[0].Minus, !s.minus)
		}
	}
	return out
}

// products multiplies every selector with the amount and fills up with ones.
func (b *builder) products(t *pick, list []selector, m *amount, degree int) (out []functional.Product) {
	for _, s := range list {
		p := functional.Product{File: t.nonce, Blocks: t.blocks}
		for i := range m.columns {
			p.Factors = append(p.Factors, functional.Sum(m.columns[i].ID))
		}
		p.Factors = append(p.Factors, s.factors...)
		for len(p.Factors) < degree {
			p.Factors = append(p.Factors, functional.Sum(b.ones()))
		}
		if s.minus { // the selector has a factor: nothing is taken from all rows alone
			f := &p.Factors[len(m.columns)]
			f.Plus, f.Minus = f.Minus, f.Plus
		}
		out = append(out, p)
	}
	return out
}

// amountBounds bounds the sum of an amount over some of the rows.
func (b *builder) amountBounds(m *amount, rows int64) bounds {
	if len(m.columns) == 1 {
		lo, hi := b.u.Encoding.SumBounds(m.columns[0], rows)
		return bounds{lo, hi, rowOf(b.u.Encoding, m.columns...)}
	}
	out := productBounds(m.columns, rows)
	out.row = rowOf(b.u.Encoding, m.columns...)
	return out
}
