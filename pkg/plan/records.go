package plan

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
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

// amounts writes a need as a sum over stored columns or products of two of them; nil
// if it is not stored.
func (b *builder) amounts(want need) []amount {
	if want.atom.Kind == schema.Count {
		return []amount{{times: 1}}
	}
	if columns := b.u.Encoding.Digits(want.atom); columns != nil && want.where == "" {
		var list []amount
		for _, c := range columns {
			list = append(list, amount{[]schema.Column{c}, c.Shift, 1})
		}
		return list
	}
	left, right, ok := factorsOf(b.u.Encoding, want)
	if !ok {
		return nil
	}
	return multiply(left, right, left[0].ID == right[0].ID)
}

// factorsOf returns the columns of the two quantities that a need is the product of.
func factorsOf(e *schema.Encoding, want need) (left, right []schema.Column, ok bool) {
	if e.Layout != carnet.LayoutRecords {
		return nil, nil, false
	}
	a := want.atom
	x, y := schema.Atom{Kind: schema.Sum, X: a.X}, schema.Atom{Kind: schema.Sum, X: a.Y}
	switch {
	case want.where != "":
		x, y = a, schema.Atom{Kind: schema.NotNull, X: want.where}
	case a.Kind == schema.Square:
		y = x
	case a.Kind == schema.NotNull && a.Y != "":
		x, y = schema.Atom{Kind: schema.NotNull, X: a.X}, schema.Atom{Kind: schema.NotNull, X: a.Y}
	case a.Kind != schema.Product:
		return nil, nil, false
	}
	left, right = e.Digits(x), e.Digits(y)
	return left, right, left != nil && right != nil
}

// multiply multiplies two quantities digit by digit; of a square each mixed pair is
// there once and counts twice.
func multiply(left, right []schema.Column, square bool) []amount {
	var list []amount
	for i, x := range left {
		for j, y := range right {
			if square && j < i {
				continue
			}
			m := amount{[]schema.Column{x, y}, x.Shift + y.Shift, 1}
			if square && i != j {
				m.times = 2
			}
			list = append(list, m)
		}
	}
	return list
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
	switch len(m.columns) {
	case 0:
		return bounds{new(big.Int), big.NewInt(rows)}
	case 1:
		lo, hi := b.u.Encoding.SumBounds(m.columns[0], rows)
		return bounds{lo, hi}
	}
	return productBounds(&m.columns[0], &m.columns[1], rows)
}
