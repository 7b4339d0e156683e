package plan

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"sort"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// bounds are the smallest and the largest value an opening can have, and the most that one
// row moves it by.
type bounds struct{ lo, hi, row *big.Int }

// productBounds bounds the sum over rows of the products of columns, over none of them
// the number of rows. Zero is within: rows may not be selected.
func productBounds(columns []schema.Column, rows int64) bounds {
	corners := []*big.Int{big.NewInt(rows)}
	for i := range columns {
		var next []*big.Int
		for _, v := range corners {
			next = append(next, new(big.Int).Mul(v, columns[i].Min), new(big.Int).Mul(v, columns[i].Max))
		}
		corners = next
	}
	out := bounds{lo: new(big.Int), hi: new(big.Int)}
	for _, v := range corners {
		if v.Cmp(out.lo) < 0 {
			out.lo = v
		}
		if v.Cmp(out.hi) > 0 {
			out.hi = v
		}
	}
	return out
}

// certify works out the worst case of an opening and refuses it if the result could
// wrap or the noise could not be hidden.
func (b *builder) certify(n int, o *Opening, limits bounds) error {
	half := new(big.Int).SetUint64((b.u.Profile.T() - 1) / 2) // 2*max < T, T odd
	largest := new(big.Int).Abs(limits.lo)
	if limits.hi.CmpAbs(largest) > 0 {
		largest.Abs(limits.hi)
	}
	if largest.Cmp(half) > 0 {
		return b.overflow(n, o, largest, half)
	}
	homes := b.homes(o)
	tail := b.noise(o, limits.row, b.u.Committee, homes)
	if largest.Add(largest, tail).Cmp(half) > 0 {
		what, at := b.who(n)
		return drowned(what, at, o, half)
	}
	o.Min, o.Max = limits.lo.Int64()-tail.Int64(), limits.hi.Int64()+tail.Int64() // T < 2^60

	if o.Degree > b.u.Profile.MaxDegree() {
		what, at := b.who(n)
		return query.Refuse(at, "DEGREE", "%s multiplies encrypted columns, which profile %s does not do", what, b.u.Profile.Name()).
			Fix("ask for fewer columns in one product, or over a product in the records layout")
	}
	terms := mostTerms(o)
	o.Bound = share.NoiseBound(b.u.Profile, o.Degree, terms)
	if b.plan.Private != nil { // the bound grows with the terms: this is the largest one
		o.Bound = share.SelectionBound(b.plan.Private.Weight, []*big.Int{o.Bound})
		terms *= int64(b.plan.Private.Weight)
	}
	o.NoiseBits = new(big.Int).Sub(o.Bound, big.NewInt(1)).BitLen()
	var err error
	o.FloodBits, o.ReleaseBits, err = share.FloodBits(b.u.Profile, b.u.Committee, homes, o.Bound)
	if err != nil || o.ReleaseBits < share.MinReleaseBits {
		return b.noisy(n, o, homes, terms, largest)
	}
	return nil
}

// homes counts the distinct home keyholders of an opening's keys.
func (b *builder) homes(o *Opening) int {
	homes := map[int]bool{}
	for _, k := range o.Functionals()[0].Keys {
		if member, ok := b.homeOf[k.Key]; ok {
			homes[member] = true
		}
	}
	return len(homes)
}

