package plan

import (
	"errors"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// Compile plans the query over the products that FROM names. Errors are *query.Refusal for
// whatever the query can be changed about, and *carnet.Error (BAD_PRODUCT) if manifests and
// schema do not fit each other.
//
// Files without rows take no part. If no file can have rows that are selected, the
// plan has no openings and Evaluate gives the answer over no rows.
func Compile(sql string, products ...*Product) (*Plan, error) {
	sel, err := query.Parse(sql)
	if err != nil {
		return nil, err
	}
	plan, err := compile(sel, products)
	if err != nil {
		return nil, query.Locate(sql, err)
	}
	return plan, nil
}

func compile(sel *query.Select, products []*Product) (*Plan, error) {
	us, err := universes(products)
	if err != nil {
		return nil, err
	}
	asked := sel
	if sel.Rows != nil {
		joined, ok := (*query.Select)(nil), false
		if byGroups(sel) {
			if joined, ok, err = groupJoin(sel, us); err != nil {
				return nil, err
			}
		}
		if !ok {
			return compileRows(sel, us)
		}
		sel = joined
	}
	outer, sources, err := read(sel, us)
	if err != nil {
		return nil, err
	}
	for _, u := range us {
		if !slices.ContainsFunc(sources, func(s *source) bool { return s.u == u }) {
			return nil, query.Refuse(sel.From.Pos, "UNKNOWN_PRODUCT", "the query was sent to product %s, and does not name it", u.ID).Fix("send it to the products after FROM")
		}
	}
	recipe, columns, err := outer.compile()
	if err != nil {
		return nil, err
	}
	first := sources[0]
	if len(first.keys) == 0 && len(first.needs.funcs) == 0 {
		return nil, query.Refuse(sel.Items[0].Expr.Position(), "NO_AGGREGATE", "the query computes no aggregate, and rows are never released").
			Fix("select COUNT(*) or SUM of a measure, or add GROUP BY")
	}
	out := &Plan{
		Select: asked, Product: first.u.ID, Layout: first.u.Encoding.Layout, Profile: first.u.Profile, Committee: first.u.Committee, Private: privateOf(sources),
		Columns: columns, recipe: recipe,
	}
	for _, s := range sources {
		x := s.summary()
		out.Sources = append(out.Sources, x)
		out.Aggregates, out.GroupBy, out.Filters = append(out.Aggregates, x.Aggregates...), append(out.GroupBy, x.GroupBy...), append(out.Filters, x.Filters...)
	}
	out.Aggregates, out.GroupBy, out.Filters = sortedSet(out.Aggregates), sortedSet(out.GroupBy), sortedSet(out.Filters)
	if err := out.open(sources, *outer.pairs); err != nil {
		return nil, err
	}
	if err := out.finish(sources); err != nil {
		return nil, err
	}
	return out, nil
}

// read finds the sources of the query, and what is computed from them.
func read(sel *query.Select, us []*universe) (*outputs, []*source, error) {
	pairs := new([]pair)
	if sel.Join == nil {
		u, err := named(&sel.From, us)
		if err != nil {
			return nil, nil, err
		}
		s, err := newSource(0, sel, u)
		if err != nil {
			return nil, nil, err
		}
		s.outputs.pairs = pairs
		return s.outputs, []*source{s}, nil
	}
	j, sources, err := newJoin(sel, us)
	if err != nil {
		return nil, nil, err
	}
	outer := &outputs{needs: sources[0].needs, group: sources[0].keys, sel: sel, join: j, pairs: pairs}
	if err := agreePrivate(sources[0], sources[1]); err != nil {
		return nil, nil, err
	}
	outer.private = privateOf(sources) != nil
	for _, s := range sources {
		s.outputs.outer, s.outputs.pairs, s.outputs.private = outer, pairs, outer.private
	}
	return outer, sources, nil
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
