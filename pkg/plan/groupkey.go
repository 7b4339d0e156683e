package plan

import (
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// maxParts bounds the combinations of values of expressions in GROUP BY.
const maxParts = 2048

// groupKey is a key of GROUP BY: a column, or an expression over columns whose groups
// are the rows with equal values.
type groupKey struct {
	variable int // -1 for an expression
	name     string
	expr     query.Expr // nil for a column
	static   static
	values   []Value // expression: its different values, in order
	conds    []*cond // expression: where it has each of them
	columns  []string
}

// keyNode returns the node of an expression that GROUP BY lists, nil if it does not.
func (o *outputs) keyNode(e query.Expr) *node {
	for i := range o.group {
		if o.group[i].expr != nil && query.Equal(o.group[i].expr, e) {
			n := o.groupNode(i)
			n.at, n.expr = e.Position(), e
			return n
		}
	}
	return nil
}

// groupNode is the node of a key.
func (o *outputs) groupNode(i int) *node {
	k := &o.group[i]
	n := &node{static: k.static, group: i, eval: func(g *env) (Value, error) { return g.keys[i], nil }}
	if k.variable >= 0 {
		n.dom = o.needs.names.u.vars[k.variable].domain
	}
	return n
}

// expressionKey compiles an expression in GROUP BY.
func (n *names) expressionKey(e query.Expr) (groupKey, error) {
	aggregate := false
	query.Walk(e, func(x query.Expr) bool {
		_, is := x.(*query.Aggregate)
		aggregate = aggregate || is
		return !is
	})
	if aggregate {
		return groupKey{}, query.Refuse(e.Position(), "SYNTAX", "groups are made before anything is aggregated").Fix("%s", n.groupAdvice())
	}
	r, err := n.rowValue(e)
	if err != nil {
		return groupKey{}, err
	}
	k := groupKey{variable: -1, expr: e, name: query.Format(e), static: r.static, columns: used(e)}
	if err := r.ordered(e.Position()); err != nil {
		return k, err
	}
	if len(k.columns) == 0 {
		return k, query.Refuse(e.Position(), "UNSUPPORTED", "grouping by a constant has no effect").Fix("%s", n.groupAdvice())
	}
	values := r.distinct(n)
	if len(values) > maxParts {
		return k, query.Refuse(e.Position(), "TOO_MANY_GROUPS", "%s has %d different values, at most %d are possible", k.name, len(values), maxParts).
			Fix("group by the column itself, or by something coarser")
	}
	for _, v := range values {
		c, err := n.holding(r, func(w Value) bool { return sameValue(v, w) })
		if err != nil {
			return k, err
		}
		if !c.never() {
			k.values, k.conds = append(k.values, v), append(k.conds, c)
		}
	}
	return k, nil
}

// groupNames lists the keys for people.
func groupNames(keys []groupKey) string {
	var list []string
	for i := range keys {
		list = append(list, keys[i].name)
	}
	return strings.Join(list, ", ")
}