// mostTerms is the number of terms of an opening, of the largest of its choices.
func mostTerms(o *Opening) (terms int64) {
	for _, f := range o.Functionals() {
		terms = max(terms, share.Terms(f))
	}
	return terms
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func (b *builder) partitionNames() string {
	s := ""
	for i := range b.u.Schema.Partitions {
		s += ", " + b.u.Schema.Partitions[i].Name
	}
	return s
}

// noisy refuses an opening that adds up too many blocks for its noise to be hidden
// over enough releases, and says how many fit.
func (b *builder) noisy(n int, o *Opening, homes int, terms int64, largest *big.Int) error {
	what, at := b.who(n)
	degree := o.Degree
	fits := func(p *he.Profile, t int64) bool { return hides(p, b.u.Committee, degree, homes, t) }
	limit := min(terms, math.MaxInt32)
	most := sort.Search(int(limit), func(t int) bool { return !fits(b.u.Profile, int64(t)+1) })
	unit := "blocks"
	switch {
	case b.u.Encoding.Layout == carnet.LayoutCube:
		unit = "cells"
	case degree > 1:
		unit = "products of blocks"
	}
	r := query.Refuse(at, "NOISE_BUDGET", "%s adds up %d %s, too many to hide their noise over 2^%d releases in profile %s", what, terms, unit, share.MinReleaseBits, b.u.Profile.Name()).
		OfKind(carnet.Precondition)
	ways := []string{fmt.Sprintf("at most %d fit: select fewer files by jurisdiction, owner%s, or fewer codes", most, b.partitionNames())}
	if most == 0 {
		ways = []string{fmt.Sprintf("the committee of %d needs a wider profile", b.u.Committee.N)}
	}
	if b.u.Encoding.Layout == carnet.LayoutRecords {
		ways = append(ways, b.fewerTerms(o)...)
		for _, p := range he.Profiles() {
			if p.Encoding() == he.Slots && p.MaxDegree() > max(2, b.u.Profile.MaxDegree()) && fits(p, terms) {
				ways = append(ways, fmt.Sprintf("a new version of the schema can set degree: %d, whose profile %s holds this", p.MaxDegree(), p.Name()))
				break
			}
		}
	} else if w := b.wider(degree, homes, terms, largest); w != "" {
		ways = append(ways, w)
	}
	return r.Fix("%s", strings.Join(ways, "; or "))
}

// wideRange is how many one-hot columns of one dimension are worth being two.
const wideRange = 4

// fewerTerms names the dimension of which an opening adds up the most one-hot columns,
// if they are many: a range of cumulative ones is two.
func (b *builder) fewerTerms(o *Opening) []string {
	widest, column := wideRange, uint32(0)
	for _, k := range o.Functionals()[0].Keys {
		for j := range k.Products {
			for _, f := range k.Products[j].Factors {
				if f.Width() > widest {
					widest, column = f.Width(), slices.Concat(f.Plus, f.Minus)[0]
				}
			}
		}
	}
	c := &b.u.Encoding.Columns[column]
	if widest == wideRange || c.Kind != schema.Indicator || c.Test != schema.Equals {
		return nil
	}
	dim := b.u.Encoding.Axes[c.Axis].Dimensions[0]
	return []string{fmt.Sprintf("for ranges of %s a new version of the schema can set encoding: cumulative, which adds up two columns instead of %d", b.u.vars[dim].name, widest)}
}

// tooManyFactors refuses what would multiply more encrypted columns than the profile
// does, and says what would fit. columns is how many the aggregate takes besides the
// dimensions.
func (b *builder) tooManyFactors(n int, r *rowSet, columns int) error {
	what, at := b.who(n)
	var dims []string
	for _, d := range r.dims() {
		dims = append(dims, b.u.vars[d].name)
	}
	list, total, most := strings.Join(dims, ", "), columns+r.factors, b.u.Profile.MaxDegree()
	ref := query.Refuse(at, "DEGREE", "%s, selected or grouped by %s, would multiply %d encrypted columns, and profile %s multiplies %d",
		what, list, total, b.u.Profile.Name(), most)
	var ways []string
	if fewer := r.factors - (total - most); fewer > 0 && r.factors == len(dims) {
		ways = append(ways, fmt.Sprintf("keep only %s of %s in WHERE and GROUP BY", [...]string{1: "one", "two", "three"}[fewer], list))
	} else if fewer <= 0 {
		ways = append(ways, fmt.Sprintf("leave %s out of WHERE and GROUP BY", list))
	}
	if columns == 1 && r.factors <= most {
		ways = append(ways, "ask for COUNT(*)")
	}
	if columns > 1 {
		ways = append(ways, b.storeAdvice(n))
	}
	ways = append(ways, b.encodingAdvice(r)...)
	if b.u.Schema.Offers(carnet.LayoutCube) {
		ways = append(ways, "query a product in the cube layout")
	}
	return ref.Fix("%s", strings.Join(ways, "; or "))
}

// encodingAdvice tells how the schema could take fewer columns for the dimensions, or
// multiply more: as many as the aggregate with the most columns takes.
func (b *builder) encodingAdvice(r *rowSet) []string {
	total := r.factors
	for _, want := range b.needs.list {
		for _, m := range b.amounts(want) {
			total = max(total, r.factors+len(m.columns))
		}
	}
	var ways, names []string
	for _, d := range r.dims() {
		a := &b.u.Encoding.Axes[b.u.Encoding.AxisOf(d)]
		if a.Coding == schema.TwoDigit {
			ways = append(ways, fmt.Sprintf("a new version of the schema can set encoding: onehot for %s", b.u.vars[d].name))
			break
		}
		if len(a.Dimensions) == 1 && len(names) < 2 {
			names = append(names, b.u.vars[d].name)
		}
	}
	switch {
	case total <= functional.MaxDegree:
		ways = append(ways, fmt.Sprintf("a new version of the schema can set degree: %d", total))
	case len(names) == 2:
		ways = append(ways, fmt.Sprintf("a new version of the schema can combine %s and %s", names[0], names[1]))
	}
	return ways
}
