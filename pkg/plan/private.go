package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/share"
)

// Private is the private parameter of a plan: a dimension of which the buyer selects
// some codes without saying which. The plan is the same for every choice: every opening
// has one functional for each code, and the committee opens the sum over the codes that
// the buyer's shared selection is 1 for. Of several dimensions one code each is selected: then
// the codes are all combinations, of which one is selected.
type Private struct {
	Column string   // or columns
	Codes  []string // all that can be selected, in the order of Opening.Choices
	Weight int      // how many are selected, at most or exactly; public
	Spare  int      // with a list: entries that stand for no code, as many as may be selected
	Checks int      // keyholders that must agree on the check of the selection

	dims  []privateDim // in the order of the parameters; one with a list
	order [][]int      // per code of the plan's parameter: its position in the domain of each
	param int          // while a condition is read: the number of its parameter
	at    query.Pos
}

// privateDim is a dimension that is selected privately.
type privateDim struct {
	variable int
	domain   *domain
}

// params is how many values are given.
func (p *Private) params() int { return max(p.Weight, len(p.dims)) }

// Select returns which codes the values stand for, value i being that of parameter $i+1.
// Of a list, an empty value selects nothing, and one that is there twice counts once. Its
// errors do not repeat values.
func (p *Private) Select(values []string) ([]int, error) {
	if len(values) != p.params() {
		return nil, carnet.E(carnet.Invalid, "PRIVATE_VALUES", "the query has %s, and %s given", plural(p.params(), "private parameter"), given(len(values))).
			Fix("give a value for each of $1 to $%d", p.params())
	}
	var codes []int
	combined := 0
	for i, v := range values {
		if v == "" && p.Spare > 0 {
			continue
		}
		d := p.dims[min(i, len(p.dims)-1)].domain
		at, err := d.find(scalar{text: v, isText: true})
		if err != nil || at < 0 {
			return nil, carnet.E(carnet.Invalid, "PRIVATE_VALUES", "the value of $%d is not a code of %s", i+1, d.name).
				Fix("the schema lists its %d codes", len(d.values))
		}
		combined = combined*len(d.values) + at
		if !slices.Contains(codes, at) {
			codes = append(codes, at)
		}
	}
	if len(p.dims) > 1 {
		return []int{combined}, nil
	}
	return codes, nil
}

func given(n int) string {
	if n == 1 {
		return "one value is"
	}
	return plural(n, "value") + " are"
}

// Functionals are what an opening reads: one, or with a private parameter one for each
// code.
func (o *Opening) Functionals() []*functional.Functional {
	if o.F != nil {
		return []*functional.Functional{o.F}
	}
	return o.Choices
}

// Functionals are those of all openings, in their order. Public values are computed for
// each of them.
func (p *Plan) Functionals() (fs []*functional.Functional) {
	for i := range p.Openings {
		fs = append(fs, p.Openings[i].Functionals()...)
	}
	return fs
}

// Keys are those of all openings, ascending.
func (p *Plan) Keys() []carnet.KeyID { return p.Cost.Keys() }

// Needed is how many keyholders must answer: t, or 2t-1 with a private parameter and for
// products across keys.
func (p *Plan) Needed() int {
	if p.Private != nil || p.Across {
		return 2*p.Committee.T - 1
	}
	return p.Committee.T
}

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

// refuse makes a refusal at the place of the private parameter.
func (p *Private) refuse(err error) error {
	var e *carnet.Error
	if errors.As(err, &e) {
		return query.Refuse(p.at, e.Reason, "%s", e.Msg).OfKind(e.Kind).Fix("%s", e.Remedy)
	}
	return err
}

// uneven refuses a dimension of which some codes take other products than others: what is
// opened would tell them apart.
func (p *Private) uneven() error {
	return query.Refuse(p.at, "PRIVATE_COLUMN", "codes of %s are encoded in different ways in this product", p.Column).
		Fix("write the value into the query, or ask a product in the cube layout")
}

// chosen is one functional of an opening with a private parameter, before it is one.
type chosen struct {
	f      *functional.Functional
	picks  *picks
	limits bounds
}

