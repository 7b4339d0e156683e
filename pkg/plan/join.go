package plan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
)

// joiner says what the columns of a join stand for: each side is a source, and the groups
// of the join are those that both have.
type joiner struct {
	sel   *query.Select
	sides []*joinSide
	keys  map[string]bool // columns of USING
	size  int             // parts of the expressions that names of columns stand for
}

// joinSide is one of the queries that are joined.
type joinSide struct {
	alias   string
	columns map[string]query.Expr // result columns; nil for a name that several have
	used    map[string]bool
	source  *source
}

func noJoin(at query.Pos, format string, args ...any) *query.Refusal {
	return query.Refuse(at, "UNSUPPORTED", format, args...).Fix("write the join as docs/reference/sql.md shows it")
}

// newJoin compiles the sides of a join.
func newJoin(sel *query.Select, us []*universe) (*joiner, []*source, error) {
	j := &joiner{sel: sel, keys: map[string]bool{}}
	if sel.GroupBy != nil || sel.Having != nil {
		return nil, nil, noJoin(sel.Join.At, "a join is of groups already, and is not grouped again").Fix("put GROUP BY and HAVING into the joined queries; conditions on both go into WHERE")
	}
	for i := range sel.Join.Sides {
		if err := j.side(i); err != nil {
			return nil, nil, err
		}
	}
	if err := j.using(); err != nil {
		return nil, nil, err
	}
	var sources []*source
	for i := range sel.Join.Sides {
		s, err := j.source(i, us)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, s)
	}
	for k, c := range sel.Join.Using {
		if err := j.agree(c, sources[0], sources[1], k); err != nil {
			return nil, nil, err
		}
	}
	return j, sources, j.uses()
}

// side reads the columns of a joined query.
func (j *joiner) side(i int) error {
	s := &j.sel.Join.Sides[i]
	out := &joinSide{alias: s.Alias, columns: map[string]query.Expr{}, used: map[string]bool{}}
	if i == 1 && out.alias == j.sides[0].alias {
		return query.Refuse(s.At, "UNKNOWN_COLUMN", "both sides of the join are called %s", shown(out.alias)).Fix("give them different names")
	}
	for _, it := range s.Query.Items {
		name, e := columnName(it), it.Expr
		if _, twice := out.columns[name]; twice {
			e = nil
		}
		out.columns[name] = e
	}
	j.sides = append(j.sides, out)
	return nil
}

