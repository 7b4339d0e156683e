package overlap

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/cells"
)

// addPatterns adds the vectors over places that the cells of a number have. Quantities are
// kept apart: a combination is zero if it is for each of them. It stops where there are too many.
func addPatterns(n []counted, out map[string]pattern) {
	by := map[coordinate][]counted{}
	for _, x := range n {
		c := coordinate{x.Space, x.Quantity}
		by[c] = append(by[c], x)
	}
	for c, list := range by {
		var functions []cells.Weight // each once
		at := make([]int, len(list))
		for i, x := range list {
			at[i] = slices.Index(functions, x.Weight)
			if at[i] < 0 {
				at[i] = len(functions)
				functions = append(functions, x.Weight)
			}
		}
		c.space.Tuples(functions, func(values []int64) bool {
			var p pattern
			for i, x := range list {
				if v := values[at[i]]; v != 0 {
					p = append(p, entry{x.place, v})
				}
			}
			if len(p) > 0 {
				out[p.key()] = p
			}
			return len(out) <= maxPatterns
		})
	}
}

// key names a pattern, alike for everybody.
func (p pattern) key() string {
	slices.SortFunc(p, func(a, b entry) int { return strings.Compare(a.place.name, b.place.name) })
	var b []byte
	for _, e := range p {
		b = binary.AppendVarint(append(b, e.place.name...), e.value)
	}
	return string(b)
}
