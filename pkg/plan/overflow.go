package plan

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// overflow refuses a sum whose result could wrap modulo T, and says what fits: rows,
// bounds, what would be stored in digits, encodings and profiles.
func (b *builder) overflow(n int, o *Opening, largest, half *big.Int) error {
	what, at := b.who(n)
	fit := new(big.Int).Mul(half, big.NewInt(o.Rows))
	fit.Quo(fit, largest)
	r := query.Refuse(at, "OVERFLOW", "%s over %d rows could reach %s, and profile %s holds results up to %s", what, o.Rows, largest, b.u.Profile.Name(), half).
		OfKind(carnet.Precondition)
	var ways []string
	if w := b.digits(n); w != "" {
		ways = append(ways, w)
	}
	if w := b.fewerDigits(o, largest); w != "" {
		ways = append(ways, w)
	}
	if w := b.wider(o.Degree, b.homes(o), mostTerms(o), largest); w != "" {
		ways = append(ways, w)
	}
	if each := new(big.Int).Quo(half, big.NewInt(o.Rows)); each.Sign() > 0 {
		ways = append(ways, fmt.Sprintf("with bounds that keep each row's part at %s or less, all rows would fit", each))
	}
	if fit.Sign() == 0 {
		return r.Fix("the product of the values of one row alone can be too large: %s", strings.Join(ways, "; or "))
	}
	return r.Fix("at most %s rows fit: select fewer by jurisdiction, owner%s; or %s", fit, b.partitionNames(), strings.Join(ways, "; or "))
}

// storeAdvice tells how the schema could make an aggregate possible.
func (b *builder) storeAdvice(n int) string {
	of := b.needs.list[n].of
	switch w, m := of.where(), of.measures(); {
	case len(m) > 2:
		return fmt.Sprintf("a new version of the schema can declare a measure with formula: %s", strings.Join(m, " * "))
	case len(w) > 0:
		return fmt.Sprintf("a new version of the schema can declare that %s %s never NULL", strings.Join(w, ", "), isOrAre(len(w)))
	case of[0].Kind == schema.Square:
		return fmt.Sprintf("a new version of the schema can set squares: true for %s", of[0].X)
	case of[0].Y != "":
		return fmt.Sprintf("a new version of the schema can list %s under products of %s", of[0].Y, of[0].X)
	}
	return "a new version of the schema can declare narrower bounds"
}

// digits is storeAdvice for what is too large. What is stored is split into digits whose
// totals fit; a square or product is encoded to see into how many. It is "" if it can't be
// stored: values of a formula have 18 digits at most.
func (b *builder) digits(n int) string {
	advice, of := b.storeAdvice(n), b.needs.list[n].of
	if m := of.measures(); len(m) > 2 {
		largest := big.NewInt(1)
		for _, x := range m {
			lo, hi := b.u.Schema.Measures[b.u.Schema.Measure(x)].Bounds()
			largest.Mul(largest, big.NewInt(max(hi, -lo)))
		}
		if largest.Cmp(power10(18)) >= 0 {
			return ""
		}
		return advice + ", which is stored in digits"
	}
	a := of[0]
	if len(of.list()) > 1 || a.Kind != schema.Square && a.Kind != schema.Product {
		return advice
	}
	s := *b.u.Schema
	s.Measures = slices.Clone(s.Measures)
	if m := &s.Measures[s.Measure(a.X)]; a.Kind == schema.Square {
		m.Squares = true
	} else {
		m.Products = append(slices.Clone(m.Products), a.Y)
	}
	e, err := s.Encode(b.plan.Layout)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s: stored, it is split into %s and fits", advice, plural(len(e.Digits(a)), "column"))
}

// fewerDigits tells whether an opening would fit into a profile of a lower degree if
// dimensions that take two factors, the digits of their codes, took one.
func (b *builder) fewerDigits(o *Opening, largest *big.Int) string {
	axes := map[int]map[schema.Test]bool{}
	for _, k := range o.Functionals()[0].Keys {
		for j := range k.Products {
			for _, id := range k.Products[j].Columns() {
				c := &b.u.Encoding.Columns[id]
				if c.Kind != schema.Indicator || b.u.Encoding.Axes[c.Axis].Coding != schema.TwoDigit {
					continue
				}
				if axes[c.Axis] == nil {
					axes[c.Axis] = map[schema.Test]bool{}
				}
				axes[c.Axis][c.Test] = true
			}
		}
	}
	var names []string
	saved := 0
	for i := range b.u.Encoding.Axes {
		if len(axes[i]) < 2 {
			continue
		}
		saved++
		for _, d := range b.u.Encoding.Axes[i].Dimensions {
			names = append(names, b.u.vars[d].name)
		}
	}
	if saved == 0 || b.wider(o.Degree, b.homes(o), mostTerms(o), largest) != "" {
		return ""
	}
	w := b.wider(o.Degree-saved, b.homes(o), mostTerms(o), largest)
	if w == "" {
		return ""
	}
	return fmt.Sprintf("with encoding: onehot for %s it multiplies %s and %s", strings.Join(names, ", "), plural(o.Degree-saved, "column"), w)
}
