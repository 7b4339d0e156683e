package cells

import (
	"encoding/binary"
	"math"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Weight is a function from cells to integers, of one Weights. Equal functions are the
// same number.
type Weight int32

// Weights keeps functions of the cells of one space as decision diagrams, each part once.
// It is for one goroutine.
type Weights struct {
	sizes  []int // codes of each dimension
	nodes  []node
	known  map[string]Weight
	fixed  map[int64]Weight // constants
	done   map[step]Weight
	used   int // runs that were made
	left   int // that may still be made
	failed error
}

// node is a constant, or a choice by the code of one dimension.
type node struct {
	level int   // dimension; len(sizes) for a constant
	value int64 // of a constant
	runs  []run // otherwise: ascending, the last ends at the number of codes, two or more
}

// run is what codes up to To, from where the run before ended, lead to.
type run struct {
	to  int32
	kid Weight
}

type step struct {
	op   byte
	a, b Weight
}

// maxRuns bounds the memory of the weights of one query: 24 bytes and its share of a key
// each.
const maxRuns = 4 << 20

// NewWeights returns the functions of the cells over dimensions with so many codes.
func NewWeights(sizes []int) *Weights {
	w := &Weights{sizes: sizes, known: map[string]Weight{}, fixed: map[int64]Weight{}, done: map[step]Weight{}, left: maxRuns}
	w.Constant(0)
	w.Constant(1)
	return w
}

// Err is the error of kind Refused, SELECTION_TOO_COMPLEX, that ended what the functions
// are: all that was returned after it is meaningless.
func (w *Weights) Err() error { return w.failed }

// one is Constant(1).
const one Weight = 1

// Constant is v for every cell. Constant(0) is Weight 0.
func (w *Weights) Constant(v int64) Weight {
	f, ok := w.fixed[v]
	if !ok {
		f = w.intern(node{level: len(w.sizes), value: v})
		w.fixed[v] = f
	}
	return f
}

// ByNumber is a function of the number of the codes of some dimensions, in mixed radix,
// the first of them outermost.
func (w *Weights) ByNumber(dims []int, value func(number int) int64) Weight {
	strides := make([]int, len(w.sizes)) // of the number; 0 for other dimensions
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[dims[i]] = n
		n *= w.sizes[dims[i]]
	}
	var at func(level, number int) Weight
	at = func(level, number int) Weight {
		for level < len(strides) && strides[level] == 0 {
			level++
		}
		if level == len(strides) {
			return w.Constant(value(number))
		}
		var runs []run
		for c := range w.sizes[level] {
			runs = push(runs, int32(c+1), at(level+1, number+c*strides[level]))
		}
		return w.choice(level, runs)
	}
	return at(0, 0)
}

// Cells is 1 for the listed cells, which ascend, and 0 for others. Numbers of cells are
// mixed radix over all dimensions, the first outermost.
func (w *Weights) Cells(list []uint32) Weight {
	strides := make([]int, len(w.sizes)+1)
	strides[len(w.sizes)] = 1
	for i := len(w.sizes) - 1; i >= 0; i-- {
		strides[i] = strides[i+1] * w.sizes[i]
	}
	var at func(level int, list []uint32, first int) Weight
	at = func(level int, list []uint32, first int) Weight {
		switch {
		case len(list) == 0 || w.failed != nil:
			return 0
		case len(list) == strides[level]:
			return one
		}
		var runs []run
		stride := strides[level+1]
		var before []uint32 // cells of the code before, which often are the same ones
		var kid Weight
		for len(list) > 0 {
			c := (int(list[0]) - first) / stride
			end, n := first+(c+1)*stride, 1
			for n < len(list) && int(list[n]) < end {
				n++
			}
			if c > 0 {
				runs = push(runs, int32(c), 0)
			}
			if !moved(before, list[:n]) || int(list[0]-before[0])%stride != 0 {
				kid = at(level+1, list[:n], end-stride)
			}
			runs = push(runs, int32(c+1), kid)
			before, list = list[:n], list[n:]
		}
		return w.choice(level, push(runs, int32(w.sizes[level]), 0))
	}
	return at(0, list, 0)
}

// moved reports whether b is a moved by some distance. Neither is empty, unless a is nil.
func moved(a, b []uint32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if b[i]-a[i] != b[0]-a[0] {
			return false
		}
	}
	return true
}

