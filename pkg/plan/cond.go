package plan

import (
	"fmt"
	"slices"
	"strings"
)

// tri is a truth value of SQL: AND is the minimum, OR the maximum.
type tri int8

const (
	isFalse tri = iota
	unknown
	isTrue
)

func (t tri) not() tri { return isTrue - t }

func truth(b bool) tri {
	if b {
		return isTrue
	}
	return isFalse
}

// cond is a condition over variables in negation normal form: a leaf holds the truth
// for each position of one variable, an inner node the conjunction or disjunction of
// conditions. NOT has been applied to the leaves.
type cond struct {
	kind  condKind
	value tri // constant
	v     int // leaf: variable
	truth []tri
	kids  []*cond
}

type condKind int

const (
	constant condKind = iota
	leaf
	allOf
	anyOf
)

func constantCond(t tri) *cond { return &cond{kind: constant, value: t} }

func leafCond(v int, truth []tri) *cond { return &cond{kind: leaf, v: v, truth: truth} }

func (c *cond) not() *cond {
	switch c.kind {
	case constant:
		return constantCond(c.value.not())
	case leaf:
		t := make([]tri, len(c.truth))
		for i := range t {
			t[i] = c.truth[i].not()
		}
		return leafCond(c.v, t)
	}
	out := &cond{kind: allOf + anyOf - c.kind}
	for _, k := range c.kids {
		out.kids = append(out.kids, k.not())
	}
	return out
}

// join makes the conjunction or disjunction of two conditions. Leaves of the same
// variable are merged, so that the number of leaves grows with the structure of a
// query and not with its length.
func join(kind condKind, x, y *cond) *cond {
	out := &cond{kind: kind}
	if x.kind == kind { // its parts are merged already; a chain of n would compare them n times
		out.kids = slices.Clone(x.kids)
	} else {
		out.add(x)
	}
	if y.kind == kind {
		for _, k := range y.kids {
			out.add(k)
		}
	} else {
		out.add(y)
	}
	if len(out.kids) == 1 {
		return out.kids[0]
	}
	return out
}

// add takes in one more part.
func (c *cond) add(part *cond) {
	for i, k := range c.kids {
		switch {
		case k.kind == constant && part.kind == constant:
			c.kids[i] = constantCond(c.fold(k.value, part.value))
			return
		case k.kind == leaf && part.kind == leaf && k.v == part.v:
			t := make([]tri, len(k.truth))
			for j := range t {
				t[j] = c.fold(k.truth[j], part.truth[j])
			}
			c.kids[i] = leafCond(k.v, t)
			return
		}
	}
	c.kids = append(c.kids, part)
}

func (c *cond) fold(a, b tri) tri {
	if c.kind == allOf {
		return min(a, b)
	}
	return max(a, b)
}

// eval evaluates the condition where at gives the position of each variable.
func (c *cond) eval(at func(v int) int) tri {
	switch c.kind {
	case constant:
		return c.value
	case leaf:
		return c.truth[at(c.v)]
	}
	out := c.kids[0].eval(at)
	for _, k := range c.kids[1:] {
		out = c.fold(out, k.eval(at))
	}
	return out
}

// leaves appends all leaves.
func (c *cond) leaves(list []*cond) []*cond {
	if c.kind == leaf {
		return append(list, c)
	}
	for _, k := range c.kids {
		list = k.leaves(list)
	}
	return list
}

// strict is the condition that c is true: false where c is unknown. In negation
// normal form that is decided at the leaves, as AND is the minimum and OR the maximum.
func (c *cond) strict() *cond {
	certain := func(t tri) tri { return truth(t == isTrue) }
	switch c.kind {
	case constant:
		return constantCond(certain(c.value))
	case leaf:
		t := make([]tri, len(c.truth))
		for i := range t {
			t[i] = certain(c.truth[i])
		}
		return leafCond(c.v, t)
	}
	out := &cond{kind: c.kind}
	for _, k := range c.kids {
		out.kids = append(out.kids, k.strict())
	}
	return out
}

// simplify removes parts that decide nothing.
func simplify(c *cond) *cond {
	switch c.kind {
	case constant:
		return c
	case leaf:
		for _, t := range c.truth {
			if t != c.truth[0] {
				return c
			}
		}
		if len(c.truth) == 0 {
			return constantCond(isFalse)
		}
		return constantCond(c.truth[0])
	}
	decided, neutral := isFalse, isTrue
	if c.kind == anyOf {
		decided, neutral = isTrue, isFalse
	}
	out := &cond{kind: c.kind}
	for _, k := range c.kids {
		k = simplify(k)
		switch {
		case k.kind == constant && k.value == decided:
			return k
		case k.kind == constant && k.value == neutral:
		default:
			out.kids = append(out.kids, k)
		}
	}
	switch len(out.kids) {
	case 0:
		return constantCond(neutral)
	case 1:
		return out.kids[0]
	}
	return out
}

// weight is the number of leaves, and of the positions that they hold.
func (c *cond) weight() (leaves, positions int) {
	if c.kind == leaf {
		return 1, len(c.truth)
	}
	for _, k := range c.kids {
		l, p := k.weight()
		leaves, positions = leaves+l, positions+p
	}
	return leaves, positions
}

// never and always report that a simplified condition is a constant.
func (c *cond) never() bool  { return c.kind == constant && c.value != isTrue }
func (c *cond) always() bool { return c.kind == constant && c.value == isTrue }

// key identifies equal conditions.
func (c *cond) key() string {
	var b strings.Builder
	c.write(&b)
	return b.String()
}

func (c *cond) write(b *strings.Builder) {
	switch c.kind {
	case constant:
		fmt.Fprintf(b, "c%d", c.value)
	case leaf:
		fmt.Fprintf(b, "v%d:", c.v)
		for _, t := range c.truth {
			b.WriteByte('0' + byte(t))
		}
	default:
		fmt.Fprintf(b, "k%d(", c.kind)
		for _, k := range c.kids {
			k.write(b)
			b.WriteByte(' ')
		}
		b.WriteByte(')')
	}
}
