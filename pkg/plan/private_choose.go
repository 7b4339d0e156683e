package plan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/share"
)

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