// push adds a run that ends at to, unless the runs reach that far already.
func push(runs []run, to int32, kid Weight) []run {
	if n := len(runs); n > 0 {
		switch last := &runs[n-1]; {
		case last.to >= to:
			return runs
		case last.kid == kid:
			last.to = to
			return runs
		}
	}
	return append(runs, run{to, kid})
}

// choice is the node of the runs, or what they all lead to.
func (w *Weights) choice(level int, runs []run) Weight {
	if len(runs) == 1 {
		return runs[0].kid
	}
	return w.intern(node{level: level, runs: runs})
}

// key names a node by its contents.
func (n *node) key() []byte {
	b := binary.AppendVarint(binary.AppendUvarint(nil, uint64(n.level)), n.value)
	for _, r := range n.runs {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(r.to)), uint64(r.kid))
	}
	return b
}

func (w *Weights) intern(n node) Weight {
	b := n.key()
	if at, ok := w.known[string(b)]; ok {
		return at
	}
	if w.left -= 1 + len(n.runs); w.left < 0 {
		w.failed = carnet.E(carnet.Refused, "SELECTION_TOO_COMPLEX", "what the query selects is too complex to be compared with the owners' groups and with what was released before").
			Fix("use conditions that are the same for all groups, or ask in several queries")
		return 0
	}
	at := Weight(len(w.nodes))
	w.used += 1 + len(n.runs)
	w.nodes = append(w.nodes, n)
	w.known[string(b)] = at
	return at
}

// Add is the sum of two functions.
func (w *Weights) Add(a, b Weight) Weight { return w.apply('+', a, b) }

// Mul is the product of two functions.
func (w *Weights) Mul(a, b Weight) Weight { return w.apply('*', a, b) }

func (w *Weights) apply(op byte, a, b Weight) Weight {
	if w.failed != nil {
		return 0
	}
	if a > b {
		a, b = b, a
	}
	switch {
	case a == 0 && op == '+':
		return b
	case a == 0:
		return 0
	case op == '*' && a == one:
		return b
	case op == '*' && b == one:
		return a
	}
	key := step{op, a, b}
	if c, ok := w.done[key]; ok {
		return c
	}
	x, y := &w.nodes[a], &w.nodes[b]
	var c Weight
	if level := min(x.level, y.level); level == len(w.sizes) {
		v := x.value + y.value
		if op == '*' {
			v = x.value * y.value
		}
		c = w.Constant(v)
	} else {
		n := int32(w.sizes[level])
		p, q := x.at(level, n, a), y.at(level, n, b)
		var runs []run
		for len(p) > 0 && len(q) > 0 {
			to := min(p[0].to, q[0].to)
			runs = push(runs, to, w.apply(op, p[0].kid, q[0].kid))
			if p[0].to == to {
				p = p[1:]
			}
			if q[0].to == to {
				q = q[1:]
			}
		}
		c = w.choice(level, runs)
	}
	if w.failed != nil {
		return 0
	}
	w.done[key] = c
	return c
}

// at are the runs of a node at a level: one run if it does not choose there.
func (n *node) at(level int, size int32, self Weight) []run {
	if n.level > level {
		return []run{{size, self}}
	}
	return n.runs
}

// Of returns the value for one cell, given as a code for each dimension.
func (w *Weights) Of(f Weight, codes []int) int64 {
	for {
		n := &w.nodes[f]
		if n.level == len(w.sizes) {
			return n.value
		}
		i := 0
		for int(n.runs[i].to) <= codes[n.level] {
			i++
		}
		f = n.runs[i].kid
	}
}

// Import is what f, a function of from, is among those of w. Both have dimensions with the
// same numbers of codes. done remembers what was imported from the same functions before.
func (w *Weights) Import(from *Weights, f Weight, done map[Weight]Weight) Weight {
	if to, ok := done[f]; ok {
		return to
	}
	n := &from.nodes[f]
	to := Weight(0)
	if n.level == len(from.sizes) {
		to = w.Constant(n.value)
	} else {
		runs := make([]run, len(n.runs))
		for i, r := range n.runs {
			runs[i] = run{r.to, w.Import(from, r.kid, done)}
		}
		to = w.choice(n.level, runs)
	}
	done[f] = to
	return to
}

// Used is what all functions that were made take, in runs of codes; see Runs.
func (w *Weights) Used() int { return w.used }

// Unbounded takes the bound of the memory away, for functions whose number whoever keeps them
// bounds.
func (w *Weights) Unbounded() { w.left = math.MaxInt }
