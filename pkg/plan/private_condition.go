package plan

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/share"
)

// privateForm is what refusals suggest.
const privateForm = "column = PRIVATE($1) or column IN (PRIVATE($1), PRIVATE($2))"

// splitPrivate takes the conditions with private parameters out of WHERE. They must be among
// those that AND joins: one below OR or NOT would not select a number of codes that is known.
func splitPrivate(where query.Expr) (rest query.Expr, private []query.Expr) {
	if where == nil || !hasPrivate(where) {
		return where, nil
	}
	b, ok := where.(*query.Binary)
	if !ok || b.Op != query.And {
		return nil, []query.Expr{where}
	}
	x, px := splitPrivate(b.X)
	y, py := splitPrivate(b.Y)
	private = append(px, py...)
	switch {
	case x == nil:
		return y, private
	case y == nil:
		return x, private
	}
	return &query.Binary{Op: query.And, X: x, Y: y, At: b.At}, private
}

func hasPrivate(e query.Expr) (found bool) {
	query.Walk(e, func(x query.Expr) bool {
		_, is := x.(*query.Private)
		found = found || is
		return !found
	})
	return found
}

// privateCondition reads the conditions that splitPrivate found: one, or several that
// select one code each, which are one selection of all combinations. Of lists there is
// one: what two select would be every combination of their codes, and that the entries of a
// selection are such a product is not checked.
func (n *names) privateCondition(sel *query.Select, rest query.Expr, list []query.Expr) (*Private, error) {
	first, err := n.privateDimension(list[0], len(list))
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		if first.Weight >= len(first.Codes) {
			return nil, query.Refuse(first.at, "PRIVATE_COLUMN", "%s has %s, and selecting %d of them hides nothing", first.Column, plural(len(first.Codes), "code"), first.Weight).
				Fix("leave the condition out, or select fewer codes")
		}
	} else if first, err = n.privateProduct(list); err != nil {
		return nil, err
	}
	for _, d := range first.dims {
		if err := n.privateElsewhere(sel, rest, d); err != nil {
			return nil, err
		}
	}
	return first, n.privatePossible(first)
}

// privateProduct combines conditions that select one code each.
func (n *names) privateProduct(list []query.Expr) (*Private, error) {
	out := &Private{Weight: 1, at: list[0].Position(), dims: make([]privateDim, len(list)), Codes: []string{""}, order: [][]int{nil}}
	for _, e := range list {
		p, err := n.privateDimension(e, len(list))
		if err != nil {
			return nil, err
		}
		if p.Spare > 0 {
			return nil, query.Refuse(e.Position(), "UNSUPPORTED", "a list of private parameters is the only private condition of a query").
				Fix("write column = PRIVATE($1) in each of several conditions, or the values of the others into the query")
		}
		for _, d := range out.dims {
			if d.domain != nil && d.variable == p.dims[0].variable {
				return nil, query.Refuse(e.Position(), "PRIVATE_COLUMN", "%s is selected privately, and can't appear elsewhere in the query", p.Column).
					Fix("write it once")
			}
		}
		if out.dims[p.param-1].domain != nil {
			return nil, query.Refuse(e.Position(), "UNSUPPORTED", "the private parameters of these conditions are $1 to $%d, each once", len(list)).
				Fix("write %s", privateForm)
		}
		out.dims[p.param-1] = p.dims[0]
	}
	var columns []string
	for _, d := range out.dims {
		columns = append(columns, d.domain.name)
		if len(out.Codes)*len(d.domain.values) > MaxOpenings {
			return nil, query.Refuse(out.at, "TOO_MANY_GROUPS", "the dimensions that are selected privately have more than %d combinations, of which each is read", MaxOpenings).
				Fix("select privately by fewer of them, and write the values of the others into the query")
		}
		var codes []string
		var order [][]int
		for i, code := range out.Codes {
			for at, value := range d.domain.values {
				codes = append(codes, strings.TrimPrefix(code+", "+value, ", "))
				order = append(order, append(slices.Clone(out.order[i]), at))
			}
		}
		out.Codes, out.order = codes, order
	}
	out.Column = strings.Join(columns, ", ")
	if len(out.Codes) < 2 {
		return nil, query.Refuse(out.at, "PRIVATE_COLUMN", "%s has one combination of codes, and selecting it hides nothing", out.Column).Fix("leave the conditions out")
	}
	return out, nil
}

