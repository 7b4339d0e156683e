package cells

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/carnet-network/carnet/pkg/schema"
)

// Says returns numbers that stand for the quantity of a part at the points, by what it
// says of rows: those of the same measures are the same whatever layout or schema they
// come from. Every measure has a number, and a product of measures the product of theirs.
// The digits that a quantity is split into have numbers of their own, whose sum, each times its place
// value, is that of the quantity.
func (p *Points) Says(x *Part) []uint64 {
	left, right, across := strings.Cut(x.Quantity, "|")
	out := p.says(x.Forms[0], left)
	if across {
		out = p.times(out, p.says(x.Forms[1], right))
	}
	return out
}

// says is Says for columns of one file that are multiplied.
func (p *Points) says(e *Form, quantity string) []uint64 {
	out := p.ones()
	if quantity == "" {
		return out
	}
	key := fmt.Sprintf("says %s %s %s", e.Schema, e.Layout, quantity)
	if v, ok := p.names[key]; ok {
		return v
	}
	var list []*schema.Column
	values := map[string]bool{}
	for _, text := range strings.Split(quantity[1:], ".") {
		id, _ := strconv.Atoi(text) // written by column
		col := &e.Columns[id]
		list = append(list, col)
		if k := col.Atom.Kind; k != schema.NotNull && k != schema.Count {
			values[col.Atom.X], values[col.Atom.Y] = true, true
		}
	}
	for _, col := range list {
		if a := col.Atom; a.Kind == schema.NotNull && values[a.X] && (a.Y == "" || values[a.Y]) && len(e.Digits(a)) == 1 {
			continue // where it is NULL its value is 0 anyway
		}
		out = p.times(out, p.digit(e, col))
	}
	p.names[key] = out
	return out
}

// digit are the numbers of one digit of an atom in an encoding.
func (p *Points) digit(e *Form, col *schema.Column) []uint64 {
	digits := e.Digits(col.Atom)
	name := func(i int) string {
		return fmt.Sprintf("digit %s %s %q %d", e.Schema, e.Layout, col.Atom.String(), i)
	}
	if col.Digit < len(digits)-1 {
		return p.drawn(name(col.Digit), p.random)
	}
	key := name(col.Digit)
	if v, ok := p.names[key]; ok {
		return v
	}
	rest := append([]uint64(nil), p.atom(e.Encoding.Schema(), col.Atom)...) // what the others leave
	for i := range digits[:len(digits)-1] {
		shift := new(big.Int).Lsh(big.NewInt(1), digits[i].Shift)
		value := p.constant(shift)
		for k, d := range p.drawn(name(i), p.random) {
			rest[k] = (rest[k] + p.prime - Product(value, d, p.prime)) % p.prime
		}
	}
	place := p.inverse(p.constant(new(big.Int).Lsh(big.NewInt(1), col.Shift)))
	for k := range rest {
		rest[k] = Product(rest[k], place, p.prime)
	}
	p.names[key] = rest
	return rest
}

// atom are the numbers of a quantity in the smallest units of its schema.
func (p *Points) atom(s *schema.Schema, a schema.Atom) []uint64 {
	out := p.ones()
	for i, name := range []string{a.X, a.Y} {
		m := s.Measure(name)
		if m < 0 {
			continue
		}
		x := &s.Measures[m]
		times := 1
		switch {
		case a.Kind == schema.NotNull && x.Nullable:
			out = p.times(out, p.drawn("there "+x.Name, p.random))
			continue
		case a.Kind == schema.NotNull || a.Kind == schema.Count:
			continue
		case a.Kind == schema.Square && i == 0:
			times = 2
		}
		unit := p.constant(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(x.Scale)), nil))
		v := p.drawn("measure "+x.Name+" "+x.Unit, p.random)
		for range times {
			out = p.times(out, v)
			scaled := make([]uint64, p.n)
			for k := range scaled {
				scaled[k] = Product(out[k], unit, p.prime)
			}
			out = scaled
		}
	}
	return out
}

// drawn are numbers of a name, drawn when it is named first.
func (p *Points) drawn(name string, draw func() uint64) []uint64 {
	v, ok := p.names[name]
	if !ok {
		v = make([]uint64, p.n)
		for k := range v {
			v[k] = draw()
		}
		p.names[name] = v
	}
	return v
}

// Drawn returns numbers at the points that are drawn when a name is used first, and are the
// same then. The slice must not be changed.
func (p *Points) Drawn(name string) []uint64 { return p.drawn("drawn "+name, p.random) }

func (p *Points) ones() []uint64 { return p.drawn("", func() uint64 { return 1 }) }

func (p *Points) random() uint64 { return p.next() % p.prime }

func (p *Points) times(a, b []uint64) []uint64 {
	out := make([]uint64, p.n)
	for k := range out {
		out[k] = Product(a[k], b[k], p.prime)
	}
	return out
}

func (p *Points) constant(v *big.Int) uint64 {
	return new(big.Int).Mod(v, new(big.Int).SetUint64(p.prime)).Uint64()
}

func (p *Points) inverse(v uint64) uint64 {
	return new(big.Int).ModInverse(new(big.Int).SetUint64(v), new(big.Int).SetUint64(p.prime)).Uint64()
}
