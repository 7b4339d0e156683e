package plan

import (
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
)

// subtraction is SUM(x) FILTER (a) - SUM(x) FILTER (b), or p.x - q.x of a join, opened as
// one number where the layout can: what each side is alone is then not released. How many
// rows each side has is, because a sum of none is NULL.
type subtraction struct {
	left, right *sums
	static      static
	of          [2]func(*env) *env // where each side has its totals
}

// pair is two needs that only their difference is asked of.
type pair struct{ left, right needOf }

// needOf is a need of a source.
type needOf struct{ source, need int }

// difference compiles the difference of two sums, nil if it is not one, or if the query
// asks for one of its sides as well.
func (o *outputs) difference(e *query.Binary) (*node, error) {
	if e.Op != query.Sub || o.private || o.needs.join != nil {
		return nil, nil
	}
	l, x := o.means(e.X)
	r, y := o.means(e.Y)
	if x == nil || y == nil || x.Func != query.Sum || y.Func != query.Sum {
		return nil, nil
	}
	if times := o.subtracted(l, r, x, y); o.occurs(l, x) != times || o.occurs(r, y) != times {
		return nil, nil
	}
	m, n := l.needs, r.needs
	before, beside := len(m.list), len(n.list)
	a, err := m.aggregate(x)
	if err != nil {
		return nil, err
	}
	b, err := n.aggregate(y)
	if err != nil {
		return nil, err
	}
	d := &subtraction{left: a.(*sums), right: b.(*sums)}
	if d.static, err = arithmeticType(e, a.shape(), b.shape()); err != nil {
		return nil, err
	}
	if !d.single(m, n, before, beside) {
		return nil, nil // the needs are there already for arithmetic
	}
	*o.pairs = append(*o.pairs, pair{needOf{l.source, d.left.x[0].need}, needOf{r.source, d.right.x[0].need}})
	m.list[d.left.x[0].need].pair, n.list[d.right.x[0].need].pair = len(*o.pairs), len(*o.pairs)
	for i, side := range []*outputs{l, r} {
		d.of[i] = func(g *env) *env { return g }
		if side != o {
			d.of[i] = func(g *env) *env { return g.sides[side.source] }
		}
	}
	return &node{static: d.static, group: -1, eval: func(g *env) (Value, error) { return d.value(g), nil }}, nil
}

// single reports whether each side is one quantity that nothing else asks for, in the same
// unit, so that one can be taken from the other before anything is opened. m and n are
// the needs of the sides, before and beside how many of them there were already.
func (d *subtraction) single(m, n *needs, before, beside int) bool {
	l, r := d.left, d.right
	if len(l.x) != 1 || len(r.x) != 1 || l.x[0].need < before || r.x[0].need < beside || l.x[0].weight.Cmp(r.x[0].weight) != 0 || l.n.has(l.x) || r.n.has(r.x) {
		return false
	}
	if m != n {
		return true
	}
	p, q := &m.list[l.x[0].need], &n.list[r.x[0].need]
	return p.of == q.of && p.filter != q.filter && !l.n.has(r.x) && !r.n.has(l.x)
}

func (d *subtraction) value(g *env) Value {
	l, r := d.of[0](g).totals, d.of[1](g).totals
	if !d.left.always && d.left.n.value(l).Sign() <= 0 || !d.right.always && d.right.n.value(r).Sign() <= 0 {
		return Value{}
	}
	// Opened as one number, it is the left total, and the right one is zero.
	v := d.left.x.value(l)
	return d.static.as(Value{num: v.Sub(v, d.right.x.value(r))})
}

// open opens the difference of the rows picked on both sides: each number of the one less
// that of the other if both are sums of whole columns or cells and no file is in both,
// else one by one.
func (x *pair) open(sides []*picker) (left, right []Part, err error) {
	l, r := sides[x.left.source], sides[x.right.source]
	p, err := l.pick(l.b.needs.list[x.left.need].filter)
	if err != nil {
		return nil, nil, err
	}
	q, err := r.pick(r.b.needs.list[x.right.need].filter)
	if err != nil {
		return nil, nil, err
	}
	merged, err := x.merge(l.b, r.b, p, q)
	if err != nil || merged != nil {
		return merged, nil, err
	}
	if left, err = l.b.quantity(x.left.need, p); err != nil {
		return nil, nil, err
	}
	right, err = r.b.quantity(x.right.need, q)
	return left, right, err
}

// merge opens the difference as one number for each digit; nil if that can't be done.
func (x *pair) merge(l, r *builder, p, q *picks) ([]Part, error) {
	if len(p.files) == 0 || len(q.files) == 0 {
		return nil, nil
	}
	for i := range p.files {
		if slices.ContainsFunc(q.files, func(o pick) bool { return o.nonce == p.files[i].nonce }) {
			return nil, nil
		}
	}
	left, parts, err := l.collect(x.left.need, p)
	if err != nil {
		return nil, err
	}
	right, others, err := r.collect(x.right.need, q)
	if err != nil {
		return nil, err
	}
	one := func(c chosen) bool { return c.f.Degree == 1 }
	if !slices.Equal(parts, others) || !slices.ContainsFunc(left, one) || slices.ContainsFunc(slices.Concat(left, right), func(c chosen) bool { return !one(c) }) {
		return nil, nil
	}
	both := &picks{files: slices.Concat(p.files, q.files), rows: p.rows + q.rows, owners: slices.Concat(p.owners, q.owners), sides: [2]int{len(p.owners), len(q.owners)}, less: map[carnet.Nonce]bool{}}
	slices.Sort(both.owners)
	both.owners = slices.Compact(both.owners)
	for i := range q.files {
		both.less[q.files[i].nonce] = true
	}
	out := slices.Clone(parts)
	for i := range parts {
		x1, y1 := left[parts[i].Opening], right[parts[i].Opening]
		limits := bounds{new(big.Int).Sub(x1.limits.lo, y1.limits.hi), new(big.Int).Sub(x1.limits.hi, y1.limits.lo), x1.limits.row}
		if y1.limits.row.Cmp(limits.row) > 0 { // no row is on both sides
			limits.row = y1.limits.row
		}
		if out[i].Opening, err = l.open(x.left.need, subtract(x1.f, y1.f), both, limits); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// collect works out what a need of the picked files would open, without opening it.
func (b *builder) collect(n int, p *picks) ([]chosen, []Part, error) {
	b.choice = []chosen{}
	parts, err := b.quantity(n, p)
	list := b.choice
	b.choice = nil
	return list, parts, err
}

// subtract joins the terms of two functionals of degree 1 over different files.
func subtract(x, y *functional.Functional) *functional.Functional {
	out := &functional.Functional{Degree: 1}
	add := func(keys []functional.KeyTerms, minus bool) {
		for i := range keys {
			at := slices.IndexFunc(out.Keys, func(k functional.KeyTerms) bool { return k.Key == keys[i].Key })
			if at < 0 {
				at = len(out.Keys)
				out.Keys = append(out.Keys, functional.KeyTerms{Key: keys[i].Key})
			}
			for _, t := range keys[i].Linear {
				t.Minus = t.Minus != minus
				out.Keys[at].Linear = append(out.Keys[at].Linear, t)
			}
		}
	}
	add(x.Keys, false)
	add(y.Keys, true)
	return out
}
