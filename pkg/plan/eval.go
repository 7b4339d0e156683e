package plan

import (
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Evaluate computes the answer from the opened numbers, signed, one per opening. All
// arithmetic is exact; groups without rows are left out, as SQL has it. It may be
// called concurrently.
//
// A number outside the bounds that signed row counts and schema allow is refused with
// IMPLAUSIBLE_VALUE: the sum wrapped, or an owner published other contents than its
// manifest says.
func (p *Plan) Evaluate(values []int64) (*Result, error) {
	if len(values) != len(p.Openings) {
		return nil, carnet.E(carnet.Invalid, "WRONG_VALUES", "the plan has %d openings, and %d values were given", len(p.Openings), len(values))
	}
	for i, v := range values {
		if o := &p.Openings[i]; v < o.Min || v > o.Max {
			return nil, carnet.E(carnet.Precondition, "IMPLAUSIBLE_VALUE", "opening %d is %d, and only %d to %d is possible", i, v, o.Min, o.Max).
				Fix("ask the owners %v to check what they published", o.Owners)
		}
	}
	r := p.recipe
	out := &Result{Columns: slices.Clone(p.Columns), Rows: [][]Value{}}
	var keys [][]sortValue
	noisy := p.Noisy()
	if noisy {
		values = slices.Clone(values) // moved by their noise, one at a time
	}
	for i := range p.Groups {
		g, some := p.env(&p.Groups[i], values)
		if !some {
			continue
		}
		row, key, err := r.row(g)
		if err != nil {
			return nil, err
		}
		if row != nil {
			out.Rows = append(out.Rows, row)
			keys = append(keys, key)
			if noisy {
				out.Deviations = append(out.Deviations, p.deviations(&p.Groups[i], values, row))
			}
		}
	}
	r.sort(out, keys)
	from := min(r.offset, int64(len(out.Rows)))
	out.Rows = out.Rows[from:]
	if r.limit >= 0 && r.limit < int64(len(out.Rows)) {
		out.Rows = out.Rows[:r.limit]
	}
	if noisy {
		out.Deviations = out.Deviations[from:][:len(out.Rows)]
		out.Lost = r.lost(out.Rows)
	}
	return out, nil
}

// lost counts per column the values that are NULL and no keys of groups.
func (r *recipe) lost(rows [][]Value) []int {
	out := make([]int, len(r.items))
	for _, row := range rows {
		for i, n := range r.items {
			if n.group < 0 && row[i].IsNull() {
				out[i]++
			}
		}
	}
	return out
}

// env is what expressions over a group are evaluated in; some is false if it is a group
// without rows, or one side of a join has none.
func (p *Plan) env(g *Group, values []int64) (out *env, some bool) {
	all := p.totals(g, values)
	var sides []*env
	for i, s := range g.sides {
		end := len(all)
		if i+1 < len(g.sides) {
			end = g.sides[i+1].first
		}
		e := &env{keys: s.keys, codes: s.codes, totals: all[s.first:end]}
		if s.counted && e.totals[0].Sign() == 0 && !p.noisyAmong(g.Quantities[s.first]) {
			return nil, false
		}
		sides = append(sides, e)
	}
	if p.recipe.outputs.join == nil {
		return sides[0], true
	}
	return &env{keys: g.Keys, codes: g.sides[0].codes, sides: sides}, true
}

// totals puts the quantities of a group together from their digits.
func (p *Plan) totals(g *Group, values []int64) []*big.Int {
	out := make([]*big.Int, len(g.Quantities))
	for i, parts := range g.Quantities {
		sum := new(big.Int)
		for _, x := range parts {
			v := new(big.Int).Mul(big.NewInt(values[x.Opening]), big.NewInt(x.Times))
			sum.Add(sum, v.Lsh(v, x.Shift))
		}
		out[i] = sum
	}
	return out
}

// row evaluates the output for a group; nil if HAVING leaves it out.
func (r *recipe) row(g *env) ([]Value, []sortValue, error) {
	if r.having != nil {
		t, err := r.having(g)
		if err != nil || t != isTrue {
			return nil, nil, err
		}
	}
	row := make([]Value, len(r.items))
	for i, n := range r.items {
		v, err := n.eval(g)
		if err != nil {
			return nil, nil, err
		}
		row[i] = v
	}
	key := make([]sortValue, len(r.order))
	for i, k := range r.order {
		v, err := k.node.eval(g)
		if err != nil {
			return nil, nil, err
		}
		key[i] = sortValue{v, 0}
		if k.node.dom != nil {
			key[i].rank = k.node.dom.rank[k.node.code(g)]
		}
	}
	return row, key, nil
}

// sortValue is a value to order by; columns order by the rank of their codes.
type sortValue struct {
	Value
	rank int
}

// sort orders the rows; rows with equal keys stay in the order of the groups.
func (r *recipe) sort(out *Result, keys [][]sortValue) {
	if len(r.order) == 0 {
		return
	}
	order := make([]int, len(out.Rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		for i, k := range r.order {
			if c := k.compare(keys[a][i], keys[b][i]); c != 0 {
				return c
			}
		}
		return 0
	})
	rows := make([][]Value, len(order))
	for i, at := range order {
		rows[i] = out.Rows[at]
	}
	out.Rows = rows
	if out.Deviations != nil {
		deviations := make([][]Value, len(order))
		for i, at := range order {
			deviations[i] = out.Deviations[at]
		}
		out.Deviations = deviations
	}
}

func (k *sortKey) compare(a, b sortValue) int {
	if a.IsNull() || b.IsNull() {
		if a.IsNull() == b.IsNull() {
			return 0
		}
		if a.IsNull() == k.nullsFirst {
			return -1
		}
		return 1
	}
	c := a.rank - b.rank
	if k.node.dom == nil {
		c = a.compare(b.Value)
	}
	if k.desc {
		return -c
	}
	return c
}
