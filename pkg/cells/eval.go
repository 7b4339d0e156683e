package cells

import (
	"encoding/binary"
	"math/bits"
)

// Tuples calls see with every tuple of values that the functions have together in some
// cell, each once. It stops when see returns false.
func (w *Weights) Tuples(fs []Weight, see func(values []int64) bool) {
	seen := map[string]bool{}
	more := true
	var visit func(fs []Weight)
	visit = func(fs []Weight) {
		var key []byte
		level := len(w.sizes)
		for _, f := range fs {
			key = binary.AppendUvarint(key, uint64(f))
			level = min(level, w.nodes[f].level)
		}
		if !more || seen[string(key)] {
			return
		}
		seen[string(key)] = true
		if level == len(w.sizes) {
			values := make([]int64, len(fs))
			for i, f := range fs {
				values[i] = w.nodes[f].value
			}
			more = see(values)
			return
		}
		size := int32(w.sizes[level])
		left := make([][]run, len(fs))
		for i, f := range fs {
			left[i] = w.nodes[f].at(level, size, f)
		}
		for more && len(left[0]) > 0 {
			to, next := size, make([]Weight, len(fs))
			for i := range fs {
				to, next[i] = min(to, left[i][0].to), left[i][0].kid
			}
			visit(next)
			for i := range fs {
				if left[i][0].to == to {
					left[i] = left[i][1:]
				}
			}
		}
	}
	if len(fs) > 0 {
		visit(fs)
	}
}

// Eval evaluates functions at a point: each cell stands for the product of one number for
// each of its codes, modulo a prime. A function is the sum of its cells. Two functions are
// equal at a random point if they are equal, and else almost never.
type Eval struct {
	w     *Weights
	prime uint64
	sums  [][]uint64 // per dimension: sum of the numbers of the codes before each
	known map[Weight]uint64
}

// Eval returns the values at the point that next draws the numbers of.
func (w *Weights) Eval(prime uint64, next func() uint64) *Eval {
	e := &Eval{w: w, prime: prime, known: map[Weight]uint64{}}
	for _, n := range w.sizes {
		sums := make([]uint64, n+1)
		for c := range n {
			sums[c+1] = (sums[c] + next()%prime) % prime
		}
		e.sums = append(e.sums, sums)
	}
	return e
}

// Of returns the value of a function.
func (e *Eval) Of(f Weight) uint64 { return e.from(f, 0) }

// from is the value over the dimensions from level on.
func (e *Eval) from(f Weight, level int) uint64 {
	n := &e.w.nodes[f]
	v, ok := e.known[f]
	if !ok {
		if n.level == len(e.w.sizes) {
			v = mod(n.value, e.prime)
		} else {
			from := int32(0)
			for _, r := range n.runs {
				part := e.sums[n.level][r.to] + e.prime - e.sums[n.level][from]
				v = (v + mulmod(part%e.prime, e.from(r.kid, n.level+1), e.prime)) % e.prime
				from = r.to
			}
		}
		e.known[f] = v
	}
	for ; level < n.level; level++ { // dimensions that make no difference
		v = mulmod(v, e.sums[level][e.w.sizes[level]], e.prime)
	}
	return v
}

// Runs counts the runs of codes of functions, of each part once: what evaluating them all at
// one point takes.
func (w *Weights) Runs(fs []Weight) (runs int) {
	seen := map[Weight]bool{}
	var visit func(f Weight)
	visit = func(f Weight) {
		if seen[f] {
			return
		}
		seen[f] = true
		runs += 1 + len(w.nodes[f].runs)
		for _, r := range w.nodes[f].runs {
			visit(r.kid)
		}
	}
	for _, f := range fs {
		visit(f)
	}
	return runs
}

// mod is v modulo the prime.
func mod(v int64, prime uint64) uint64 {
	if v < 0 {
		return (prime - uint64(-v)%prime) % prime
	}
	return uint64(v) % prime
}

// mulmod multiplies modulo the prime.
func mulmod(a, b, prime uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, r := bits.Div64(hi, lo, prime)
	return r
}
