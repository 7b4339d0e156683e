package plan

import (
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/schema"
)

// rowSet says which rows of a file are selected: those with the fixed codes, from
// the region.
type rowSet struct {
	fixed  []side // one code each, of the dimensions grouped by
	region *region
	boxes  []box // see split
}

// dims names the dimensions that indicator columns are needed of.
func (r *rowSet) dims() []int {
	var list []int
	for _, f := range r.fixed {
		list = append(list, f.dim)
	}
	for _, a := range r.region.axes {
		list = append(list, a.dim)
	}
	return list
}

// split writes the set as disjoint products of at most two sums of indicators; nil
// if that is not possible.
func (r *rowSet) split() []box {
	switch {
	case len(r.fixed) == 0:
		return r.region.split()
	case len(r.fixed) == 1 && len(r.region.axes) == 0:
		return []box{{a: &r.fixed[0]}}
	case len(r.fixed) == 1 && len(r.region.axes) == 1:
		return []box{{a: &r.fixed[0], b: &side{r.region.axes[0].dim, r.region.chosen()}}}
	case len(r.fixed) == 2 && len(r.region.axes) == 0:
		return []box{{a: &r.fixed[0], b: &r.fixed[1]}}
	}
	return nil
}

// indicators lists the columns of a side; all rows are the column of ones.
func (b *builder) indicators(s *side) []uint32 {
	if s == nil {
		return []uint32{b.ones()}
	}
	list := make([]uint32, 0, len(s.codes))
	for _, code := range s.codes {
		c, _ := b.u.Encoding.Indicator(s.dim, code)
		list = append(list, c.ID)
	}
	slices.Sort(list)
	return list
}

// ones is the column that is 1 in every row.
func (b *builder) ones() uint32 {
	return b.u.Encoding.Digits(schema.Atom{Kind: schema.Count})[0].ID
}

// recordsQuantity opens a need over records.
func (b *builder) recordsQuantity(n int, p *picks) ([]Part, error) {
	a := b.needs.list[n].atom
	if a.Kind == schema.Count {
		return b.countRows(n, p)
	}
	if columns := b.u.Encoding.Digits(a); columns != nil {
		return b.sumColumns(n, p, columns)
	}
	x, y := a, a
	switch a.Kind {
	case schema.Square:
		x, y = schema.Atom{Kind: schema.Sum, X: a.X}, schema.Atom{Kind: schema.Sum, X: a.X}
	case schema.Product:
		x, y = schema.Atom{Kind: schema.Sum, X: a.X}, schema.Atom{Kind: schema.Sum, X: a.Y}
	case schema.NotNull:
		x, y = schema.Atom{Kind: schema.NotNull, X: a.X}, schema.Atom{Kind: schema.NotNull, X: a.Y}
	}
	left, right := b.u.Encoding.Digits(x), b.u.Encoding.Digits(y)
	if left == nil || right == nil {
		return nil, b.notStored(n)
	}
	return b.multiply(n, p, left, right, x == y)
}

// countRows adds up indicators: of one dimension linearly, of two as products.
func (b *builder) countRows(n int, p *picks) ([]Part, error) {
	degree := 1
	for i := range p.files {
		r := p.files[i].rows
		if r.boxes == nil {
			return nil, b.tooManyFactors(n, r, 0)
		}
		for _, x := range r.boxes {
			if x.b != nil {
				degree = 2
			}
		}
	}
	f := &functional.Functional{Degree: degree}
	for i := range p.files {
		t := &p.files[i]
		k := keyed(f, t.key)
		for _, x := range t.rows.boxes {
			if degree == 2 {
				k.Products = append(k.Products, functional.Product{File: t.nonce, Blocks: t.blocks, Factors: []functional.Factor{functional.Sum(b.indicators(x.a)...), functional.Sum(b.indicators(x.b)...)}})
				continue
			}
			for _, c := range b.indicators(x.a) {
				k.Linear = append(k.Linear, functional.Linear{File: t.nonce, Column: c, Blocks: t.blocks})
			}
		}
	}
	o, err := b.open(n, f, p, bounds{new(big.Int), big.NewInt(p.rows)})
	if err != nil {
		return nil, err
	}
	return []Part{{Opening: o, Times: 1}}, nil
}

// sumColumns adds up digit columns, of all rows linearly, of the rows with some codes
// of one dimension as products with its indicators.
func (b *builder) sumColumns(n int, p *picks, columns []schema.Column) ([]Part, error) {
	sides := make([]*side, len(p.files))
	degree := 1
	for i := range p.files {
		r := p.files[i].rows
		if len(r.dims()) > 1 {
			return nil, b.tooManyFactors(n, r, 1)
		}
		if sides[i] = r.boxes[0].a; sides[i] != nil {
			degree = 2
		}
	}
	var parts []Part
	for _, c := range columns {
		f := &functional.Functional{Degree: degree}
		for i := range p.files {
			t := &p.files[i]
			k := keyed(f, t.key)
			if degree == 1 {
				k.Linear = append(k.Linear, functional.Linear{File: t.nonce, Column: c.ID, Blocks: t.blocks})
			} else {
				k.Products = append(k.Products, functional.Product{File: t.nonce, Blocks: t.blocks, Factors: []functional.Factor{functional.Sum(b.indicators(sides[i])...), functional.Sum(c.ID)}})
			}
		}
		lo, hi := b.u.Encoding.SumBounds(c, p.rows)
		o, err := b.open(n, f, p, bounds{lo, hi})
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{Opening: o, Shift: c.Shift, Times: 1})
	}
	return parts, nil
}

// multiply opens the product of two quantities digit by digit; for a square each
// mixed pair is opened once and counts twice.
func (b *builder) multiply(n int, p *picks, left, right []schema.Column, square bool) ([]Part, error) {
	for i := range p.files {
		if r := p.files[i].rows; len(r.dims()) > 0 {
			return nil, b.tooManyFactors(n, r, 2)
		}
	}
	var parts []Part
	for i, x := range left {
		for j, y := range right {
			if square && j < i {
				continue
			}
			f := &functional.Functional{Degree: 2}
			for q := range p.files {
				t := &p.files[q]
				k := keyed(f, t.key)
				k.Products = append(k.Products, functional.Product{File: t.nonce, Blocks: t.blocks, Factors: []functional.Factor{functional.Sum(x.ID), functional.Sum(y.ID)}})
			}
			o, err := b.open(n, f, p, productBounds(&x, &y, p.rows))
			if err != nil {
				return nil, err
			}
			part := Part{Opening: o, Shift: x.Shift + y.Shift, Times: 1}
			if square && i != j {
				part.Times = 2
			}
			parts = append(parts, part)
		}
	}
	return parts, nil
}
