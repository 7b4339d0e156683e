package plan

import (
	"math/big"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// crossQuantity is the sum over joined rows of the product of a quantity of each side. The
// zero value counts the rows.
type crossQuantity struct {
	atoms   [2]schema.Atom
	squared bool // instead: the square of their difference, both being measures
}

// need is what stands for a quantity among the needs of the first side.
func (j *rowJoin) need(q crossQuantity) need {
	i := slices.Index(j.quantities, q)
	if i < 0 {
		i = len(j.quantities)
		j.quantities = append(j.quantities, q)
	}
	return need{cross: i + 1}
}

// describe names a quantity.
func (j *rowJoin) describe(n need) string {
	q := j.quantities[n.cross-1]
	name := func(i int) string { return j.sides[i].alias + "." + q.atoms[i].String() }
	switch {
	case q.squared:
		return "(" + name(0) + " - " + name(1) + ")^2"
	case q == crossQuantity{}:
		return "joined rows"
	case q.atoms[0].Kind == schema.Count:
		return name(1) + " of joined rows"
	case q.atoms[1].Kind == schema.Count:
		return name(0) + " of joined rows"
	}
	return name(0) + " * " + name(1)
}

// sideName tells columns of the sides apart in polynomials.
func sideName(side int, measure string) string { return string(rune('0'+side)) + "." + measure }

// measure resolves a column inside an aggregate to its name in polynomials.
func (j *rowJoin) measure(c *query.ColumnRef) (string, error) {
	found := -1
	for i := range j.sides {
		if c.Table != "" && c.Table != j.sides[i].alias || j.sides[i].u.Schema.Measure(c.Name) < 0 {
			continue
		}
		if found >= 0 {
			return "", query.Refuse(c.At, "UNKNOWN_COLUMN", "both sides of the join have a measure %s", shown(c.Name)).
				Fix("write %s.%s or %s.%s", j.sides[0].alias, shown(c.Name), j.sides[1].alias, shown(c.Name))
		}
		found = i
	}
	if found >= 0 {
		return sideName(found, c.Name), nil
	}
	var all []string
	for i := range j.sides {
		for m := range j.sides[i].u.Schema.Measures {
			all = append(all, j.sides[i].alias+"."+j.sides[i].u.Schema.Measures[m].Name)
		}
	}
	if s := j.sides[0].u.Schema; s.Dimension(c.Name) >= 0 || s.Partition(c.Name) >= 0 {
		return "", typeMismatch(c.At, "%s is no measure, and only measures can be summed", shown(c.Name)).Fix("use one of %s", strings.Join(all, ", "))
	}
	return "", query.Refuse(c.At, "UNKNOWN_COLUMN", "the join has no measure %s", shown(c.Name)).Fix("%s", suggest(c.Name, all))
}

// of splits a name in polynomials.
func (j *rowJoin) of(name string) (side int, m *schema.Measure) {
	side = int(name[0] - '0')
	s := j.sides[side].u.Schema
	return side, &s.Measures[s.Measure(name[2:])]
}

// aggregate finds out what an aggregate over the joined rows needs.
func (j *rowJoin) aggregate(e *query.Aggregate) (aggregate, error) {
	j.needs.funcs = append(j.needs.funcs, string(e.Func))
	switch {
	case e.Filter != nil:
		return nil, noJoin(e.Filter.Position(), "rows that are joined across owners are not selected one by one").Fix("leave FILTER out, or %s", groupedJoin)
	case e.Func.Ordinal():
		return nil, noJoin(e.At, "%s needs the rows of one product", strings.ToUpper(e.Name)).Fix("use COUNT, SUM, AVG, VAR_POP, CORR and the like")
	}
	a := &rowAggregate{j, e}
	s := &sums{function: e.Func}
	if e.Func == query.Count && e.Arg == nil {
		var err error
		s.n, err = a.count(nil)
		return s, err
	}
	x, err := a.argument(e.Arg)
	if err != nil {
		return nil, err
	}
	var y query.Polynomial
	if e.Func.Pairs() { // the first argument of REGR_ functions is y
		if y = x; err == nil {
			x, err = a.argument(e.Arg2)
		}
		if err != nil {
			return nil, err
		}
		x.Columns, y.Columns = sortedSet(append(slices.Clone(x.Columns), y.Columns...)), sortedSet(append(slices.Clone(x.Columns), y.Columns...))
	}
	if s.n, err = a.count(x.Columns); err != nil || e.Func == query.Count || e.Func == query.RegrCount {
		return s, err
	}
	for _, q := range []struct {
		into *combination
		of   []query.Polynomial
		by   []query.Func
	}{
		{&s.x, []query.Polynomial{x}, []query.Func{query.Sum, query.Avg, query.VarPop, query.VarSamp, query.StddevPop, query.StddevSamp, query.CovarPop, query.CovarSamp, query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrAvgX, query.RegrSXX, query.RegrSXY}},
		{&s.y, []query.Polynomial{y}, []query.Func{query.CovarPop, query.CovarSamp, query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrAvgY, query.RegrSYY, query.RegrSXY}},
		{&s.xy, []query.Polynomial{x, y}, []query.Func{query.CovarPop, query.CovarSamp, query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrSXY}},
		{&s.xx, []query.Polynomial{x, x}, []query.Func{query.VarPop, query.VarSamp, query.StddevPop, query.StddevSamp, query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrSXX}},
		{&s.yy, []query.Polynomial{y, y}, []query.Func{query.Corr, query.RegrR2, query.RegrSYY}},
	} {
		if !slices.Contains(q.by, e.Func) {
			continue
		}
		p := q.of[0]
		if len(q.of) > 1 {
			var ok bool
			if p, ok = p.Times(q.of[1]); !ok {
				return nil, a.notStored(p)
			}
		}
		if *q.into, err = a.sum(p); err != nil {
			return nil, err
		}
	}
	s.num = numericType
	digits, exact := x.Decimals(func(name string) int { _, m := j.of(name); return m.Scale })
	s.scale, s.free = min(digits, maxScale), !exact || digits > maxScale
	return s, nil
}

// rowAggregate is one aggregate over joined rows.
type rowAggregate struct {
	*rowJoin
	by *query.Aggregate
}

// argument brings an argument into normal form. Numbers alone have types of their own in
// SQL, and are refused.
func (a *rowAggregate) argument(e query.Expr) (query.Polynomial, error) {
	p, err := query.PolynomialOf(e, a.measure)
	if err == nil && len(p.Columns) == 0 {
		err = query.Refuse(e.Position(), "UNSUPPORTED", "%s of a number counts rows", strings.ToUpper(a.by.Name)).Fix("write COUNT(*)")
	}
	return p, err
}

func (a *rowAggregate) add(q crossQuantity) int { return a.needs.add(a.by, a.rowJoin.need(q)) }

// count is the number of joined rows where no column is NULL.
func (a *rowAggregate) count(columns []string) (combination, error) {
	var q crossQuantity
	for side := range q.atoms {
		atom, ok := a.atom(side, nil, columns)
		if !ok {
			return nil, a.notStored(query.Polynomial{Columns: columns})
		}
		q.atoms[side] = atom
	}
	return combination{{a.add(q), big.NewRat(1, 1)}}, nil
}

// sum is the total of a polynomial over the joined rows where none of its columns is NULL.
func (a *rowAggregate) sum(p query.Polynomial) (out combination, err error) {
	if q, weight, ok := a.squaredDifference(p); ok {
		return combination{{a.add(q), weight}}, nil
	}
	for _, t := range p.Terms {
		var q crossQuantity
		digits := 0
		for side := range q.atoms {
			var factors []string
			for _, f := range t.Factors {
				if s, m := a.of(f); s == side {
					factors = append(factors, f)
					digits += m.Scale
				}
			}
			atom, ok := a.atom(side, factors, p.Columns)
			if !ok {
				return nil, a.notStored(query.Polynomial{Terms: []query.Term{t}, Columns: p.Columns})
			}
			q.atoms[side] = atom
		}
		weight := scaled(big.NewInt(1), digits)
		out.add(a.add(q), weight.Mul(weight, t.Coefficient))
	}
	return out, nil
}

// squaredDifference recognises c*(x - y)^2 of a measure of each side, which opens as one
// number if both are stored as one column each.
func (a *rowAggregate) squaredDifference(p query.Polynomial) (q crossQuantity, weight *big.Rat, ok bool) {
	if len(p.Terms) != 3 || len(p.Columns) != 2 || p.Columns[0][0] != '0' || p.Columns[1][0] != '1' {
		return q, nil, false
	}
	x, y := query.ColumnPolynomial(p.Columns[0]), query.ColumnPolynomial(p.Columns[1])
	d := x.Plus(y.Scaled(big.NewRat(-1, 1)))
	square, _ := d.Times(d)
	ratio := new(big.Rat).Quo(p.Terms[0].Coefficient, square.Terms[0].Coefficient)
	if !p.Equal(square.Scaled(ratio)) {
		return q, nil, false
	}
	q.squared = true
	var scales [2]int
	for side, name := range p.Columns {
		_, m := a.of(name)
		q.atoms[side], scales[side] = schema.Atom{Kind: schema.Sum, X: m.Name}, m.Scale
	}
	weight = scaled(big.NewInt(1), scales[0]+scales[1])
	return q, weight.Mul(weight, ratio), scales[0] == scales[1] && a.columns(q) != nil
}

// columns lists the columns of a squared difference: of each side ones, the measure and
// its square; nil if one of them is not stored as a single column.
func (j *rowJoin) columns(q crossQuantity) (out [][3]schema.Column) {
	for side, atom := range q.atoms {
		name := []string{sideName(side, atom.X)}
		var own [3]schema.Column
		for i, factors := range [][]string{nil, name, append(name, name...)} {
			of, ok := j.atom(side, factors, name)
			digits := j.sides[side].u.Encoding.Digits(of)
			if !ok || len(digits) != 1 {
				return nil
			}
			own[i] = digits[0]
		}
		out = append(out, own)
	}
	return out
}

// atom is the stored quantity of a product of measures of one side over the rows where
// none of the columns is NULL.
func (j *rowJoin) atom(side int, factors, columns []string) (schema.Atom, bool) {
	var names, null []string
	for _, f := range factors {
		names = append(names, f[2:])
	}
	for _, c := range columns {
		if s, m := j.of(c); s == side && m.Nullable && !slices.Contains(names, m.Name) {
			null = append(null, m.Name)
		}
	}
	s := j.sides[side].u.Schema
	var a schema.Atom
	switch {
	case len(names) == 0 && len(null) == 0:
		return a, true
	case len(names) == 0 && len(null) <= 2:
		a = schema.Atom{Kind: schema.NotNull, X: null[0]}
		if len(null) == 2 {
			a.Y = null[1]
		}
	case len(null) > 0 || len(names) > 2:
		return a, false
	case len(names) == 1:
		a = schema.Atom{Kind: schema.Sum, X: names[0]}
	case names[0] == names[1]:
		a = schema.Atom{Kind: schema.Square, X: names[0]}
	default:
		a = schema.Atom{Kind: schema.Product, X: names[0], Y: names[1]}
	}
	if a.Y != "" && s.Measure(a.Y) < s.Measure(a.X) {
		a.X, a.Y = a.Y, a.X
	}
	return a, j.sides[side].u.Encoding.Digits(a) != nil
}

// notStored refuses what would multiply more than one stored column of a side.
func (a *rowAggregate) notStored(p query.Polynomial) error {
	return query.Refuse(a.by.At, "NOT_STORED", "%s over joined rows multiplies more than one stored column of a side", query.Format(a.by)).
		Fix("a column of each side is multiplied: a measure, its square if the schema has squares: true, or a product that the schema lists; a new version of the schema can store more, and measures that are never NULL need less")
}
