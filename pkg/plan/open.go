package plan

import (
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
)

// open lists the groups and builds the openings.
func (p *Plan) open(sources []*source, pairs []pair) error {
	shared := &opener{plan: p, byDigest: map[carnet.Hash]int{}, homeOf: map[carnet.KeyID]int{}, work: maxWork >> 2, memo: functional.NewMemo(sources[0].u.n)}
	all := make([][]group, len(sources))
	for i, s := range sources {
		s.build = newBuilder(shared, s)
		var err error
		if all[i], err = s.build.groups(s.keys); err != nil {
			return err
		}
		if err := s.build.tooMuchToPlan(len(all[i])); err != nil {
			return err
		}
		if s.private != nil {
			s.build.order = s.private.order
			for _, d := range s.private.dims {
				s.build.vars = append(s.build.vars, d.variable)
			}
		}
	}
	if len(sources) > 1 {
		all = matching(sources, all)
	}
	a := &assembly{sources: sources, pairs: pairs}
	for i := range all[0] {
		own := make([]*group, len(sources))
		for s := range sources {
			own[s] = &all[s][i]
		}
		g, err := a.group(own)
		if err != nil {
			return err
		}
		p.Groups = append(p.Groups, *g)
	}
	return nil
}

// matching keeps the groups that all sources have, those of each in the order of the
// first. NULL is equal to nothing.
func matching(sources []*source, all [][]group) [][]group {
	at := make([]map[string]int, len(sources))
	for s := 1; s < len(sources); s++ {
		at[s] = map[string]int{}
		for i := range all[s] {
			if name, ok := joinKey(all[s][i].keyed(sources[s].u, sources[s].keys).keys); ok {
				at[s][name] = i
			}
		}
	}
	out := make([][]group, len(sources))
next:
	for i := range all[0] {
		name, ok := joinKey(all[0][i].keyed(sources[0].u, sources[0].keys).keys)
		if !ok {
			continue
		}
		row := []group{all[0][i]}
		for s := 1; s < len(sources); s++ {
			j, ok := at[s][name]
			if !ok {
				continue next
			}
			row = append(row, all[s][j])
		}
		for s := range sources {
			out[s] = append(out[s], row[s])
		}
	}
	return out
}

// joinKey names the values of the keys of a group, the same for equal ones; ok is false
// if one is NULL.
func joinKey(keys []Value) (name string, ok bool) {
	var b strings.Builder
	for _, v := range keys {
		switch {
		case v.IsNull():
			return "", false
		case v.isTxt:
			b.WriteString("t" + v.text)
		default:
			b.WriteString("n" + v.num.RatString())
		}
		b.WriteByte(0) // in no code
	}
	return b.String(), true
}

// assembly opens the needs of the groups that sources have in common.
type assembly struct {
	sources []*source
	pairs   []pair
}

// group opens every need of a group, given as each source has it.
func (a *assembly) group(own []*group) (*Group, error) {
	out := &Group{}
	picked := make([]*picker, len(own))
	for i, s := range a.sources {
		side := own[i].keyed(s.u, s.keys)
		side.first, side.counted = len(out.Quantities), s.counted()
		out.sides = append(out.sides, side)
		picked[i] = &picker{s.build, own[i], make([]*picks, len(s.needs.conds)), map[int][]*picks{}}
		for n, want := range s.needs.list {
			var parts []Part
			var err error
			switch {
			case s.build.plan.Private != nil:
				parts, err = s.build.choose(own[i], n, want.filter, picked[i].byCode)
			case want.pair == 0:
				parts, err = picked[i].quantity(n)
			}
			if err != nil {
				return nil, err
			}
			out.Quantities = append(out.Quantities, parts)
		}
	}
	out.Keys = out.sides[0].keys
	for _, x := range a.pairs {
		left, right, err := x.open(picked)
		if err != nil {
			return nil, err
		}
		out.Quantities[out.sides[x.left.source].first+x.left.need] = left
		out.Quantities[out.sides[x.right.source].first+x.right.need] = right
	}
	return out, nil
}

// picker finds the rows of one group that filters select.
type picker struct {
	b      *builder
	g      *group
	known  []*picks         // per filter
	byCode map[int][]*picks // with a private parameter: per filter and code
}

func (p *picker) pick(filter int) (*picks, error) {
	if p.known[filter] == nil {
		picked, err := p.b.pick(p.g, filter)
		if err != nil {
			return nil, err
		}
		p.known[filter] = picked
	}
	return p.known[filter], nil
}

func (p *picker) quantity(n int) ([]Part, error) {
	picked, err := p.pick(p.b.needs.list[n].filter)
	if err != nil {
		return nil, err
	}
	return p.b.quantity(n, picked)
}