// choose opens a need with one functional for each code of the private dimension. The
// dimension is in no other condition, so the codes differ in nothing but the cells or
// columns that they stand for. The other side of a join, which has no private parameter, is
// opened with the same functional for every code: one is selected, and so it is opened once.
func (b *builder) choose(g *group, n, filter int, memo map[int][]*picks) ([]Part, error) {
	p := b.plan.Private
	if memo[filter] == nil {
		for code := range p.Codes {
			codes := g.codes
			if b.order != nil {
				codes = append(slices.Clone(codes), b.order[code]...)
			} else if code > 0 {
				break
			}
			picked, err := b.pick(&group{codes: codes, part: g.part, files: g.files}, filter)
			if err != nil {
				return nil, err
			}
			memo[filter] = append(memo[filter], picked)
		}
	}
	var all [][]chosen
	var parts []Part
	for code, picked := range memo[filter] {
		b.choice = []chosen{}
		own, err := b.quantity(n, picked)
		if err != nil {
			return nil, err
		}
		if code > 0 && !slices.Equal(own, parts) {
			return nil, p.uneven()
		}
		parts = own
		all = append(all, b.choice)
	}
	b.choice = nil
	for len(all) < len(p.Codes) {
		all = append(all, all[0])
	}
	for i := range parts {
		at := parts[i].Opening
		column := make([]chosen, len(all))
		for code := range all {
			column[code] = all[code][at]
		}
		o, err := b.openChoice(n, column)
		if err != nil {
			return nil, err
		}
		parts[i].Opening = o
	}
	return parts, nil
}

// openChoice adds an opening with a private parameter, or finds an equal one.
func (b *builder) openChoice(n int, column []chosen) (int, error) {
	p := b.plan.Private
	first := &column[0]
	o := Opening{Degree: first.f.Degree, Rows: first.picks.rows, Owners: first.picks.owners}
	var digests [][]byte
	for i := range column {
		c := &column[i]
		if c.f.Degree != o.Degree || !slices.EqualFunc(c.f.Keys, first.f.Keys, func(x, y functional.KeyTerms) bool { return x.Key == y.Key }) ||
			c.limits.lo.Cmp(first.limits.lo) != 0 || c.limits.hi.Cmp(first.limits.hi) != 0 || c.picks.rows != o.Rows {
			return 0, p.uneven()
		}
		o.Choices = append(o.Choices, c.f)
		d := b.memo.Digest(c.f)
		digests = append(digests, d[:])
	}
	o.Digest = carnet.Digest("carnet/choices/1", digests...)
	if i, ok := b.byDigest[o.Digest]; ok {
		return i, nil
	}
	for i := range first.f.Keys {
		if key := first.f.Keys[i].Key; b.u.Homes[key] != 0 {
			return 0, p.refuse(share.PrivateHome(key))
		}
	}
	// Codes exclude each other, so the bounds of all rows hold for any selection.
	if err := b.certify(n, &o, first.limits); err != nil {
		return 0, err
	}
	if (len(b.plan.Openings)+1)*len(p.Codes) > MaxOpenings {
		return 0, query.Refuse(p.at, "TOO_MANY_GROUPS", "the query needs more than %d numbers, %d for each that is opened", MaxOpenings, len(p.Codes)).
			Fix("group by fewer columns, ask for fewer aggregates, or select fewer groups with WHERE")
	}
	b.byDigest[o.Digest] = len(b.plan.Openings)
	b.plan.Openings = append(b.plan.Openings, o)
	return len(b.plan.Openings) - 1, nil
}

// describePrivate tells who learns what of the private parameter.
func (p *Plan) describePrivate() []string {
	if p.Private == nil {
		return nil
	}
	x := p.Private
	if len(x.dims) > 1 {
		return []string{
			"which codes of " + x.Column + " are selected is hidden from the gateway, the owners and any " + plural(p.Committee.T-1, "keyholder") + "; they learn that there is one of each, among " + plural(len(x.Codes), "combination"),
			"  all combinations are read for every number; " + plural(x.Checks, "keyholder") + " must agree that a selection was shared, and " + plural(p.Needed(), "keyholder") + " must answer",
		}
	}
	which, count := "which code of "+x.Column+" is selected", "there is one"
	if x.Spare > 0 {
		which, count = "which codes of "+x.Column+" are selected, and how many,", "there are at most "+fmt.Sprint(x.Weight)
	}
	return []string{
		which + " is hidden from the gateway, the owners and any " + plural(p.Committee.T-1, "keyholder") + "; they learn that " + count + " among " + plural(len(x.Codes), "code"),
		"  all codes are read for every number; " + plural(x.Checks, "keyholder") + " must agree that a selection was shared, and " + plural(p.Needed(), "keyholder") + " must answer",
	}
}
