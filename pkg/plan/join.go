package plan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
)

// joinedQuery is a join written as one query: the sums of each side are those of the rows
// that its condition selects, and the groups are those that both sides have.
type joinedQuery struct {
	sel  *query.Select
	rows *query.Aggregate // the row count of the first side
	// shared are the conditions of the sides, which every aggregate in it has.
	shared map[query.Expr]*cond
}

// joiner rewrites a join.
type joiner struct {
	names *names
	sel   *query.Select
	sides [2]joinSide
	keys  map[string]query.Expr // per column of USING: what both sides are grouped by
	size  int                   // parts of the expressions that names of columns stand for
}

// joinSide is one of the two queries.
type joinSide struct {
	alias   string
	where   query.Expr // nil: all rows
	having  query.Expr
	columns map[string]query.Expr // result columns; nil for a name that several have
	used    map[string]bool
	rows    *query.Aggregate // its row count
}

func noJoin(at query.Pos, format string, args ...any) *query.Refusal {
	return query.Refuse(at, "UNSUPPORTED", format, args...)
}

// rewrite returns the query without its join.
func (n *names) rewrite(sel *query.Select, p *Product) (*joinedQuery, error) {
	j := &joiner{names: n, sel: sel, keys: map[string]query.Expr{}}
	if sel.GroupBy != nil || sel.Having != nil {
		return nil, noJoin(sel.Join.At, "a join is of groups already, and is not grouped again").Fix("put GROUP BY and HAVING into the joined queries; conditions on both go into WHERE")
	}
	for i := range sel.Join.Sides {
		if err := j.side(i, p); err != nil {
			return nil, err
		}
	}
	for _, c := range sel.Join.Using {
		if err := j.using(c); err != nil {
			return nil, err
		}
	}
	for i := range j.sides {
		if g := len(sel.Join.Sides[i].Query.GroupBy); g != len(j.keys) {
			return nil, noJoin(sel.Join.Sides[i].At, "%s is grouped by %d columns, and joined by %d", j.sides[i].alias, g, len(j.keys)).
				Fix("group both sides by the columns of USING, and by nothing else")
		}
	}
	out, err := j.query()
	if err != nil {
		return nil, err
	}
	shared := map[query.Expr]*cond{}
	for i := range j.sides {
		if w := j.sides[i].where; w != nil {
			shared[w] = nil
		}
	}
	return &joinedQuery{out, j.sides[0].rows, shared}, j.idle()
}

// idle refuses result columns of the sides that nothing uses: they are not compiled,
// and could be anything.
func (j *joiner) idle() error {
	for i := range j.sides {
		s := &j.sides[i]
		for _, it := range j.sel.Join.Sides[i].Query.Items {
			if name := columnName(it); j.keys[name] == nil && !s.used[name] {
				return noJoin(it.Expr.Position(), "nothing uses column %s of %s", shown(name), s.alias).Fix("leave it out, or select %s.%s", s.alias, shown(name))
			}
		}
	}
	return nil
}

// side reads a joined query.
func (j *joiner) side(i int, p *Product) error {
	s := &j.sel.Join.Sides[i]
	if err := checkFrom(s.Query, p); err != nil {
		return noJoin(s.Query.From.Pos, "the two sides of a join read the same product, and %s is not %s", shown(s.Query.From.Name), p.ID).
			Fix("ask about each product with a query of its own; datasets of one schema can form one product")
	}
	own := &names{u: j.names.u, table: tableName(s.Query)}
	plain := func(e query.Expr) (query.Expr, error) {
		return query.Rewrite(e, func(x query.Expr) (query.Expr, error) {
			c, ok := x.(*query.ColumnRef)
			if !ok {
				return nil, nil
			}
			if c.Table != "" && c.Table != own.table {
				_, err := own.resolve(c)
				return nil, err
			}
			return &query.ColumnRef{Name: c.Name, At: c.At}, nil
		})
	}
	out := &j.sides[i]
	out.alias, out.columns, out.used = s.Alias, map[string]query.Expr{}, map[string]bool{}
	if i == 1 && out.alias == j.sides[0].alias {
		return query.Refuse(s.At, "UNKNOWN_COLUMN", "both sides of the join are called %s", shown(out.alias)).Fix("give them different names")
	}
	var err error
	if out.where, err = plain(s.Query.Where); err != nil {
		return err
	}
	out.rows = &query.Aggregate{Func: query.Count, Name: "count", Filter: out.where, At: s.At}
	if out.having, err = plain(s.Query.Having); err != nil {
		return err
	}
	if out.having, err = out.filtered(out.having); err != nil {
		return err
	}
	for _, it := range s.Query.Items {
		e, err := plain(it.Expr)
		if err != nil {
			return err
		}
		if e, err = out.filtered(e); err != nil {
			return err
		}
		name := columnName(it)
		if _, twice := out.columns[name]; twice {
			e = nil
		}
		out.columns[name] = e
	}
	return nil
}

