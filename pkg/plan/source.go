package plan

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
)

// source is one set of rows that a query aggregates: those of one product that a
// condition selects, in groups. A query has one, a join one for each side; several may
// be over one product.
type source struct {
	index   int
	alias   string        // of a join: what the side is called
	sel     *query.Select // the query, or that of the side
	u       *universe
	names   *names
	private *Private
	keys    []groupKey
	needs   *needs
	outputs *outputs
	build   *builder
	at      query.Pos // where its groups come from, for refusals
}

// newSource compiles which rows a query selects and how it groups them.
func newSource(index int, sel *query.Select, u *universe) (*source, error) {
	s := &source{index: index, sel: sel, u: u, names: &names{u: u, table: tableName(sel)}, at: sel.Items[0].Expr.Position()}
	if len(sel.GroupBy) > 0 {
		s.at = sel.GroupBy[0].Position()
	}
	var err error
	rest, secret := splitPrivate(sel.Where)
	where, whereAt := constantCond(isTrue), sel.From.Pos
	if rest != nil {
		whereAt = rest.Position()
		if where, err = s.names.condition(rest); err != nil {
			return nil, err
		}
	}
	if secret != nil {
		if s.private, err = s.names.privateCondition(sel, rest, secret); err != nil {
			return nil, err
		}
	}
	if s.keys, err = s.names.groupKeys(sel); err != nil {
		return nil, err
	}
	s.needs = newNeeds(s.names, where, whereAt, used(sel.Where))
	if s.counted() {
		s.needs.groupRows()
	}
	s.outputs = &outputs{source: index, needs: s.needs, group: s.keys, sel: sel, private: s.private != nil}
	return s, nil
}

// counted tells whether need 0 is the row count of each group, by which groups without
// rows are left out. With noise it would not tell, and would cost the budget.
func (s *source) counted() bool { return len(s.keys) > 0 && !s.u.noisy }

// summary is what owners' terms judge the source by.
func (s *source) summary() Source {
	out := Source{Product: s.u.ID, Alias: s.alias, Layout: s.u.Encoding.Layout, Encoding: s.u.Encoding, Aggregates: sortedSet(s.needs.funcs), Filters: sortedSet(s.needs.filters)}
	if len(out.Aggregates) == 0 {
		out.Aggregates = []string{string(query.Count)}
	}
	by := slices.Clone(s.needs.counts)
	for i := range s.keys {
		by = append(by, s.keys[i].columns...)
	}
	out.GroupBy = sortedSet(by)
	return out
}

// universes prepares the products of a query, which have one committee.
func universes(products []*Product) ([]*universe, error) {
	var out []*universe
	for _, p := range products {
		u, err := prepare(p)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o *universe) bool { return o.ID == u.ID }) {
			return nil, badProduct("%s is given twice", u.ID)
		}
		out = append(out, u)
	}
	if len(out) == 0 {
		return nil, badProduct("there is none")
	}
	return out, nil
}

// named finds the product that a name in FROM means; the owner may be left out where
// that leaves one product.
func named(t *query.Table, us []*universe) (*universe, error) {
	var found []*universe
	for _, u := range us {
		id := string(u.ID)
		switch t.Name {
		case id:
			return u, nil
		case id[strings.LastIndexByte(id, '/')+1:]:
			found = append(found, u)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, query.Refuse(t.Pos, "UNKNOWN_PRODUCT", "%s can be %s and %s", shown(t.Name), found[0].ID, found[1].ID).Fix("write FROM %s", found[0].ID)
	case len(us) == 1:
		return nil, query.Refuse(t.Pos, "UNKNOWN_PRODUCT", "the query is about %s, and was sent to product %s", shown(t.Name), us[0].ID).
			Fix("write FROM %s", us[0].ID)
	}
	return nil, query.Refuse(t.Pos, "UNKNOWN_PRODUCT", "the query is about %s, and was sent to products %s", shown(t.Name), ids(us)).
		Fix("write FROM with one of these")
}

func ids(us []*universe) string {
	var list []string
	for _, u := range us {
		list = append(list, string(u.ID))
	}
	return strings.Join(list, ", ")
}

// fit refuses products that can't be in one query: keyholders answer it as one committee,
// with numbers of one profile.
func fit(t *query.Table, first, u *universe) error {
	switch {
	case u.Committee != first.Committee || u.Keyholders != first.Keyholders || u.PrivateChecks != first.PrivateChecks:
		return query.Refuse(t.Pos, "MIXED_COMMITTEES", "%s and %s have different committees, and one committee answers a query", first.ID, u.ID).
			OfKind(carnet.Precondition).Fix("ask about each product with a query of its own; owners can deal their keys to the other committee, too")
	case u.Profile.ID() != first.Profile.ID():
		return query.Refuse(t.Pos, "MIXED_PROFILES", "%s has profile %s, and %s has %s", first.ID, first.Profile.Name(), u.ID, u.Profile.Name()).
			OfKind(carnet.Precondition).Fix("ask about each product with a query of its own; with a new version of one schema, whose bounds and limits are nearer to the other's, both would have one profile")
	}
	return nil
}
