package cells

import (
	"encoding/binary"
	"iter"
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
		for _, kids := range w.below(level, fs) {
			if visit(kids); !more {
				return
			}
		}
	}
	if len(fs) > 0 {
		visit(fs)
	}
}

// below are the runs of codes of a dimension in which each of the functions, of which none
// chooses by a dimension before, stays the same one: the first code, and the functions there.
func (w *Weights) below(level int, fs []Weight) iter.Seq2[int, []Weight] {
	return func(yield func(int, []Weight) bool) {
		size := int32(w.sizes[level])
		left := make([][]run, len(fs))
		for i, f := range fs {
			left[i] = w.nodes[f].at(level, size, f)
		}
		for from := int32(0); from < size; {
			to, kids := size, make([]Weight, len(fs))
			for i := range left {
				to, kids[i] = min(to, left[i][0].to), left[i][0].kid
			}
			if !yield(int(from), kids) {
				return
			}
			for i := range left {
				if left[i][0].to == to {
					left[i] = left[i][1:]
				}
			}
			from = to
		}
	}
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
