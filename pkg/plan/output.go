package plan

import (
	"slices"
	"strconv"

	"github.com/carnet-network/carnet/pkg/query"
)

// recipe is what the buyer computes from released groups.
type recipe struct {
	outputs *outputs
	items   []*node
	having  test // nil: every group
	order   []sortKey
	limit   int64 // negative: all
	offset  int64
}

type sortKey struct {
	node             *node
	desc, nullsFirst bool
}

// groupKeys resolves GROUP BY, each key once.
func (n *names) groupKeys(s *query.Select) ([]groupKey, error) {
	var keys []groupKey
	for i, e := range s.GroupBy {
		if slices.ContainsFunc(s.GroupBy[:i], func(o query.Expr) bool { return query.Equal(o, e) }) {
			continue
		}
		k, err := n.groupKey(s, e)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(keys, func(o groupKey) bool { return o.variable == k.variable && query.Equal(o.expr, k.expr) }) {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

func (n *names) groupKey(s *query.Select, e query.Expr) (groupKey, error) {
	at := e.Position()
	switch x := e.(type) {
	case *query.Literal:
		if x.Kind == query.Number {
			i, err := position(x, len(s.Items))
			if err != nil {
				return groupKey{}, err
			}
			e = s.Items[i].Expr
		}
	case *query.ColumnRef:
		// As in PostgreSQL, a name that is no column may be an alias of the result.
		if _, err := n.resolve(x); err != nil {
			found := false
			for _, it := range s.Items {
				if x.Table == "" && it.Alias == x.Name {
					e, found = it.Expr, true
					break
				}
			}
			if !found {
				return groupKey{}, err
			}
		}
	}
	ref, ok := e.(*query.ColumnRef)
	if !ok {
		return n.expressionKey(e)
	}
	c, err := n.resolve(ref)
	if err != nil {
		return groupKey{}, err
	}
	if c.variable < 0 {
		return groupKey{}, query.Refuse(at, "NOT_GROUPED", "%s is a measure: its values are encrypted and can only be summed", ref.Name).Fix("%s", n.groupAdvice())
	}
	v := &n.u.vars[c.variable]
	return groupKey{variable: c.variable, name: v.name, static: v.domain.static(), columns: []string{v.name}}, nil
}

func (n *names) groupAdvice() string {
	advice := "group by"
	for i := range n.u.vars {
		if i == 11 {
			return advice + ", ..."
		}
		if i > 0 {
			advice += ","
		}
		advice += " " + n.u.vars[i].name
	}
	return advice
}

// position reads a literal as the number of a result column and returns its index.
func position(l *query.Literal, columns int) (int, error) {
	i, err := strconv.Atoi(l.Text)
	if err != nil || i < 1 || i > columns {
		return 0, query.Refuse(l.At, "UNKNOWN_COLUMN", "the result has no column number %s", shown(l.Text)).Fix("it has columns 1 to %d", columns)
	}
	return i - 1, nil
}

// compile compiles everything after GROUP BY.
func (o *outputs) compile() (*recipe, []ColumnInfo, error) {
	r := &recipe{outputs: o, limit: -1, offset: o.sel.Offset}
	var columns []ColumnInfo
	for _, it := range o.sel.Items {
		n, err := o.node(it.Expr)
		if err != nil {
			return nil, nil, err
		}
		r.items = append(r.items, n)
		columns = append(columns, ColumnInfo{columnName(it), n.columnType()})
	}
	if o.join != nil {
		var err error
		if r.having, err = o.joinTest(); err != nil {
			return nil, nil, err
		}
	} else if o.sel.Having != nil {
		var err error
		if r.having, err = o.test(o.sel.Having); err != nil {
			return nil, nil, err
		}
	}
	for _, k := range o.sel.OrderBy {
		n, err := o.orderNode(k.Expr, r.items, columns)
		if err != nil {
			return nil, nil, err
		}
		if n.dom == nil {
			if err := n.ordered(k.Expr.Position()); err != nil {
				return nil, nil, err
			}
		}
		r.order = append(r.order, sortKey{n, k.Desc, k.NullsFirst})
	}
	if o.sel.Limit != nil {
		r.limit = *o.sel.Limit
	}
	return r, columns, nil
}

func (n *node) columnType() Type {
	switch {
	case n.kind == dateNode:
		return Date
	case n.kind != numberNode:
		return Text
	case n.scale == 0 && !n.free:
		return Integer
	}
	return Numeric
}

// columnName is the alias, or what PostgreSQL would call the column.
func columnName(it query.Item) string {
	if it.Alias != "" {
		return it.Alias
	}
	switch e := it.Expr.(type) {
	case *query.ColumnRef:
		return e.Name
	case *query.Aggregate:
		return e.Name
	case *query.Call:
		return string(e.Func)
	case *query.Case:
		return "case"
	case *query.DatePart:
		return string(e.Func)
	case *query.Cast:
		return castName(e)
	}
	return "?column?"
}

// castName is the name of what is cast, else that of the type.
func castName(e *query.Cast) string {
	if name := columnName(query.Item{Expr: e.X}); name != "?column?" {
		return name
	}
	return map[query.Type]string{query.DateType: "date", query.NumericType: "numeric", query.IntegerType: "int4"}[e.To]
}

// orderNode compiles a key of ORDER BY: a position, the name of a result column, or
// an expression.
func (o *outputs) orderNode(e query.Expr, items []*node, columns []ColumnInfo) (*node, error) {
	switch e := e.(type) {
	case *query.Literal:
		if e.Kind == query.Number {
			i, err := position(e, len(items))
			if err != nil {
				return nil, err
			}
			return items[i], nil
		}
		return nil, query.Refuse(e.At, "TYPE_MISMATCH", "ordering by a constant has no effect").Fix("order by a column of the result or its number")
	case *query.ColumnRef:
		if e.Table != "" {
			break
		}
		found := -1
		for i, c := range columns {
			if c.Name != e.Name {
				continue
			}
			if found >= 0 && items[found].text() != items[i].text() {
				return nil, query.Refuse(e.At, "UNKNOWN_COLUMN", "several columns of the result are called %s", shown(e.Name)).
					Fix("order by the number of the column, or give the columns different names")
			}
			found = i
		}
		if found >= 0 {
			return items[found], nil
		}
	}
	return o.node(e)
}

// used lists the columns that an expression names.
func used(e query.Expr) []string {
	var list []string
	query.Walk(e, func(x query.Expr) bool {
		if c, ok := x.(*query.ColumnRef); ok {
			list = append(list, c.Name)
		}
		return true
	})
	return list
}

// sortedSet returns the different strings in ascending order.
func sortedSet(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
