package plan

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/schema"
)

// twin is a text in our SQL and its equivalent in SQLite's.
type twin struct{ ours, lite string }

func both(s string) twin { return twin{s, s} }

func sprint(format string, parts ...twin) twin {
	ours, lite := make([]any, len(parts)), make([]any, len(parts))
	for i, p := range parts {
		ours[i], lite[i] = p.ours, p.lite
	}
	return twin{fmt.Sprintf(format, ours...), fmt.Sprintf(format, lite...)}
}

// asker draws queries over a schema.
type asker struct {
	t      *rapid.T
	s      *schema.Schema
	hidden string // a dimension that queries do not name
	extra  twin   // a condition that all have
}

func (a *asker) pick(n int, label string) int { return rapid.IntRange(0, n-1).Draw(a.t, label) }

// columns are the names that can be grouped and filtered by.
func (a *asker) columns() []string {
	list := []string{"jurisdiction", "owner"}
	for _, p := range a.s.Partitions {
		list = append(list, p.Name)
	}
	for _, d := range a.s.Dimensions {
		if d.Name != a.hidden {
			list = append(list, d.Name, d.Name) // dimensions are more interesting
		}
	}
	return list
}

// literal draws a value of a column.
func (a *asker) literal(column string) twin {
	switch column {
	case "jurisdiction":
		return both(rapid.SampledFrom([]string{"'DE'", "'KZ'", "'FR'"}).Draw(a.t, "jurisdiction"))
	case "owner":
		return both(rapid.SampledFrom([]string{"'acme'", "'bolt'", "'nobody'"}).Draw(a.t, "owner"))
	case "year":
		return both(rapid.SampledFrom([]string{"'2023'", "'2024'"}).Draw(a.t, "year"))
	}
	d := &a.s.Dimensions[a.s.Dimension(column)]
	code := d.Codes[a.pick(len(d.Codes), "literal")].Value
	quoted := "'" + code + "'"
	if dimensionDomain(d).numeric() && rapid.Bool().Draw(a.t, "number") {
		return both(code)
	}
	return both(quoted)
}

// condition draws a condition on rows.
func (a *asker) condition(depth int) twin {
	if depth > 0 {
		switch a.pick(5, "logic") {
		case 0, 1:
			return sprint("(%s AND %s)", a.condition(depth-1), a.condition(depth-1))
		case 2:
			return sprint("(%s OR %s)", a.condition(depth-1), a.condition(depth-1))
		case 3:
			return sprint("NOT %s", a.condition(depth-1))
		}
	}
	if a.pick(12, "constant") == 0 {
		return both(rapid.SampledFrom([]string{"TRUE", "FALSE", "NULL", "1 = 1", "2 < 1.5", "'a' >= 'B'", "NULL = 1", "-1 <> 1"}).Draw(a.t, "constants"))
	}
	return a.simple(a.columns())
}

// simple draws a condition on one of the columns.
func (a *asker) simple(columns []string) twin {
	column := rapid.SampledFrom(columns).Draw(a.t, "column")
	c := both(column)
	if rapid.Bool().Draw(a.t, "qualified") {
		c = both("trade." + column)
	}
	not := both(rapid.SampledFrom([]string{"", "NOT "}).Draw(a.t, "not"))
	switch a.pick(6, "form") {
	case 0:
		return sprint("%s IS %sNULL", c, not)
	case 1:
		list := []twin{a.literal(column), a.literal(column)}
		if rapid.Bool().Draw(a.t, "null") {
			list = append(list, both("NULL"))
		}
		text := list[0]
		for _, l := range list[1:] {
			text = sprint("%s, %s", text, l)
		}
		return sprint("%s %sIN (%s)", c, not, text)
	case 2:
		return sprint("%s %s %s", c, both(rapid.SampledFrom([]string{"=", "<>", "!="}).Draw(a.t, "eq")), a.literal(column))
	case 3:
		lo, hi := a.ranged(column), a.ranged(column)
		return sprint("%s %sBETWEEN %s AND %s", sideOf(lo), not, lo[1], hi[1])
	}
	x := a.ranged(column)
	op := rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(a.t, "range")
	if rapid.Bool().Draw(a.t, "mirrored") {
		return sprint("%s "+op+" %s", x[1], sideOf(x))
	}
	return sprint("%s "+op+" %s", sideOf(x), x[1])
}

// ranged draws the column and a literal as the two sides of an order comparison:
// lists and padded integers compare by position in SQLite.
func (a *asker) ranged(column string) [2]twin {
	i := a.s.Dimension(column)
	if i < 0 {
		return [2]twin{both(column), a.literal(column)}
	}
	d := &a.s.Dimensions[i]
	dom := dimensionDomain(d)
	if dom.order == byBytes || dom.numeric() {
		return [2]twin{both(column), a.literal(column)}
	}
	at := a.pick(len(d.Codes), "at")
	return [2]twin{{column, column + "__at"}, {"'" + d.Codes[at].Value + "'", fmt.Sprint(listRank(d, at))}}
}

func sideOf(x [2]twin) twin { return x[0] }

