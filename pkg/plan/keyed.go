package plan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
)

// groups lists the groups of all keys, in the order of the keys, each in the order of
// its values, NULL last. Expressions split the rows into parts, columns split each
// part into groups.
func (b *builder) groups(keys []groupKey) ([]group, error) {
	var derived []int
	for i := range keys {
		if keys[i].variable >= 0 {
			b.vars = append(b.vars, keys[i].variable)
		} else {
			derived = append(derived, i)
		}
	}
	var combos [][]int
	if err := b.combine(keys, derived, everywhere, nil, &combos); err != nil {
		return nil, err
	}
	filters := len(b.needs.conds)
	var out []group
	for part, exprs := range combos {
		s, err := b.space(spaceID{0, part})
		if err != nil {
			return nil, err
		}
		g := &grouper{u: b.u, vars: b.vars, derived: len(derived) > 0, space: s, at: b.groupAt}
		list, err := g.groups()
		if err != nil {
			return nil, err
		}
		for i := range list {
			list[i].part, list[i].exprs = part, exprs
		}
		if out = append(out, list...); len(out) > MaxOpenings || len(out)*filters > 2*MaxOpenings { // a filter opens a number in most groups
			return nil, g.tooMany()
		}
	}
	slices.SortFunc(out, func(x, y group) int {
		column, expr := 0, 0
		for i := range keys {
			c := 0
			if v := keys[i].variable; v >= 0 {
				rank := b.u.vars[v].domain.rank
				c = rank[x.codes[column]] - rank[y.codes[column]]
				column++
			} else {
				c = x.exprs[expr] - y.exprs[expr]
				expr++
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return out, nil
}

// combine lists the combinations of values of expressions, and where each holds.
func (b *builder) combine(keys []groupKey, derived []int, when *cond, at []int, combos *[][]int) error {
	if len(derived) == 0 {
		if len(*combos) >= maxParts {
			return query.Refuse(b.groupAt, "TOO_MANY_GROUPS", "the expressions in GROUP BY have more than %d combinations of values", maxParts).
				Fix("group by fewer expressions, or by the columns themselves")
		}
		*combos = append(*combos, slices.Clone(at))
		b.parts = append(b.parts, when)
		return nil
	}
	k := &keys[derived[0]]
	for i := range k.values {
		c := simplify(join(allOf, when, k.conds[i]))
		if err := b.needs.names.spend(b.groupAt, c); err != nil {
			return err
		}
		if !c.never() {
			if err := b.combine(keys, derived[1:], c, append(at, i), combos); err != nil {
				return err
			}
		}
	}
	return nil
}

// keyed returns the values of its keys.
func (g *group) keyed(u *universe, keys []groupKey) (out groupSide) {
	column, expr := 0, 0
	for i := range keys {
		k := &keys[i]
		if k.variable >= 0 {
			out.codes = append(out.codes, g.codes[column])
			out.keys = append(out.keys, u.vars[k.variable].domain.value(g.codes[column]))
			column++
			continue
		}
		out.codes = append(out.codes, g.exprs[expr])
		out.keys = append(out.keys, k.values[g.exprs[expr]])
		expr++
	}
	return out
}
