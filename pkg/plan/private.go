package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/share"
)

// Private is the private parameter of a plan: a dimension of which the buyer selects
// some codes without saying which. The plan is the same for every choice: every opening
// has one functional for each code, and the committee opens the sum over the codes that
// the buyer's shared selection is 1 for.
type Private struct {
	Column string
	Codes  []string // all that can be selected, in the order of Opening.Choices
	Weight int      // how many are selected, at most or exactly; public
	Spare  int      // with a list: entries that stand for no code, as many as may be selected
	Checks int      // keyholders that must agree on the check of the selection

	variable int
	domain   *domain
	order    []int // per code of the plan's parameter: its position in the domain
	at       query.Pos
}

// Select returns which codes the values stand for, value i being that of parameter $i+1.
// Of a list, an empty value selects nothing, and one that is there twice counts once. Its
// errors do not repeat values.
func (p *Private) Select(values []string) ([]int, error) {
	if len(values) != p.Weight {
		return nil, carnet.E(carnet.Invalid, "PRIVATE_VALUES", "the query has %s, and %s given", plural(p.Weight, "private parameter"), given(len(values))).
			Fix("give a value for each of $1 to $%d", p.Weight)
	}
	var codes []int
	for i, v := range values {
		if v == "" && p.Spare > 0 {
			continue
		}
		at, err := p.domain.find(scalar{text: v, isText: true})
		if err != nil || at < 0 {
			return nil, carnet.E(carnet.Invalid, "PRIVATE_VALUES", "the value of $%d is not a code of %s", i+1, p.Column).
				Fix("the schema lists its %d codes", len(p.Codes))
		}
		if !slices.Contains(codes, at) {
			codes = append(codes, at)
		}
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

// splitPrivate takes the condition with private parameters out of WHERE. It must be one
// of the conditions that AND joins: one below OR or NOT would not select a number of
// codes that is known.
func splitPrivate(where query.Expr) (rest, private query.Expr, err error) {
	if where == nil || !hasPrivate(where) {
		return where, nil, nil
	}
	if b, ok := where.(*query.Binary); ok && b.Op == query.And {
		x, px, err := splitPrivate(b.X)
		if err != nil {
			return nil, nil, err
		}
		y, py, err := splitPrivate(b.Y)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case px != nil && py != nil:
			return nil, nil, query.Refuse(py.Position(), "UNSUPPORTED", "a query has private parameters in one condition only").
				Fix("write the values of the other condition into the query")
		case px == nil:
			px = py
		}
		switch {
		case x == nil:
			return y, px, nil
		case y == nil:
			return x, px, nil
		}
		return &query.Binary{Op: query.And, X: x, Y: y, At: b.At}, px, nil
	}
	return nil, where, nil
}

func hasPrivate(e query.Expr) (found bool) {
	query.Walk(e, func(x query.Expr) bool {
		_, is := x.(*query.Private)
		found = found || is
		return !found
	})
	return found
}

// privateCondition reads the condition that splitPrivate found.
func (n *names) privateCondition(sel *query.Select, rest, e query.Expr) (*Private, error) {
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
	p := &Private{Column: d.name, Codes: d.values, Weight: len(list), Spare: spare, variable: c.variable, domain: d, at: e.Position()}
	seen := map[int]bool{}
	for _, x := range list {
		param, ok := x.(*query.Private)
		if !ok {
			return nil, query.Refuse(x.Position(), "UNSUPPORTED", "a list with private parameters has nothing else").Fix("write %s", privateForm)
		}
		if seen[param.Param] || param.Param > len(list) {
			return nil, query.Refuse(param.At, "UNSUPPORTED", "the private parameters of this list are $1 to $%d, each once", len(list)).
				Fix("write %s", privateForm)
		}
		seen[param.Param] = true
	}
	if p.Weight >= len(p.Codes) {
		return nil, query.Refuse(e.Position(), "PRIVATE_COLUMN", "%s has %s, and selecting %d of them hides nothing", d.name, plural(len(p.Codes), "code"), p.Weight).
			Fix("leave the condition out, or select fewer codes")
	}
	if err := n.privateElsewhere(sel, rest, p); err != nil {
		return nil, err
	}
	for i := range p.Codes {
		p.order = append(p.order, i)
	}
	return p, n.privatePossible(p)
}

// privateElsewhere refuses the dimension in any other place: there, codes would differ in
// what they stand for, and results would tell which was selected.
func (n *names) privateElsewhere(sel *query.Select, rest query.Expr, p *Private) error {
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
				if c, err := n.resolve(x); err == nil && c.variable == p.variable {
					found = query.Refuse(x.At, "PRIVATE_COLUMN", "%s is selected privately, and can't appear elsewhere in the query", p.Column).
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
				codes = append(slices.Clone(codes), b.order[code])
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
	which, count := "which code of "+x.Column+" is selected", "there is one"
	if x.Spare > 0 {
		which, count = "which codes of "+x.Column+" are selected, and how many,", "there are at most "+fmt.Sprint(x.Weight)
	}
	return []string{
		which + " is hidden from the gateway, the owners and any " + plural(p.Committee.T-1, "keyholder") + "; they learn that " + count + " among " + plural(len(x.Codes), "code"),
		"  all codes are read for every number; " + plural(x.Checks, "keyholder") + " must agree that a selection was shared, and " + plural(p.Needed(), "keyholder") + " must answer",
	}
}