// aggregate draws an aggregate; exact ones are integers in SQLite too.
func (a *asker) aggregate(exact bool) twin {
	m := a.s.Measures[a.pick(len(a.s.Measures), "measure")].Name
	forms := []twin{
		both("COUNT(*)"), both("COUNT(" + m + ")"), both("SUM(" + m + ")"), both("SUM(" + m + ")"),
		both("COUNT(" + rapid.SampledFrom(a.columns()).Draw(a.t, "counted") + ")"),
		both("SUM(" + m + " * " + m + ")"), both("SUM(m0 * " + m + ")"), both("COUNT(" + m + " * m0)"),
		both("SUM(" + m + " * m0 * " + m + ")"), both("SUM(m0 * m0 * " + m + " * " + m + " - 2 * m0)"),
	}
	if !exact {
		// Integers first, one division: SQLite computes in doubles.
		variance := func(over string) string {
			return fmt.Sprintf("((COUNT(%[1]s) * SUM(%[1]s*%[1]s) - SUM(%[1]s) * SUM(%[1]s)) * 1.0 / NULLIF(COUNT(%[1]s) * %[2]s, 0))", m, over)
		}
		pop, samp := variance("COUNT("+m+")"), variance("(COUNT("+m+") - 1)")
		forms = append(forms, both("AVG("+m+")"),
			twin{"VAR_POP(" + m + ")", pop}, twin{"VARIANCE(" + m + ")", samp}, twin{"VAR_SAMP(" + m + ")", samp},
			twin{"STDDEV_POP(" + m + ")", "sqrt" + pop}, twin{"STDDEV(" + m + ")", "sqrt" + samp},
			twin{"SUM(" + m + ") / NULLIF(COUNT(*), 0)", "SUM(" + m + ") * 1.0 / NULLIF(COUNT(*), 0)"},
			twin{"ROUND(SUM(" + m + ") / 4, 1)", "ROUND(SUM(" + m + ") / 4.0, 1)"},
			both("COALESCE(SUM("+m+"), -1) - 2 * COUNT(*)"), both("- SUM("+m+")"))
	}
	return forms[a.pick(len(forms), "aggregate")]
}

// having draws a condition on groups.
func (a *asker) having(by []string, depth int) twin {
	if depth > 0 {
		switch a.pick(5, "logic") {
		case 0, 1:
			return sprint("(%s AND %s)", a.having(by, depth-1), a.having(by, depth-1))
		case 2:
			return sprint("(%s OR %s)", a.having(by, depth-1), a.having(by, depth-1))
		case 3:
			return sprint("NOT %s", a.having(by, depth-1))
		}
	}
	not := both(rapid.SampledFrom([]string{"", "NOT "}).Draw(a.t, "not"))
	number := func() twin { return both(fmt.Sprint(a.pick(8, "bound") - 1)) }
	switch a.pick(6, "form") {
	case 0:
		return a.simple(by)
	case 1:
		return sprint("%s IS %sNULL", a.aggregate(true), not)
	case 2:
		return sprint("%s %sBETWEEN %s AND %s", a.aggregate(true), not, number(), number())
	case 3:
		return sprint("%s %sIN (%s, NULL, %s)", a.aggregate(true), not, number(), number())
	}
	op := rapid.SampledFrom([]string{"<", ">=", "<>", "="}).Draw(a.t, "op")
	return sprint("%s "+op+" %s", a.aggregate(true), rapid.SampledFrom([]twin{number(), a.aggregate(true), both("NULL")}).Draw(a.t, "with"))
}

// query draws a whole query. sorted tells that the order of rows is determined.
func (a *asker) query() (q twin, sorted bool) {
	var by []string
	for range a.pick(3, "groups") {
		by = append(by, rapid.SampledFrom(a.columns()).Draw(a.t, "by"))
	}
	var items []twin
	for _, c := range by {
		items = append(items, both(c))
	}
	for range 1 + a.pick(3, "items") {
		items = append(items, a.aggregate(false))
	}
	q = items[0]
	for _, it := range items[1:] {
		q = sprint("%s, %s", q, it)
	}
	q = sprint("SELECT %s FROM trade", q)
	where := a.extra
	if a.pick(3, "where") > 0 {
		if c := a.condition(a.pick(3, "depth")); where == (twin{}) {
			where = c
		} else {
			where = sprint("(%s) AND %s", c, where)
		}
	}
	if where != (twin{}) {
		q = sprint("%s WHERE %s", q, where)
	}
	if len(by) > 0 {
		q = sprint("%s GROUP BY %s", q, both(strings.Join(by, ", ")))
	}
	if a.pick(3, "having") == 0 && len(by) > 0 {
		q = sprint("%s HAVING %s", q, a.having(by, a.pick(3, "depth")))
	}
	if rapid.Bool().Draw(a.t, "ordered") {
		return a.orderBy(q, by), true
	}
	return q, false
}

// orderBy orders by an aggregate and then by all groups, so that the order is total.
func (a *asker) orderBy(q twin, by []string) twin {
	direction := func() twin {
		return both(rapid.SampledFrom([]string{" NULLS FIRST", " ASC NULLS LAST", " DESC NULLS LAST", " DESC NULLS FIRST"}).Draw(a.t, "direction"))
	}
	q = sprint("%s ORDER BY %s%s", q, a.aggregate(true), direction())
	for _, c := range by {
		key := both(c)
		if i := a.s.Dimension(c); i >= 0 {
			if dom := dimensionDomain(&a.s.Dimensions[i]); dom.order != byBytes && !dom.numeric() {
				key.lite = "MIN(" + c + "__at)"
			}
		}
		q = sprint("%s, %s%s", q, key, direction())
	}
	if rapid.Bool().Draw(a.t, "limited") {
		q = sprint("%s LIMIT %s OFFSET %s", q, both(fmt.Sprint(a.pick(5, "limit"))), both(fmt.Sprint(a.pick(3, "offset"))))
	}
	return q
}
