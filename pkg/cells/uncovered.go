package cells

import "encoding/binary"

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
		size := int32(w.sizes[level])
		left := make([][]run, len(fs))
		for i, f := range fs {
			left[i] = w.nodes[f].at(level, size, f)
		}
		for from := int32(0); from < size; {
			to := size
			var next []Weight
			for i := range fs {
				if to = min(to, left[i][0].to); left[i][0].kid != 0 {
					next = append(next, left[i][0].kid)
				}
			}
			if steps -= len(fs); find(next) {
				codes[level] = int(from)
				return true
			}
			for i := range fs {
				if left[i][0].to == to {
					left[i] = left[i][1:]
				}
			}
			from = to
		}
		covered[string(key)] = true // or there are no steps left
		return false
	}
	var some []Weight
	for _, f := range fs {
		if f != 0 {
			some = append(some, f)
		}
	}
	return codes, find(some)
}
