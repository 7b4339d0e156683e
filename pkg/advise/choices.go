package advise

import (
	"slices"
	"strconv"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Bounds of what is tried.
const (
	manyCodes   = 10 // dimensions of fewer codes are not tried in two digits
	mostDigits  = 4  // so many of the largest dimensions are
	rangeCodes  = 4  // ordered dimensions of fewer codes are not tried cumulative
	mostMerged  = 64 // combinations of codes of two dimensions that are tried as one
	leastDegree = 2
	mostDegree  = 4
)

// variants lists the schemas to compare: the one given in each layout it offers, a
// cube, and for each degree of the records layout the largest dimensions in two digits
// or not, two small ones combined or not, ordered ones cumulative or nothing encoded.
func variants(s *schema.Schema) []*schema.Schema {
	var list []*schema.Schema
	for _, l := range s.Layouts {
		v := plain(s, l, 0)
		if l == carnet.LayoutRecords {
			v.Combine = s.Combine
			if s.Degree > leastDegree {
				v.Degree = s.Degree
			}
			for i := range v.Dimensions {
				if e := s.Dimensions[i].Encoding; e != schema.OneHot {
					v.Dimensions[i].Encoding = e
				}
			}
		}
		list = append(list, v)
	}
	list = append(list, plain(s, carnet.LayoutCube, 0))
	for degree := leastDegree; degree <= mostDegree; degree++ {
		list = append(list, plain(s, carnet.LayoutRecords, degree))
		for digits := range mostDigits + 1 {
			for _, merged := range []bool{false, true} {
				if v := encoded(s, degree, digits, merged); v != nil {
					list = append(list, v)
				}
			}
		}
	}
	return list
}

// plain is the schema in one layout with every dimension one-hot.
func plain(s *schema.Schema, l carnet.Layout, degree int) *schema.Schema {
	v := *s
	v.Layouts, v.Combine, v.Degree = []carnet.Layout{l}, nil, degree
	if degree == leastDegree {
		v.Degree = 0
	}
	v.Aligned = s.Aligned && l == carnet.LayoutRecords
	v.Dimensions = slices.Clone(s.Dimensions)
	for i := range v.Dimensions {
		v.Dimensions[i].Encoding = ""
	}
	return &v
}

// encoded is the schema in the records layout with so many of its largest dimensions
// in two digits, ordered ones cumulative and, if merged, the two smallest of the others
// combined; nil if there are none to do that with.
func encoded(s *schema.Schema, degree, digits int, merged bool) *schema.Schema {
	v := plain(s, carnet.LayoutRecords, degree)
	order := bySize(v)
	if digits > len(order) || digits > 0 && v.Dimensions[order[digits-1]].Cardinality() < manyCodes {
		return nil
	}
	for _, i := range order[:digits] {
		v.Dimensions[i].Encoding = schema.TwoDigit
	}
	rest := order[digits:]
	if merged {
		n := len(rest)
		if n < 2 || v.Dimensions[rest[n-1]].Cardinality()*v.Dimensions[rest[n-2]].Cardinality() > mostMerged {
			return nil
		}
		pair := []int{rest[n-1], rest[n-2]}
		slices.Sort(pair)
		v.Combine = []schema.Combination{{Dimensions: []string{v.Dimensions[pair[0]].Name, v.Dimensions[pair[1]].Name}}}
		rest = rest[:n-2]
	}
	for _, i := range rest {
		if d := &v.Dimensions[i]; d.Cardinality() >= rangeCodes && inOrder(d) {
			d.Encoding = schema.Cumulative
		}
	}
	return v
}

// bySize lists the dimensions from the largest to the smallest.
func bySize(s *schema.Schema) []int {
	var list []int
	for i := range s.Dimensions {
		list = append(list, i)
	}
	slices.SortStableFunc(list, func(a, b int) int { return s.Dimensions[b].Cardinality() - s.Dimensions[a].Cardinality() })
	return list
}

// inOrder reports whether ranges are meant and lie together in the code list.
func inOrder(d *schema.Dimension) bool {
	if d.Ordered {
		return true
	}
	numbers := make([]int, len(d.Codes))
	for i, c := range d.Codes {
		n, err := strconv.Atoi(c.Value)
		if err != nil {
			return false
		}
		numbers[i] = n
	}
	return slices.IsSorted(numbers)
}