// privateDimension reads one of so many conditions.
func (n *names) privateDimension(e query.Expr, conditions int) (*Private, error) {
	var column query.Expr
	var list []query.Expr
	spare := 0
	switch e := e.(type) {
	case *query.Binary:
		if e.Op == query.Eq {
			column, list = e.X, []query.Expr{e.Y}
			if _, ok := column.(*query.Private); ok {
				column, list = e.Y, []query.Expr{e.X}
			}
		}
	case *query.In:
		if !e.Not {
			column, list, spare = e.X, e.List, len(e.List)
		}
	}
	ref, ok := column.(*query.ColumnRef)
	if !ok {
		return nil, query.Refuse(e.Position(), "UNSUPPORTED", "private parameters select codes of a dimension, in a condition that AND joins to the others").
			Fix("write %s", privateForm)
	}
	c, err := n.resolve(ref)
	if err != nil {
		return nil, err
	}
	if c.variable < 0 || n.u.vars[c.variable].public {
		return nil, query.Refuse(ref.At, "PRIVATE_COLUMN", "%s is no dimension, and only codes of dimensions can be selected privately", shown(ref.Name)).
			Fix("write the value into the query, or select codes of a dimension")
	}
	d := n.u.vars[c.variable].domain
	p := &Private{Column: d.name, Codes: d.values, Weight: len(list), Spare: spare, dims: []privateDim{{c.variable, d}}, at: e.Position()}
	most := max(conditions, len(list))
	seen := map[int]bool{}
	for _, x := range list {
		param, ok := x.(*query.Private)
		if !ok {
			return nil, query.Refuse(x.Position(), "UNSUPPORTED", "a list with private parameters has nothing else").Fix("write %s", privateForm)
		}
		if seen[param.Param] || param.Param > most {
			return nil, query.Refuse(param.At, "UNSUPPORTED", "the private parameters of this list are $1 to $%d, each once", most).
				Fix("write %s", privateForm)
		}
		seen[param.Param], p.param = true, param.Param
	}
	for i := range p.Codes {
		p.order = append(p.order, []int{i})
	}
	return p, nil
}

// privateElsewhere refuses the dimension in any other place: there, codes would differ in
// what they stand for, and results would tell which was selected.
func (n *names) privateElsewhere(sel *query.Select, rest query.Expr, d privateDim) error {
	exprs := append([]query.Expr{rest, sel.Having}, sel.GroupBy...)
	for _, it := range sel.Items {
		exprs = append(exprs, it.Expr)
	}
	for _, o := range sel.OrderBy {
		exprs = append(exprs, o.Expr)
	}
	for _, e := range exprs {
		var found error
		query.Walk(e, func(x query.Expr) bool {
			switch x := x.(type) {
			case *query.ColumnRef:
				if c, err := n.resolve(x); err == nil && c.variable == d.variable {
					found = query.Refuse(x.At, "PRIVATE_COLUMN", "%s is selected privately, and can't appear elsewhere in the query", d.domain.name).
						Fix("leave it out here, or write its values into the query")
				}
			case *query.Private:
				found = query.Refuse(x.At, "UNSUPPORTED", "private parameters stand in WHERE only").Fix("write WHERE %s", privateForm)
			}
			return found == nil
		})
		if found != nil {
			return found
		}
	}
	return nil
}

// privatePossible asks committee and profile whether they can do it.
func (n *names) privatePossible(p *Private) error {
	var err error
	p.Checks, err = n.u.Committee.AllowsSelections(n.u.PrivateChecks)
	if err == nil {
		err = share.CheckSelectionProfile(n.u.Profile)
	}
	if err != nil {
		return p.refuse(err)
	}
	return nil
}
