package plan

import (
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
)

// subtraction is SUM(x) FILTER (a) - SUM(x) FILTER (b), opened as one number where the
// layout can: what each side is alone is then not released. How many rows each side
// has is, because a sum of none is NULL.
type subtraction struct {
	left, right combination // rows where each side has a value
	sum         int         // need
	weight      *big.Rat
	static      static
}

// difference compiles the difference of two sums, nil if it is not one, or if the query
// asks for one of its sides as well.
func (o *outputs) difference(e *query.Binary) (*node, error) {
	x, okX := e.X.(*query.Aggregate)
	y, okY := e.Y.(*query.Aggregate)
	if e.Op != query.Sub || !okX || !okY || x.Func != query.Sum || y.Func != query.Sum || o.private ||
		o.occurs(x) != o.occurs(e) || o.occurs(y) != o.occurs(e) {
		return nil, nil
	}
	n := o.needs
	before := len(n.list)
	a, err := n.aggregate(x)
	if err != nil {
		return nil, err
	}
	b, err := n.aggregate(y)
	if err != nil {
		return nil, err
	}
	l, r := a.(*sums), b.(*sums)
	if len(l.x) != 1 || len(r.x) != 1 || l.x[0].need < before || r.x[0].need != len(n.list)-1 || l.x[0].weight.Cmp(r.x[0].weight) != 0 {
		return nil, nil // the needs are there already for arithmetic
	}
	p, q := &n.list[l.x[0].need], n.list[r.x[0].need]
	if p.of != q.of || p.filter == q.filter || l.n.has(l.x, r.x) || r.n.has(l.x, r.x) {
		return nil, nil
	}
	p.less = q.filter + 1
	n.list, n.first = n.list[:len(n.list)-1], n.first[:len(n.first)-1]
	t, err := arithmeticType(e, l.shape(), r.shape())
	d := &subtraction{l.n, r.n, l.x[0].need, l.x[0].weight, t}
	return &node{static: t, group: -1, eval: func(g *env) (Value, error) { return d.value(g.totals), nil }}, err
}

// occurs counts how often the query contains an expression.
func (o *outputs) occurs(e query.Expr) int {
	count := 0
	look := func(x query.Expr) bool {
		if query.Equal(x, e) {
			count++
		}
		return true
	}
	for _, it := range o.sel.Items {
		query.Walk(it.Expr, look)
	}
	query.Walk(o.sel.Having, look)
	for _, k := range o.sel.OrderBy {
		query.Walk(k.Expr, look)
	}
	return count
}

func (d *subtraction) value(totals []*big.Int) Value {
	if d.left.value(totals).Sign() <= 0 || d.right.value(totals).Sign() <= 0 {
		return Value{}
	}
	v := new(big.Rat).SetInt(totals[d.sum])
	return d.static.as(Value{num: v.Mul(v, d.weight)})
}

// less opens the rows picked less others: each number of the one with that of the
// other if both are sums of whole columns or cells and no file is in both, else one by
// one.
func (b *builder) less(n int, p, q *picks) ([]Part, error) {
	merged, err := b.merged(n, p, q)
	if err != nil || merged != nil {
		return merged, err
	}
	parts, err := b.quantity(n, p)
	if err != nil {
		return nil, err
	}
	others, err := b.quantity(n, q)
	for _, x := range others {
		x.Times = -x.Times
		parts = append(parts, x)
	}
	return parts, err
}

func (b *builder) merged(n int, p, q *picks) ([]Part, error) {
	if len(p.files) == 0 || len(q.files) == 0 {
		return nil, nil
	}
	for i := range p.files {
		if slices.ContainsFunc(q.files, func(o pick) bool { return o.nonce == p.files[i].nonce }) {
			return nil, nil
		}
	}
	left, parts, err := b.collect(n, p)
	if err != nil {
		return nil, err
	}
	right, others, err := b.collect(n, q)
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
		x, y := left[parts[i].Opening], right[parts[i].Opening]
		limits := bounds{new(big.Int).Sub(x.limits.lo, y.limits.hi), new(big.Int).Sub(x.limits.hi, y.limits.lo)}
		if out[i].Opening, err = b.open(n, subtract(x.f, y.f), both, limits); err != nil {
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
