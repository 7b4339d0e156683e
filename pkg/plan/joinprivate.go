package plan

import (
	"github.com/carnet-network/carnet/pkg/query"
)

// privateOf is the private parameter of the sources, nil if none has one.
func privateOf(sources []*source) *Private {
	for _, s := range sources {
		if s.private != nil {
			return s.private
		}
	}
	return nil
}

// agreePrivate refuses sides of a join that one selection can't be for. The buyer shares one
// selection among the keyholders, with an entry for every code of the first side's
// dimension: so the other's has the same codes, and both select as many.
//
// A side without a private parameter is opened as often as codes are selected: that has to be
// once, and is not known of a list, which may select fewer than it has parameters.
func agreePrivate(x, y *source) error {
	switch p, q := x.private, y.private; {
	case p == nil && q == nil:
		return nil
	case p == nil || q == nil:
		one, other := x, y
		if p == nil {
			one, other, p = y, x, q
		}
		if p.Spare == 0 {
			return nil
		}
		return noJoin(p.at, "%s selects privately by a list, and %s does not", one.alias, other.alias).
			Fix("write %s = PRIVATE($1), or the same list on both sides", p.Column)
	case p.Weight != q.Weight || p.Spare != q.Spare:
		return noJoin(q.at, "one selection is for both sides, and %s and %s select in different ways", x.alias, y.alias).
			Fix("write both conditions with =, or both as lists of as many parameters")
	}
	p, q := x.private, y.private
	if ok := q.follow(p); !ok {
		return query.Refuse(q.at, "PRIVATE_COLUMN", "one selection is for both sides, and %s of %s and %s of %s do not have the same codes", p.Column, x.alias, q.Column, y.alias).
			Fix("select privately on one side only, or by dimensions that have the same codes")
	}
	return nil
}

// follow has the codes of another source's parameter stand for its own, dimension by
// dimension; ok is false if they are not the same.
func (p *Private) follow(first *Private) (ok bool) {
	if len(p.dims) != len(first.dims) || len(p.Codes) != len(first.Codes) {
		return false
	}
	p.order = nil
	for _, positions := range first.order {
		var own []int
		for i, at := range positions {
			other, ok := p.dims[i].domain.index[first.dims[i].domain.values[at]]
			if !ok {
				return false
			}
			own = append(own, other)
		}
		p.order = append(p.order, own)
	}
	return true
}
