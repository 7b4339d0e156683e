package plan

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// rowGroups writes a join of rows that is grouped by the columns of USING, and by nothing
// else, as the join of two grouped queries that means the same. Within such a group every
// row of one side meets every row of the other: a sum or count over one side's columns
// counts once for each row of the other side, and averages and the like are those of
// their own side.
type rowGroups struct {
	sel   *query.Select
	sides [2]*groupSource
	using map[string]bool
	out   *query.Select
}

// groupSource is a side: the query that it becomes.
type groupSource struct {
	u     *universe
	alias string
	query *query.Select
	names map[string]bool // of its result columns
}

// byGroups reports whether a join of rows is grouped by what it is joined by.
func byGroups(sel *query.Select) bool {
	using, named := map[string]bool{}, map[string]bool{}
	for _, c := range sel.Rows.Using {
		using[c.Name] = true
	}
	for _, e := range sel.GroupBy {
		c, ok := meant(sel, e, using).(*query.ColumnRef)
		if !ok || !using[c.Name] {
			return false
		}
		named[c.Name] = true
	}
	return len(named) == len(using)
}

// meant resolves a key of GROUP BY that is a position or an alias.
func meant(sel *query.Select, e query.Expr, columns map[string]bool) query.Expr {
	switch x := e.(type) {
	case *query.Literal:
		if i, err := position(x, len(sel.Items)); x.Kind == query.Number && err == nil {
			return sel.Items[i].Expr
		}
	case *query.ColumnRef:
		i := slices.IndexFunc(sel.Items, func(it query.Item) bool { return it.Alias == x.Name })
		if x.Table == "" && !columns[x.Name] && i >= 0 {
			return sel.Items[i].Expr
		}
	}
	return e
}

// groupJoin returns the join of grouped queries; ok is false if an aggregate is over
// columns of both sides, which groups do not tell.
func groupJoin(sel *query.Select, us []*universe) (out *query.Select, ok bool, err error) {
	g := &rowGroups{sel: sel, using: map[string]bool{}}
	for i, t := range []*query.Table{&sel.From, &sel.Rows.Right} {
		u, err := named(t, us)
		if err != nil {
			return nil, true, err
		}
		s := &groupSource{u: u, alias: tableName(&query.Select{From: *t}), names: map[string]bool{}}
		s.query = &query.Select{From: *t}
		g.sides[i] = s
	}
	if g.sides[0].alias == g.sides[1].alias {
		return nil, true, query.Refuse(sel.Rows.Right.Pos, "UNKNOWN_COLUMN", "both sides of the join are called %s", shown(g.sides[0].alias)).Fix("give them different names: FROM a AS p JOIN a AS q")
	}
	for _, c := range sel.Rows.Using {
		for _, s := range g.sides {
			if !s.has(c.Name) {
				return nil, true, query.Refuse(c.At, "UNKNOWN_COLUMN", "%s has no column %s", s.alias, shown(c.Name)).Fix("join by columns of both sides")
			}
			key := &query.ColumnRef{Name: c.Name, At: c.At}
			s.query.Items, s.query.GroupBy = append(s.query.Items, query.Item{Expr: key}), append(s.query.GroupBy, key)
			s.names[c.Name] = true
		}
		g.using[c.Name] = true
	}
	mixed := false
	for _, e := range g.expressions() {
		query.Walk(e, func(x query.Expr) bool {
			if a, ok := x.(*query.Aggregate); ok {
				sides, _ := g.sidesOf(a)
				mixed = mixed || len(sides) > 1
			}
			return !mixed
		})
	}
	if mixed {
		return nil, false, nil
	}
	err = g.write()
	return g.out, true, err
}

// expressions are those over groups.
func (g *rowGroups) expressions() []query.Expr {
	list := []query.Expr{g.sel.Having}
	for _, it := range g.sel.Items {
		list = append(list, it.Expr)
	}
	for _, o := range g.sel.OrderBy {
		list = append(list, o.Expr)
	}
	return list
}

func (g *rowGroups) write() error {
	g.out = &query.Select{From: g.sel.From, Limit: g.sel.Limit, Offset: g.sel.Offset, Join: &query.Join{Using: g.sel.Rows.Using, At: g.sel.Rows.At}}
	if err := g.where(g.sel.Where); err != nil {
		return err
	}
	for _, it := range g.sel.Items {
		e, err := g.outer(it.Expr)
		if err != nil {
			return err
		}
		g.out.Items = append(g.out.Items, query.Item{Expr: e, Alias: columnName(it)})
	}
	var err error
	if g.out.Where, err = g.outer(g.sel.Having); err != nil {
		return err
	}
	for _, o := range g.sel.OrderBy {
		c, plain := o.Expr.(*query.ColumnRef)
		if !plain || c.Table != "" || !slices.ContainsFunc(g.out.Items, func(it query.Item) bool { return it.Alias == c.Name }) {
			if o.Expr, err = g.outer(o.Expr); err != nil {
				return err
			}
		}
		g.out.OrderBy = append(g.out.OrderBy, o)
	}
	for i, t := range []*query.Table{&g.sel.From, &g.sel.Rows.Right} {
		g.out.Join.Sides[i] = query.Side{Query: g.sides[i].query, Alias: g.sides[i].alias, At: t.Pos}
	}
	return nil
}

func (s *groupSource) has(name string) bool {
	return slices.ContainsFunc(s.u.vars, func(v variable) bool { return v.name == name }) || s.u.Schema.Measure(name) >= 0 || s.u.Schema.Input(name) >= 0
}

