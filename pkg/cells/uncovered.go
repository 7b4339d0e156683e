package cells

import (
	"encoding/binary"
	"slices"
)

// Uncovered returns the codes of a cell in which all of the functions are zero. ok is
// false if there is none, or it is not found in so many steps.
func (w *Weights) Uncovered(fs []Weight, steps int) (codes []int, ok bool) {
	codes = make([]int, len(w.sizes))
	covered := map[string]bool{}
	var find func(fs []Weight) bool
	find = func(fs []Weight) bool {
		if steps -= 1 + len(fs); steps <= 0 {
			return false
		}
		level := len(w.sizes)
		var key []byte
		for _, f := range fs {
			level = min(level, w.nodes[f].level)
			key = binary.AppendUvarint(key, uint64(f))
		}
		if len(fs) == 0 {
			return true
		}
		if level == len(w.sizes) || covered[string(key)] {
			return false
		}
		for code, kids := range w.below(level, fs) {
			if steps -= len(fs); find(some(kids)) {
				codes[level] = code
				return true
			}
		}
		covered[string(key)] = true // or there are no steps left
		return false
	}
	return codes, find(some(slices.Clone(fs)))
}

// some are those of the functions that are not zero everywhere. The slice is used up.
func some(fs []Weight) []Weight { return slices.DeleteFunc(fs, func(f Weight) bool { return f == 0 }) }
