package plan

import (
	"errors"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// rowJoin is the join of the rows of two products whose files are aligned: the row of a
// combination of codes is joined with the other owner's row of the same combination, slot
// by slot. Aggregates over it are sums of products of columns of different keys.
type rowJoin struct {
	sel        *query.Select
	sides      [2]rowSide
	shared     []string // columns of USING that are partitions, in the order of the first schema
	needs      *needs   // of the first side; what is needed of the join is among them
	quantities []crossQuantity
}

type rowSide struct {
	u     *universe
	alias string
}

// compileRows plans a join of rows.
func compileRows(sel *query.Select, us []*universe) (*Plan, error) {
	j, err := newRowJoin(sel, us)
	if err != nil {
		return nil, err
	}
	own, err := j.single()
	if err != nil {
		return nil, err
	}
	s, err := newSource(0, own, j.sides[0].u)
	if err != nil {
		return nil, err
	}
	if s.private != nil {
		return nil, noJoin(s.private.at, "products across owners take no private parameters: a keyholder's share is a product already").
			Fix("write the value into the query, or ask for sums of either side by groups, which take them")
	}
	s.alias, j.needs, s.needs.join = j.sides[0].alias, s.needs, j
	s.outputs.pairs = new([]pair)
	if s.counted() {
		s.needs.list[0] = j.need(crossQuantity{})
	}
	recipe, columns, err := s.outputs.compile()
	if err != nil {
		return nil, err
	}
	if len(s.keys) == 0 && len(s.needs.funcs) == 0 {
		return nil, query.Refuse(sel.Items[0].Expr.Position(), "NO_AGGREGATE", "the query computes no aggregate, and rows are never released").
			Fix("select COUNT(*) or SUM of a measure")
	}
	other := &source{index: 1, alias: j.sides[1].alias, sel: own, u: j.sides[1].u, needs: &needs{}, at: s.at}
	sources := []*source{s, other}
	u := s.u
	out := &Plan{Select: sel, Product: u.ID, Layout: u.Encoding.Layout, Profile: u.Profile, Committee: u.Committee, Across: true, Columns: columns, recipe: recipe}
	summary := s.summary()
	out.Aggregates, out.GroupBy, out.Filters = summary.Aggregates, summary.GroupBy, summary.Filters
	for _, side := range sources {
		summary.Product, summary.Alias, summary.Layout, summary.Encoding = side.u.ID, side.alias, side.u.Encoding.Layout, side.u.Encoding
		out.Sources = append(out.Sources, summary)
	}
	if err := j.open(out, s); err != nil {
		return nil, err
	}
	if err := out.finish(sources); err != nil {
		return nil, err
	}
	return out, nil
}

// newRowJoin finds the sides and checks that their rows belong together.
func newRowJoin(sel *query.Select, us []*universe) (*rowJoin, error) {
	j := &rowJoin{sel: sel}
	for i, t := range []*query.Table{&sel.From, &sel.Rows.Right} {
		u, err := named(t, us)
		if err != nil {
			return nil, err
		}
		j.sides[i] = rowSide{u, t.Alias}
		if t.Alias == "" {
			j.sides[i].alias = t.Name[strings.LastIndexByte(t.Name, '/')+1:]
		}
	}
	left, right := j.sides[0].u, j.sides[1].u
	at := sel.Rows.Right.Pos
	switch {
	case left == right:
		return nil, noJoin(at, "the rows of a product are joined with those of another, and both sides are %s", left.ID).Fix("%s", groupedJoin)
	case j.sides[0].alias == j.sides[1].alias:
		return nil, query.Refuse(at, "UNKNOWN_COLUMN", "both sides of the join are called %s", shown(j.sides[0].alias)).Fix("give them different names")
	}
	if err := fit(&sel.Rows.Right, left, right); err != nil {
		return nil, err
	}
	for _, s := range j.sides {
		if !s.u.Encoding.Aligned() {
			return nil, noJoin(sel.Rows.At, "the rows of %s are in no order that another owner's could be joined by", s.u.ID).
				Fix("%s; a new version of the schema can set aligned: true for the records layout", groupedJoin)
		}
	}
	if err := left.Committee.AllowsCross(); err != nil {
		return nil, refusalAt(at, err)
	}
	for _, s := range j.sides {
		for key := range s.u.Homes {
			return nil, refusalAt(at, share.CrossHome(key))
		}
	}
	return j, j.using()
}

const groupedJoin = "join two grouped queries: FROM (SELECT d, SUM(x) AS x FROM a GROUP BY d) AS p JOIN (SELECT d, SUM(y) AS y FROM b GROUP BY d) AS q USING (d)"

// refusalAt gives an error of kind Refused a place in the query.
func refusalAt(at query.Pos, err error) error {
	var e *carnet.Error
	if !errors.As(err, &e) {
		return err
	}
	return query.Refuse(at, e.Reason, "%s", e.Msg).OfKind(e.Kind).Fix("%s", e.Remedy)
}

// using checks that the join is by everything that tells rows apart, which means the same
// on both sides: then a row has one partner at most, that in the same slot.
func (j *rowJoin) using() error {
	named := map[string]bool{}
	for _, c := range j.sel.Rows.Using {
		if named[c.Name] {
			return query.Refuse(c.At, "SYNTAX", "%s is named twice", shown(c.Name)).Fix("name it once")
		}
		named[c.Name] = true
	}
	left, right := j.sides[0].u.Schema, j.sides[1].u.Schema
	var all []string
	for i := range left.Dimensions {
		all = append(all, left.Dimensions[i].Name)
	}
	if !slices.EqualFunc(left.Dimensions, right.Dimensions, sameCodes) {
		return noJoin(j.sel.Rows.At, "the dimensions of %s and %s differ, in names, codes or order", j.sides[0].u.ID, j.sides[1].u.ID).
			Fix("%s; or publish both under schemas with the same dimensions", groupedJoin)
	}
	for i := range left.Partitions {
		name := left.Partitions[i].Name
		if all = append(all, name); right.Partition(name) < 0 {
			return noJoin(j.sel.Rows.At, "%s has no partition %s", j.sides[1].u.ID, name).Fix("%s", groupedJoin)
		}
		j.shared = append(j.shared, name)
	}
	for i := range right.Partitions {
		if left.Partition(right.Partitions[i].Name) < 0 {
			return noJoin(j.sel.Rows.At, "%s has no partition %s", j.sides[0].u.ID, right.Partitions[i].Name).Fix("%s", groupedJoin)
		}
	}
	for _, c := range j.sel.Rows.Using {
		if !slices.Contains(all, c.Name) {
			return query.Refuse(c.At, "UNKNOWN_COLUMN", "%s is no dimension or partition of both sides", shown(c.Name)).Fix("%s", suggest(c.Name, all))
		}
	}
	if len(named) < len(all) {
		return noJoin(j.sel.Rows.At, "rows are joined by all columns that tell them apart").Fix("write USING (%s); or %s", strings.Join(all, ", "), groupedJoin)
	}
	return nil
}

func sameCodes(a, b schema.Dimension) bool {
	return a.Name == b.Name && slices.EqualFunc(a.Codes, b.Codes, func(x, y schema.Code) bool { return x.Value == y.Value })
}

// single writes the query as one over the first side: WHERE, GROUP BY and what is computed
// from groups are by partitions, which both sides have.
func (j *rowJoin) single() (*query.Select, error) {
	own := *j.sel
	own.Rows = nil
	var err error
	plain := func(e query.Expr) query.Expr {
		if err != nil || e == nil {
			return e
		}
		var out query.Expr
		out, err = query.Rewrite(e, func(x query.Expr) (query.Expr, error) {
			switch x := x.(type) {
			case *query.Aggregate:
				return x, nil
			case *query.ColumnRef:
				return j.public(x)
			}
			return nil, nil
		})
		return out
	}
	own.Where = plain(j.sel.Where)
	own.GroupBy, own.Items, own.OrderBy = nil, nil, nil
	for _, e := range j.sel.GroupBy {
		own.GroupBy = append(own.GroupBy, plain(e))
	}
	own.Having = plain(j.sel.Having)
	for _, it := range j.sel.Items {
		it.Expr = plain(it.Expr)
		own.Items = append(own.Items, it)
	}
	for _, o := range j.sel.OrderBy {
		if !j.alias(o.Expr) {
			o.Expr = plain(o.Expr)
		}
		own.OrderBy = append(own.OrderBy, o)
	}
	return &own, err
}

// alias reports whether a key of ORDER BY is the name of a result column.
func (j *rowJoin) alias(e query.Expr) bool {
	c, ok := e.(*query.ColumnRef)
	return ok && c.Table == "" && slices.ContainsFunc(j.sel.Items, func(it query.Item) bool { return columnName(it) == c.Name })
}

// public is a column outside of aggregates: a partition that both sides have.
func (j *rowJoin) public(c *query.ColumnRef) (query.Expr, error) {
	if c.Table != "" && c.Table != j.sides[0].alias && c.Table != j.sides[1].alias {
		return nil, query.Refuse(c.At, "UNKNOWN_COLUMN", "there is no table %s in this query", shown(c.Table)).Fix("the sides are %s and %s", j.sides[0].alias, j.sides[1].alias)
	}
	if slices.Contains(j.shared, c.Name) {
		return &query.ColumnRef{Name: c.Name, At: c.At}, nil
	}
	s := j.sides[0].u.Schema
	switch {
	case s.Dimension(c.Name) >= 0:
		return nil, noJoin(c.At, "rows that are joined across owners are selected and grouped by partitions only, and %s is a dimension", shown(c.Name)).Fix("%s", groupedJoin)
	case c.Name == ownerColumn || c.Name == jurisdictionColumn:
		return nil, noJoin(c.At, "both sides of the join have a column %s", c.Name).Fix("leave it out: the query names two products")
	}
	for i := range j.sides {
		if j.sides[i].u.Schema.Measure(c.Name) >= 0 {
			return nil, query.Refuse(c.At, "NOT_GROUPED", "%s is a measure: single values are never released", shown(c.Name)).Fix("aggregate it: SUM(%s.%s)", j.sides[i].alias, c.Name)
		}
	}
	return nil, query.Refuse(c.At, "UNKNOWN_COLUMN", "the join has no column %s", shown(c.Name)).Fix("%s", suggest(c.Name, j.shared))
}