// side finds the side of a column; -1 for one of USING, which both have.
func (g *rowGroups) side(c *query.ColumnRef) (int, error) {
	var at []int
	for i, s := range g.sides {
		if (c.Table == "" || c.Table == s.alias) && s.has(c.Name) {
			at = append(at, i)
		}
	}
	switch {
	case g.using[c.Name] && len(at) > 0:
		return -1, nil
	case len(at) == 1:
		return at[0], nil
	case len(at) > 1:
		return 0, query.Refuse(c.At, "UNKNOWN_COLUMN", "both %s and %s have a column %s", g.sides[0].alias, g.sides[1].alias, shown(c.Name)).
			Fix("write %s.%s or %s.%s", g.sides[0].alias, c.Name, g.sides[1].alias, c.Name)
	}
	var all []string
	for _, s := range g.sides {
		for _, name := range (&names{u: s.u}).all() {
			all = append(all, s.alias+"."+name)
		}
	}
	return 0, query.Refuse(c.At, "UNKNOWN_COLUMN", "the join has no column %s", shown(c.Name)).Fix("%s", suggest(c.Name, sortedSet(all)))
}

// sidesOf lists the sides that an expression has columns of, besides those of USING.
func (g *rowGroups) sidesOf(e query.Expr) (list []int, err error) {
	query.Walk(e, func(x query.Expr) bool {
		c, ok := x.(*query.ColumnRef)
		if !ok || err != nil {
			return err == nil
		}
		var i int
		if i, err = g.side(c); err == nil && i >= 0 && !slices.Contains(list, i) {
			list = append(list, i)
		}
		return err == nil
	})
	return list, err
}

// own writes an expression as one over a side alone.
func own(e query.Expr) query.Expr {
	out, _ := query.Rewrite(e, func(x query.Expr) (query.Expr, error) {
		if c, ok := x.(*query.ColumnRef); ok {
			return &query.ColumnRef{Name: c.Name, At: c.At}, nil
		}
		return nil, nil
	})
	return out
}

// where gives every condition that AND joins to the sides that it is about.
func (g *rowGroups) where(e query.Expr) error {
	if e == nil {
		return nil
	}
	if b, ok := e.(*query.Binary); ok && b.Op == query.And {
		if err := g.where(b.X); err != nil {
			return err
		}
		return g.where(b.Y)
	}
	sides, err := g.sidesOf(e)
	if err != nil {
		return err
	}
	switch len(sides) {
	case 0:
		sides = []int{0, 1}
	case 2:
		return noJoin(e.Position(), "%s is about rows of both sides at once", query.Format(e)).Fix("write conditions on each side, joined by AND")
	}
	for _, i := range sides {
		q := g.sides[i].query
		if q.Where == nil {
			q.Where = own(e)
			continue
		}
		q.Where = &query.Binary{Op: query.And, X: q.Where, Y: own(e), At: e.Position()}
	}
	return nil
}

// outer writes an expression over groups in terms of the results of the sides.
func (g *rowGroups) outer(e query.Expr) (query.Expr, error) {
	return query.Rewrite(e, func(x query.Expr) (query.Expr, error) {
		switch x := x.(type) {
		case *query.Aggregate:
			return g.aggregate(x)
		case *query.ColumnRef:
			i, err := g.side(x)
			if err != nil {
				return nil, err
			}
			if i >= 0 {
				return nil, query.Refuse(x.At, "NOT_GROUPED", "%s is neither aggregated nor in GROUP BY", x.Name).Fix("aggregate it, such as COUNT(%s), or join and group by it, too", query.Format(x))
			}
			return &query.ColumnRef{Name: x.Name, At: x.At}, nil
		}
		return nil, nil
	})
}

// aggregate writes an aggregate of joined rows.
func (g *rowGroups) aggregate(a *query.Aggregate) (query.Expr, error) {
	sides, err := g.sidesOf(a)
	if err != nil {
		return nil, err
	}
	i := 0
	if len(sides) > 0 {
		i = sides[0]
	}
	x := g.column(i, own(a).(*query.Aggregate))
	switch a.Func {
	case query.Count, query.Sum, query.RegrCount, query.RegrSXX, query.RegrSYY, query.RegrSXY:
		rows := g.column(1-i, &query.Aggregate{Func: query.Count, Name: "count", At: a.At})
		return &query.Binary{Op: query.Mul, X: x, Y: rows, At: a.At}, nil
	case query.VarSamp, query.StddevSamp, query.CovarSamp, query.PercentileCont:
		better := map[query.Func]string{query.VarSamp: "VAR_POP", query.StddevSamp: "STDDEV_POP", query.CovarSamp: "COVAR_POP", query.PercentileCont: "PERCENTILE_DISC"}
		return nil, noJoin(a.At, "%s depends on how often each row is joined", strings.ToUpper(a.Name)).
			Fix("use %s; or %s", better[a.Func], groupedJoin)
	}
	return x, nil
}

// column adds an aggregate to the results of a side, equal ones once.
func (g *rowGroups) column(i int, a *query.Aggregate) query.Expr {
	s, name := g.sides[i], query.Format(a)
	if !s.names[name] {
		s.names[name] = true
		s.query.Items = append(s.query.Items, query.Item{Expr: a, Alias: name})
	}
	return &query.ColumnRef{Table: s.alias, Name: name, At: a.At}
}