// filtered restricts all aggregates of an expression to the rows of the side.
func (s *joinSide) filtered(e query.Expr) (query.Expr, error) {
	if s.where == nil {
		return e, nil
	}
	return query.Rewrite(e, func(x query.Expr) (query.Expr, error) {
		a, ok := x.(*query.Aggregate)
		if !ok {
			return nil, nil
		}
		c := *a
		if c.Filter = s.where; a.Filter != nil {
			c.Filter = &query.Binary{Op: query.And, X: s.where, Y: a.Filter, At: a.Filter.Position()}
		}
		return &c, nil
	})
}

// using finds what both sides are grouped by.
func (j *joiner) using(c *query.ColumnRef) error {
	if _, twice := j.keys[c.Name]; twice {
		return query.Refuse(c.At, "SYNTAX", "%s is named twice", shown(c.Name)).Fix("name it once")
	}
	var own [2]query.Expr
	for i := range j.sides {
		s := &j.sides[i]
		if own[i] = s.columns[c.Name]; own[i] == nil {
			return query.Refuse(c.At, "UNKNOWN_COLUMN", "%s has no column %s to be joined by, or several", s.alias, shown(c.Name)).
				Fix("select and group by %s on both sides", shown(c.Name))
		}
		if !j.grouped(i, own[i], c.Name) {
			return noJoin(c.At, "%s is not grouped by %s", s.alias, shown(c.Name)).Fix("group both sides by the columns of USING, and by nothing else")
		}
	}
	if !query.Equal(own[0], own[1]) {
		return noJoin(c.At, "%s means %s on one side and %s on the other", shown(c.Name), query.Format(own[0]), query.Format(own[1])).
			Fix("group both sides by the same expression")
	}
	j.keys[c.Name] = own[0]
	return nil
}

// grouped tells whether GROUP BY of a side lists an expression of its result.
func (j *joiner) grouped(side int, e query.Expr, name string) bool {
	q := j.sel.Join.Sides[side].Query
	return slices.ContainsFunc(q.GroupBy, func(g query.Expr) bool {
		switch g := g.(type) {
		case *query.Literal:
			if i, err := position(g, len(q.Items)); err == nil {
				return columnName(q.Items[i]) == name
			}
		case *query.ColumnRef:
			return g.Name == name || query.Equal(g, e)
		}
		return query.Equal(g, e)
	})
}