// using finds what the sides are grouped by.
func (j *joiner) using() error {
	for _, c := range j.sel.Join.Using {
		if j.keys[c.Name] {
			return query.Refuse(c.At, "SYNTAX", "%s is named twice", shown(c.Name)).Fix("name it once")
		}
		for i, s := range j.sides {
			own := s.columns[c.Name]
			if own == nil {
				return query.Refuse(c.At, "UNKNOWN_COLUMN", "%s has no column %s to be joined by, or several", s.alias, shown(c.Name)).
					Fix("select and group by %s on both sides", shown(c.Name))
			}
			if !j.grouped(i, own, c.Name) {
				return noJoin(c.At, "%s is not grouped by %s", s.alias, shown(c.Name)).Fix("group both sides by the columns of USING, and by nothing else")
			}
		}
		j.keys[c.Name] = true
	}
	for i, s := range j.sides {
		if g := len(j.sel.Join.Sides[i].Query.GroupBy); g != len(j.keys) {
			return noJoin(j.sel.Join.Sides[i].At, "%s is grouped by %d columns, and joined by %d", s.alias, g, len(j.keys)).
				Fix("group both sides by the columns of USING, and by nothing else")
		}
	}
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

// source compiles a side, with its keys in the order of USING.
func (j *joiner) source(i int, us []*universe) (*source, error) {
	own := *j.sel.Join.Sides[i].Query
	u, err := named(&own.From, us)
	if err != nil {
		return nil, err
	}
	if i > 0 {
		if err := fit(&own.From, j.sides[0].source.u, u); err != nil {
			return nil, err
		}
	}
	own.GroupBy = nil
	for _, c := range j.sel.Join.Using {
		e := j.sides[i].columns[c.Name]
		if _, constant := e.(*query.Literal); constant {
			return nil, noJoin(e.Position(), "grouping by a constant has no effect").Fix("group both sides by a column")
		}
		own.GroupBy = append(own.GroupBy, e)
	}
	s, err := newSource(i, &own, u)
	if err != nil {
		return nil, err
	}
	if len(s.keys) != len(own.GroupBy) {
		return nil, noJoin(j.sel.Join.Sides[i].At, "%s is grouped by the same column twice", j.sides[i].alias).Fix("name it once in USING")
	}
	s.alias, j.sides[i].source = j.sides[i].alias, s
	return s, nil
}

// agree checks that column k of USING means values of one sort on both sides.
func (j *joiner) agree(c *query.ColumnRef, p, q *source, k int) error {
	x, y := &p.keys[k], &q.keys[k]
	differ := func(format string, args ...any) error {
		return noJoin(c.At, "%s is %s of %s and %s of %s: "+format, append([]any{shown(c.Name), x.name, p.alias, y.name, q.alias}, args...)...).
			Fix("join by columns that mean the same on both sides")
	}
	if x.static.kind != y.static.kind {
		return differ("one is %s, one is %s", x.static.what(), y.static.what())
	}
	if x.static.num != y.static.num {
		return differ("one is a whole number, one is not")
	}
	if x.variable < 0 || y.variable < 0 {
		return nil
	}
	return x.domain(p).matches(y.domain(q), differ)
}

func (k *groupKey) domain(s *source) *domain { return s.u.vars[k.variable].domain }

// matches checks that two columns have the same codes, if they have lists of them.
func (d *domain) matches(o *domain, differ func(string, ...any) error) error {
	switch {
	case d.unit != o.unit:
		return differ("one holds a date for each %s, one for each %s", d.unit, o.unit)
	case d.closed && o.closed:
		for _, x := range [][2]*domain{{d, o}, {o, d}} {
			for _, code := range x[0].values {
				if _, ok := x[1].index[code]; !ok {
					return differ("only one has the code %s", shown(code))
				}
			}
		}
	}
	switch {
	case d.order != o.order:
		return differ("their codes are ordered differently")
	case d.order == byList && !slices.Equal(d.values, o.values):
		return differ("their codes are ordered differently")
	}
	return nil
}

// maxRewritten bounds the parts of what names of columns stand for, counted each time
// they are used.
const maxRewritten = 1 << 17

// uses looks at every column that the join names. It refuses result columns of the sides
// that nothing uses: they are not compiled, and could be anything.
func (j *joiner) uses() error {
	var failed error
	look := func(e query.Expr) bool {
		if c, ok := e.(*query.ColumnRef); ok && failed == nil {
			_, x, err := j.find(c)
			query.Walk(x, func(query.Expr) bool { j.size++; return j.size <= maxRewritten })
			if failed = err; err == nil && j.size > maxRewritten {
				failed = query.Refuse(c.At, "TOO_COMPLEX", "written out, the join has more than %d parts", maxRewritten).Fix("use columns of the joined queries less often, or several queries")
			}
		}
		return failed == nil
	}
	for _, it := range j.sel.Items {
		query.Walk(it.Expr, look)
	}
	query.Walk(j.sel.Where, look)
	for _, o := range j.sel.OrderBy {
		if !j.named(o.Expr) {
			query.Walk(o.Expr, look)
		}
	}
	if failed != nil {
		return failed
	}
	for i, s := range j.sides {
		for _, it := range j.sel.Join.Sides[i].Query.Items {
			if name := columnName(it); !j.keys[name] && !s.used[name] {
				return noJoin(it.Expr.Position(), "nothing uses column %s of %s", shown(name), s.alias).Fix("leave it out, or select %s.%s", s.alias, shown(name))
			}
		}
	}
	return nil
}

// named reports whether a key of ORDER BY is the name of a result column.
func (j *joiner) named(e query.Expr) bool {
	c, ok := e.(*query.ColumnRef)
	return ok && c.Table == "" && slices.ContainsFunc(j.sel.Items, func(it query.Item) bool { return columnName(it) == c.Name })
}

// find returns what a column of the join stands for, and the side that it is of.
func (j *joiner) find(c *query.ColumnRef) (*joinSide, query.Expr, error) {
	if j.keys[c.Name] && (c.Table == "" || c.Table == j.sides[0].alias || c.Table == j.sides[1].alias) {
		return j.sides[0], j.sides[0].columns[c.Name], nil
	}
	var side *joinSide
	var all []string
	for _, s := range j.sides {
		for name := range s.columns {
			all = append(all, s.alias+"."+name)
		}
		if c.Table != "" && c.Table != s.alias {
			continue
		}
		e, ok := s.columns[c.Name]
		if ok && (side != nil || e == nil) {
			return nil, nil, query.Refuse(c.At, "UNKNOWN_COLUMN", "several columns of the join are called %s", shown(c.Name)).
				Fix("write %s.%s or %s.%s, and give columns different names", j.sides[0].alias, shown(c.Name), j.sides[1].alias, shown(c.Name))
		}
		if ok {
			side = s
			s.used[c.Name] = true
		}
	}
	if side == nil {
		return nil, nil, query.Refuse(c.At, "UNKNOWN_COLUMN", "the join has no column %s", shown(c.Name)).Fix("%s", suggest(c.Name, sortedSet(all)))
	}
	return side, side.columns[c.Name], nil
}

func aggregatedAgain(e *query.Aggregate) error {
	return noJoin(e.At, "a join is of groups already, and is not aggregated again").Fix("compute %s in the joined queries", query.Format(e))
}
