package plan

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/schema"
)

// factors are quantities of a row that are multiplied with each other. The zero Atom,
// which is 1 in every row, stands for none; without any the product counts rows.
type factors [functional.MaxDegree]schema.Atom

// just is the quantity itself.
func just(a schema.Atom) factors { return factors{a} }

// list leaves out what is 1 in every row.
func (f factors) list() []schema.Atom {
	return slices.DeleteFunc(slices.Clone(f[:]), func(a schema.Atom) bool { return a.Kind == schema.Count })
}

// where lists the measures that have to be not NULL besides those that are multiplied.
func (f factors) where() (measures []string) {
	for _, a := range f[1:] {
		if a.Kind == schema.NotNull {
			measures = append(measures, a.X)
			if a.Y != "" {
				measures = append(measures, a.Y)
			}
		}
	}
	return measures
}

// measures lists what is multiplied, a power with each of its factors.
func (f factors) measures() (list []string) {
	for _, a := range f {
		switch a.Kind {
		case schema.Sum:
			list = append(list, a.X)
		case schema.Square:
			list = append(list, a.X, a.X)
		case schema.Product:
			list = append(list, a.X, a.Y)
		}
	}
	return list
}

// String names the product as descriptions do: value*weight where duty is not NULL.
func (f factors) String() string {
	text := f[0].String()
	for _, a := range f[1:] {
		if a.Kind != schema.Count && a.Kind != schema.NotNull {
			text += "*" + a.String()
		}
	}
	switch w := f.where(); {
	case len(w) == 0:
		return text
	case f[0].Kind == schema.NotNull:
		return strings.TrimSuffix(text, ")") + "," + strings.Join(w, ",") + ")"
	case len(w) == 1:
		return text + " where " + w[0] + " is not NULL"
	default:
		return text + " where " + strings.Join(w, ", ") + " are not NULL"
	}
}

// columns lists the columns that are multiplied, each as its digits: one of each list.
// ok is false if the layout keeps no such columns or does not multiply them.
func (f factors) columns(e *schema.Encoding) (lists [][]schema.Column, ok bool) {
	for _, a := range f.list() {
		digits := e.Digits(a)
		if digits != nil {
			lists = append(lists, digits)
			continue
		}
		for _, half := range halves(a) {
			if digits = e.Digits(half); digits == nil {
				return nil, false
			}
			lists = append(lists, digits)
		}
		if digits == nil {
			return nil, false
		}
	}
	return lists, len(lists) == 1 || e.Layout == carnet.LayoutRecords
}

// halves are the two quantities that one is the product of, if it is one.
func halves(a schema.Atom) []schema.Atom {
	switch {
	case a.Kind == schema.Square:
		x := schema.Atom{Kind: schema.Sum, X: a.X}
		return []schema.Atom{x, x}
	case a.Kind == schema.Product:
		return []schema.Atom{{Kind: schema.Sum, X: a.X}, {Kind: schema.Sum, X: a.Y}}
	case a.Kind == schema.NotNull && a.Y != "":
		return []schema.Atom{{Kind: schema.NotNull, X: a.X}, {Kind: schema.NotNull, X: a.Y}}
	}
	return nil
}

// cover writes the product of measures, and of whether others are not NULL, with the
// fewest columns: two measures are one where the schema stores their product. ok is
// false if more are needed than any profile multiplies.
func (n *needs) cover(measures, others []string) (f factors, ok bool) {
	single := func(kind schema.AtomKind) func(x string) schema.Atom {
		return func(x string) schema.Atom { return schema.Atom{Kind: kind, X: x} }
	}
	list := n.pairs(measures, single(schema.Sum), func(x, y string) schema.Atom { return productAtom(n.inOrder(x, y)) })
	list = append(list, n.pairs(others, single(schema.NotNull), func(x, y string) schema.Atom {
		x, y = n.inOrder(x, y)
		return schema.Atom{Kind: schema.NotNull, X: x, Y: y}
	})...)
	return f, copy(f[:], list) == len(list)
}

// pairs divides names into single ones and stored pairs, as few together as possible.
func (n *needs) pairs(names []string, single func(x string) schema.Atom, pair func(x, y string) schema.Atom) []schema.Atom {
	if len(names) == 0 {
		return nil
	}
	best := append([]schema.Atom{single(names[0])}, n.pairs(names[1:], single, pair)...)
	for i := 1; i < len(names); i++ {
		if i > 1 && names[i] == names[i-1] {
			continue
		}
		both := pair(names[0], names[i])
		if n.names.u.Encoding.Digits(both) == nil {
			continue
		}
		rest := slices.Delete(slices.Clone(names[1:]), i-1, i)
		if list := append([]schema.Atom{both}, n.pairs(rest, single, pair)...); len(list) < len(best) {
			best = list
		}
	}
	return best
}