// query writes the join as one query.
func (j *joiner) query() (*query.Select, error) {
	out := &query.Select{From: query.Table{Name: j.sel.From.Name, Pos: j.sel.From.Pos}, Limit: j.sel.Limit, Offset: j.sel.Offset}
	and := func(x, y query.Expr) query.Expr {
		if x == nil || y == nil {
			return either(x, y)
		}
		return &query.Binary{Op: query.And, X: x, Y: y, At: y.Position()}
	}
	if x, y := j.sides[0].where, j.sides[1].where; x != nil && y != nil {
		out.Where = &query.Binary{Op: query.Or, X: x, Y: y, At: x.Position()}
	}
	for _, c := range j.sel.Join.Using {
		key := j.keys[c.Name]
		out.GroupBy = append(out.GroupBy, key)
		r, err := j.names.rowValue(key)
		if err != nil {
			return nil, err
		}
		null, err := j.names.nullCond(r)
		if err != nil {
			return nil, err
		}
		if !null.never() { // NULL is equal to nothing
			out.Where = and(out.Where, &query.IsNull{X: key, Not: true, At: c.At})
		}
	}
	for i := range j.sides {
		s := &j.sides[i]
		some := &query.Binary{Op: query.Gt, X: s.rows, Y: &query.Literal{Kind: query.Number, Text: "0", At: s.rows.At}, At: s.rows.At}
		out.Having = and(and(out.Having, some), s.having)
	}
	where, err := j.outer(j.sel.Where)
	if err != nil {
		return nil, err
	}
	out.Having = and(out.Having, where)
	aliases := map[string]bool{}
	for _, it := range j.sel.Items {
		e, err := j.outer(it.Expr)
		if err != nil {
			return nil, err
		}
		name := columnName(it)
		aliases[name] = true
		if c, plain := e.(*query.ColumnRef); name == "?column?" || plain && c.Name == name {
			name = ""
		}
		out.Items = append(out.Items, query.Item{Expr: e, Alias: name})
	}
	for _, o := range j.sel.OrderBy {
		if c, ok := o.Expr.(*query.ColumnRef); !ok || c.Table != "" || !aliases[c.Name] {
			if o.Expr, err = j.outer(o.Expr); err != nil {
				return nil, err
			}
		}
		out.OrderBy = append(out.OrderBy, o)
	}
	return out, nil
}

func either(x, y query.Expr) query.Expr {
	if x == nil {
		return y
	}
	return x
}

// outer replaces the columns of the sides by what they stand for.
func (j *joiner) outer(e query.Expr) (query.Expr, error) {
	return query.Rewrite(e, func(x query.Expr) (query.Expr, error) {
		switch x := x.(type) {
		case *query.Aggregate:
			return nil, noJoin(x.At, "a join is of groups already, and is not aggregated again").Fix("compute %s in the joined queries", query.Format(x))
		case *query.ColumnRef:
			return j.column(x)
		}
		return nil, nil
	})
}

// maxRewritten bounds the parts of what names of columns stand for, counted each time
// they are used.
const maxRewritten = 1 << 17

// column is what a column of the join stands for.
func (j *joiner) column(c *query.ColumnRef) (query.Expr, error) {
	e, err := j.find(c)
	query.Walk(e, func(query.Expr) bool { j.size++; return j.size <= maxRewritten })
	if err == nil && j.size > maxRewritten {
		return nil, query.Refuse(c.At, "TOO_COMPLEX", "written out, the join has more than %d parts", maxRewritten).Fix("use columns of the joined queries less often, or several queries")
	}
	return e, err
}

func (j *joiner) find(c *query.ColumnRef) (query.Expr, error) {
	if key, ok := j.keys[c.Name]; ok && (c.Table == "" || c.Table == j.sides[0].alias || c.Table == j.sides[1].alias) {
		return key, nil
	}
	var found query.Expr
	var all []string
	for i := range j.sides {
		s := &j.sides[i]
		for name := range s.columns {
			all = append(all, s.alias+"."+name)
		}
		if c.Table != "" && c.Table != s.alias {
			continue
		}
		e, ok := s.columns[c.Name]
		if ok && (found != nil || e == nil) {
			return nil, query.Refuse(c.At, "UNKNOWN_COLUMN", "several columns of the join are called %s", shown(c.Name)).
				Fix("write %s.%s or %s.%s, and give columns different names", j.sides[0].alias, shown(c.Name), j.sides[1].alias, shown(c.Name))
		}
		if ok {
			found = e
			s.used[c.Name] = true
		}
	}
	if found == nil {
		return nil, query.Refuse(c.At, "UNKNOWN_COLUMN", "the join has no column %s", shown(c.Name)).Fix("%s", suggest(c.Name, sortedSet(all)))
	}
	return found, nil
}
