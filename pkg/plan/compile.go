package plan

import (
	"errors"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
)

// Compile plans the query over the product. Errors are *query.Refusal for whatever
// the query can be changed about, and *carnet.Error (BAD_PRODUCT) if manifests and
// schema do not fit each other.
//
// Files without rows take no part. If no file can have rows that are selected, the
// plan has no openings and Evaluate gives the answer over no rows.
func Compile(sql string, p *Product) (*Plan, error) {
	sel, err := query.Parse(sql)
	if err != nil {
		return nil, err
	}
	plan, err := compile(sel, p)
	if err != nil {
		return nil, query.Locate(sql, err)
	}
	return plan, nil
}

func compile(sel *query.Select, p *Product) (*Plan, error) {
	u, err := prepare(p)
	if err != nil {
		return nil, err
	}
	if err := checkFrom(sel, p); err != nil {
		return nil, err
	}
	n := &names{u: u, table: tableName(sel)}
	var join *joinedQuery
	if sel.Join != nil {
		if join, err = n.rewrite(sel, p); err != nil {
			return nil, err
		}
		sel, n = join.sel, &names{u: u, table: tableName(join.sel), spent: n.spent, shared: join.shared}
	}
	rest, secret, err := splitPrivate(sel.Where)
	if err != nil {
		return nil, err
	}
	where := constantCond(isTrue)
	whereAt := sel.From.Pos
	if rest != nil {
		whereAt = rest.Position()
		if where, err = n.condition(rest); err != nil {
			return nil, err
		}
	}
	var private *Private
	if secret != nil {
		if private, err = n.privateCondition(sel, rest, secret); err != nil {
			return nil, err
		}
	}
	keys, err := n.groupKeys(sel)
	if err != nil {
		return nil, err
	}
	needs := newNeeds(n, where, whereAt, used(sel.Where))
	grouped := len(keys) > 0
	if grouped {
		if err := needs.groupRows(join); err != nil {
			return nil, err
		}
	}
	outputs := &outputs{needs: needs, group: keys, sel: sel, private: private != nil}
	recipe, columns, err := outputs.compile()
	if err != nil {
		return nil, err
	}
	if !grouped && len(needs.funcs) == 0 {
		return nil, query.Refuse(sel.Items[0].Expr.Position(), "NO_AGGREGATE", "the query computes no aggregate, and rows are never released").
			Fix("select COUNT(*) or SUM of a measure, or add GROUP BY")
	}
	out := &Plan{
		Select: sel, Product: p.ID, Layout: p.Encoding.Layout, Profile: p.Profile, Committee: p.Committee, Private: private,
		Columns: columns, recipe: recipe, joined: join != nil,
		Aggregates: sortedSet(needs.funcs), Filters: sortedSet(needs.filters),
	}
	if len(out.Aggregates) == 0 {
		out.Aggregates = []string{string(query.Count)}
	}
	by := needs.counts
	for i := range keys {
		by = append(by, keys[i].columns...)
	}
	out.GroupBy = sortedSet(by)
	groupAt := sel.Items[0].Expr.Position()
	if len(sel.GroupBy) > 0 {
		groupAt = sel.GroupBy[0].Position()
	}
	if err := out.open(u, needs, keys, groupAt); err != nil {
		return nil, err
	}
	if err := out.finish(u, needs, groupAt); err != nil {
		return nil, err
	}
	return out, nil
}

// open lists the groups and builds the openings.
func (p *Plan) open(u *universe, needs *needs, keys []groupKey, at query.Pos) error {
	b := &builder{u: u, needs: needs, plan: p, byDigest: map[carnet.Hash]int{}, expansions: map[string]*expansion{}, work: maxWork >> 2, groupAt: at, spaces: map[spaceID]*space{}, memo: functional.NewMemo(u.n)}
	groups, err := b.groups(keys)
	if err != nil {
		return err
	}
	if p.Private != nil {
		b.vars = append(b.vars, p.Private.variable)
	}
	return b.build(groups, keys)
}

// checkFrom compares the name in FROM with the product, whose owner may be left out.
func checkFrom(sel *query.Select, p *Product) error {
	id := string(p.ID)
	if sel.From.Name == id || sel.From.Name == id[strings.LastIndexByte(id, '/')+1:] {
		return nil
	}
	return query.Refuse(sel.From.Pos, "UNKNOWN_PRODUCT", "the query is about %s, and was sent to product %s", shown(sel.From.Name), id).
		Fix("write FROM %s", id)
}

// tableName is what columns may be qualified with.
func tableName(sel *query.Select) string {
	if sel.From.Alias != "" {
		return sel.From.Alias
	}
	return sel.From.Name[strings.LastIndexByte(sel.From.Name, '/')+1:]
}

// RefusalOf returns the place, reason, message and remedy of an error of Compile,
// nil if it is not about the query.
func RefusalOf(err error) *query.Refusal {
	var r *query.Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
