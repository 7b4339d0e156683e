package scan

import "github.com/carnet-network/carnet/pkg/functional"

// mostParts bounds into how many products one is split.
const mostParts = 64

// split writes a product of wide factors as a sum of products with about the given
// number of columns, so that a range of hundreds of columns is not in memory all at
// once: (a+b)*c is a*c + b*c, exactly. Each part reads its own columns and those of the
// other factors, which is why the parts are at most mostParts.
func split(t *functional.Product, columns int) [][]functional.Factor {
	if len(t.Columns()) <= columns {
		return [][]functional.Factor{t.Factors}
	}
	size, parts := max(1, columns/len(t.Factors)), 0
	for ; ; size *= 2 {
		parts = 1
		for i := range t.Factors {
			parts *= (len(t.Factors[i].Plus)+size-1)/size + (len(t.Factors[i].Minus)+size-1)/size
			if parts > mostParts {
				break
			}
		}
		if parts <= mostParts {
			break
		}
	}
	out := [][]functional.Factor{nil}
	for i := range t.Factors {
		var next [][]functional.Factor
		for _, f := range pieces(&t.Factors[i], size) {
			for _, rest := range out {
				next = append(next, append(rest[:len(rest):len(rest)], f))
			}
		}
		out = next
	}
	return out
}

// pieces cuts a factor into factors of at most size columns that add up to it.
func pieces(f *functional.Factor, size int) (out []functional.Factor) {
	for lo := 0; lo < len(f.Plus); lo += size {
		out = append(out, functional.Factor{Plus: f.Plus[lo:min(lo+size, len(f.Plus))]})
	}
	for lo := 0; lo < len(f.Minus); lo += size {
		out = append(out, functional.Factor{Minus: f.Minus[lo:min(lo+size, len(f.Minus))]})
	}
	return out
}
