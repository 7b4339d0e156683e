package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
)

// describe tells what the plan does, one step a line.
func (p *Plan) describe(sources []*source) []string {
	var steps []string
	say := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }

	for i, s := range sources {
		if !slices.ContainsFunc(sources[:i], func(o *source) bool { return o.u == s.u }) {
			say("product %s: schema %s, %s layout, profile %s, keyholders %d of %d", s.u.ID, s.u.Schema.ID(), s.u.Encoding.Layout, s.u.Profile.Name(), p.Committee.T, p.Committee.N)
		}
	}
	if len(p.Openings) == 0 {
		say("no file has rows that the query selects: nothing is opened, and the answer follows from that")
		return steps
	}
	owners := map[carnet.PartyID]bool{}
	for i := range p.Datasets {
		owners[p.Datasets[i].Manifest.Owner] = true
	}
	say("reads %s of %s and %s with %s in all", plural(p.Cost.Files, "file"), plural(len(p.Datasets), "dataset"), plural(len(owners), "owner"), plural(int(p.Cost.Rows), "row"))
	if p.Across {
		steps = append(steps, p.describeRows(sources)...)
	} else if p.Select.Rows != nil {
		say("joins each row of %s with every row of %s that has the same %s, group by group: sums and counts of one side count once for each row of the other",
			sources[0].alias, sources[1].alias, p.joinColumns())
	} else if len(sources) > 1 {
		say("joins the groups of %s and %s that have the same %s", sources[0].alias, sources[1].alias, p.joinColumns())
	}
	for _, s := range sources {
		if s.sel.Where != nil && !(p.Across && s.index > 0) {
			say("%sselects rows where %s", s.prefix(), query.Format(s.sel.Where))
		}
	}
	steps = append(steps, p.describePrivate()...)
	if keys := p.recipe.outputs.group; len(keys) > 0 {
		say("forms %s by %s; those without rows are left out at the buyer", plural(len(p.Groups), "possible group"), groupNames(keys))
	}
	for _, s := range sources {
		steps = append(steps, p.describeNeeds(s, sources)...)
	}
	say("opens %s, none of them twice", plural(len(p.Openings), "number"))
	c := &p.Certificate
	say("worst case: results up to %s of %d possible, noise below 2^%d hidden by floods of 2^%d, enough for 2^%d releases of a key",
		c.MaxResult, (c.T-1)/2, c.NoiseBits, c.FloodBits, c.ReleaseBits)
	steps = append(steps, p.describeNoise()...)
	for _, k := range p.Cost.Keys() {
		say("uses %s of %d of key %s", plural(p.Cost.Releases[k], "release"), p.Cost.MaxReleases, k.String()[:12])
	}
	say("reads %s (%s)%s; each keyholder answers %s", plural(int(p.Cost.Blocks), "block"), size(p.Cost.Bytes), p.stored(), size(p.Cost.AnswerBytes))
	steps = append(steps, p.describeBuyer()...)
	return steps
}

// stored says what the gateway reads if it is less.
func (p *Plan) stored() string {
	if p.Cost.GatewayBytes == p.Cost.Bytes {
		return ""
	}
	return fmt.Sprintf(", of which the gateway reads %s, since it has stored sums of whole columns", size(p.Cost.GatewayBytes))
}

// prefix begins what is said of one side of a join.
func (s *source) prefix() string {
	if s.alias == "" {
		return ""
	}
	return s.alias + ": "
}

func (p *Plan) joinColumns() string {
	var list []string
	using := []*query.ColumnRef(nil)
	if p.Select.Rows != nil {
		using = p.Select.Rows.Using
	} else {
		using = p.Select.Join.Using
	}
	for _, c := range using {
		list = append(list, c.Name)
	}
	return strings.Join(list, ", ")
}

// describeNeeds tells what is opened, equal lines once: an order statistic asks for the
// row count of every code.
func (p *Plan) describeNeeds(s *source, sources []*source) []string {
	var lines []string
	times := map[string]int{}
	for i := range s.needs.list {
		line := p.describeNeed(i, s, sources)
		if line == "" {
			continue
		}
		if times[line]++; times[line] == 1 {
			lines = append(lines, line)
		}
	}
	for i, line := range lines {
		if n := times[line]; n > 1 {
			lines[i] = fmt.Sprintf("%s; for each of %d sets of rows", line, n)
		}
	}
	return lines
}

// describeNeed tells what a quantity of a source costs in one group; "" for what is
// opened together with another.
func (p *Plan) describeNeed(i int, s *source, sources []*source) string {
	most, degree := 0, 1
	for g := range p.Groups {
		parts := p.Groups[g].parts(needOf{s.index, i})
		most = max(most, len(parts))
		for _, x := range parts {
			degree = max(degree, p.Openings[x.Opening].Degree)
		}
	}
	what := s.prefix() + s.describe(i)
	if s.needs.join != nil {
		what = s.describe(i)
	}
	if n := s.needs.list[i].pair; n > 0 {
		x := (*p.recipe.outputs.pairs)[n-1]
		alone := slices.ContainsFunc(p.Groups, func(g Group) bool { return len(g.parts(x.right)) > 0 })
		switch {
		case alone:
		case x.right == needOf{s.index, i}:
			return ""
		default:
			other := sources[x.right.source]
			what += ", less " + other.prefix() + other.describe(x.right.need)
		}
	}
	how := "a sum of columns"
	switch {
	case s.u.Encoding.Layout == carnet.LayoutCube:
		how = "a sum of cells"
	case p.Across:
		how = "a sum of products of columns of two owners"
	case degree > 1:
		how = fmt.Sprintf("a sum of products of %d columns", degree)
	}
	each := ""
	if len(p.recipe.outputs.group) > 0 {
		each = " per group"
	}
	return fmt.Sprintf("  %s: %s%s, each %s", what, plural(most, "number"), each, how)
}

// describe names a quantity.
func (s *source) describe(i int) string {
	n := &s.needs.list[i]
	if n.cross > 0 {
		return s.needs.join.describe(*n)
	}
	what := n.of.String()
	if n.filter > 0 {
		what += " of rows chosen by " + s.needs.labels[n.filter]
	}
	return what
}

// parts are those of a need.
func (g *Group) parts(n needOf) []Part { return g.Quantities[g.sides[n.source].first+n.need] }

// describeBuyer tells what is left to the buyer.
func (p *Plan) describeBuyer() []string {
	var list []string
	for _, it := range p.Select.Items {
		if _, plain := it.Expr.(*query.ColumnRef); !plain {
			list = append(list, query.Format(it.Expr))
		}
	}
	s := p.Select
	if s.Having != nil {
		list = append(list, "HAVING "+query.Format(s.Having))
	}
	if len(s.OrderBy) > 0 {
		list = append(list, "ORDER BY")
	}
	if s.Limit != nil || s.Offset > 0 {
		list = append(list, "LIMIT")
	}
	if len(list) == 0 {
		return nil
	}
	return []string{"the buyer computes " + strings.Join(list, ", ")}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// size writes a number of bytes for people.
func size(n int64) string {
	for _, u := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.bytes {
			return fmt.Sprintf("%d.%d %s", n/u.bytes, n%u.bytes*10/u.bytes, u.name)
		}
	}
	return plural(int(n), "byte")
}
