package schema

import (
	"fmt"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// checkEncodings checks what matters in the records layout only: how dimensions
// become indicator columns, and how many columns a question may multiply.
func (s *Schema) checkEncodings(c *checker) {
	records := s.Offers(carnet.LayoutRecords) || len(s.Layouts) == 0
	useless := func(path, what string) {
		if !records {
			c.add(path, "%s matters in the records layout only; remove it, or add records to layouts", what)
		}
	}
	for i := range s.Dimensions {
		if e := s.Dimensions[i].Encoding; e != "" {
			path := fmt.Sprintf("dimensions[%d].encoding", i)
			c.coding(path, e)
			useless(path, "encoding")
		}
	}
	if s.Degree != 0 && (s.Degree < 2 || s.Degree > 4) {
		c.add("degree", "the degree is %d; use 2, 3 or 4: how many encrypted columns a question may multiply", s.Degree)
	}
	if s.Degree != 0 {
		useless("degree", "degree")
	}
	if len(s.Combine) > 0 {
		useless("combine", "combine")
	}
	s.checkCombinations(c)
	s.checkAligned(c)
}

func (c *checker) coding(path string, e Coding) {
	if !slices.Contains(codings, string(e)) {
		c.add(path, "unknown encoding %s%s", quote(string(e)), didYouMean(string(e), codings))
	}
}

func (s *Schema) checkCombinations(c *checker) {
	names := make([]string, len(s.Dimensions))
	for i := range s.Dimensions {
		names[i] = s.Dimensions[i].Name
	}
	seen := map[string]bool{}
	c.most("combine", len(s.Combine), MaxDimensions)
	for i := range s.Combine[:min(len(s.Combine), MaxDimensions)] {
		x := &s.Combine[i]
		path := fmt.Sprintf("combine[%d]", i)
		if x.Encoding != "" {
			c.coding(path+".encoding", x.Encoding)
		}
		if len(x.Dimensions) < 2 {
			c.add(path+".dimensions", "a combination has %d dimensions; list at least two", len(x.Dimensions))
		}
		c.most(path+".dimensions", len(x.Dimensions), MaxDimensions)
		size := 1
		for k, name := range x.Dimensions[:min(len(x.Dimensions), MaxDimensions)] {
			at := fmt.Sprintf("%s.dimensions[%d]", path, k)
			d := s.Dimension(name)
			switch {
			case d < 0:
				c.add(at, "there is no dimension %s%s", quote(name), didYouMean(name, names))
				continue
			case seen[name]:
				c.add(at, "the dimension %s is combined twice; remove one", quote(name))
			case s.Dimensions[d].Encoding != "":
				c.add(at, "the dimension %s has an encoding of its own; remove it there, and set the encoding of the combination if needed", quote(name))
			}
			seen[name] = true
			size = min(size*max(1, s.Dimensions[d].Cardinality()), MaxCombined+1)
		}
		if size > MaxCombined {
			c.add(path+".dimensions", "the dimensions have more than %d combinations of codes; combine fewer, or use coarser codes", MaxCombined)
		}
	}
}
