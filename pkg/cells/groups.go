package cells

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

const (
	// MaxMinGroup and MaxStarts bound what manifests ask for and list.
	MaxMinGroup = 1 << 20
	MaxStarts   = 32_768 // first codes of all groups of one manifest together
)

// Check checks the groups of a manifest against its schema: there is one form for the same
// groups, and they are about all files exactly if the terms ask for them. The error is
// of kind Invalid, BAD_GROUPS, with a violation for each fault.
func Check(d *carnet.Dataset, s *schema.Schema) error {
	e := carnet.E(carnet.Invalid, "BAD_GROUPS", "the groups of dataset %s can't be used", d.ID).
		Fix("publish with carnet publish, which makes them from the table")
	t := &d.Terms
	if t.MinGroup < 0 || t.MinGroup > MaxMinGroup {
		e = e.With("terms.min_group", "is %d; want 0 to %d", t.MinGroup, MaxMinGroup)
	}
	if t.MaxShare < 0 || t.MaxShare > 100 || t.MaxShare > 0 && t.MinGroup < 2 {
		e = e.With("terms.max_share", "is %d; want a percentage, together with a min_group of 2 or more", t.MaxShare)
	}
	files, starts := 0, 0
	for i := range d.Groups {
		g := &d.Groups[i]
		if g.Files < 1 || g.Files > len(d.Files)-files {
			e = e.With("groups", "entry %d is about %d files; the dataset has %d", i, g.Files, len(d.Files))
			break
		}
		files += g.Files
		last := -1
		for j := range g.Dimensions {
			x := &g.Dimensions[j]
			dim := s.Dimension(x.Dimension)
			if dim <= last {
				e = e.With("groups", "entry %d: %q is no dimension of the schema, or out of its order", i, x.Dimension)
				break
			}
			last = dim
			starts += max(1, len(x.From))
			if msg := checkStarts(x.From, s.Dimensions[dim].Cardinality()); msg != "" {
				e = e.With("groups", "entry %d, %s: %s", i, x.Dimension, msg)
			}
		}
	}
	switch {
	case t.MinGroup < 2 && len(d.Groups) > 0:
		e = e.With("groups", "the terms ask for no min_group")
	case t.MinGroup >= 2 && files != len(d.Files):
		e = e.With("groups", "are about %d of %d files; the terms ask for a min_group of %d", files, len(d.Files), t.MinGroup)
	case starts > MaxStarts:
		e = e.With("groups", "list %d first codes; want at most %d", starts, MaxStarts)
	}
	if len(e.Violations) > 0 {
		return e
	}
	return nil
}

// checkStarts returns what is wrong with the first codes of groups among n codes. All
// codes are written as none, one group by leaving the dimension out.
func checkStarts(from []int, n int) string {
	switch {
	case len(from) == 0:
		if n < 2 {
			return "a dimension of one code is one group and is left out"
		}
		return ""
	case len(from) == 1:
		return "one group is written by leaving the dimension out"
	case len(from) >= n:
		return "every code by itself is written without a list"
	case from[0] != 0 || from[len(from)-1] >= n:
		return "first codes are from 0 and below the number of codes"
	}
	for i := 1; i < len(from); i++ {
		if from[i-1] >= from[i] {
			return "first codes do not ascend"
		}
	}
	return ""
}

// Grouping are groups as a function of positions: for each dimension of the schema the
// first codes of its groups.
type Grouping [][]int

// NewGrouping reads groups that passed Check; nil is one group in each dimension.
func NewGrouping(g *carnet.Groups, s *schema.Schema) Grouping {
	out := make(Grouping, len(s.Dimensions))
	for i := range out {
		out[i] = []int{0}
	}
	if g == nil {
		return out
	}
	for i := range g.Dimensions {
		x := &g.Dimensions[i]
		d := s.Dimension(x.Dimension)
		if d < 0 {
			continue
		}
		if out[d] = x.From; len(x.From) == 0 {
			out[d] = singles(s.Dimensions[d].Cardinality())
		}
	}
	return out
}

// singles are the first codes of groups of one.
func singles(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Groups is the form that is signed, for so many files.
func (g Grouping) Groups(s *schema.Schema, files int) carnet.Groups {
	out := carnet.Groups{Files: files}
	for d := range g {
		switch len(g[d]) {
		case 1:
		case s.Dimensions[d].Cardinality():
			out.Dimensions = append(out.Dimensions, carnet.GroupedDimension{Dimension: s.Dimensions[d].Name})
		default:
			out.Dimensions = append(out.Dimensions, carnet.GroupedDimension{Dimension: s.Dimensions[d].Name, From: g[d]})
		}
	}
	return out
}

// Range is a group of codes, from From up to and without To.
type Range struct{ Dimension, From, To int }

// Told lists groups of which the function selects a part only, or one part more often than
// another, ascending; none says that the function is constant in every combination of
// groups.
func (s *Space) Told(f Weight, g Grouping) []Range {
	seen := map[Weight]bool{}
	cut := map[Range]bool{}
	var visit func(Weight)
	visit = func(f Weight) {
		n := &s.nodes[f]
		if seen[f] || n.level == len(s.sizes) {
			return
		}
		seen[f] = true
		starts := g[n.level]
		for i, r := range n.runs {
			visit(r.kid)
			if i == len(n.runs)-1 {
				break
			}
			// Runs beside each other lead to different functions, so each ends where a group does.
			at, found := slices.BinarySearch(starts, int(r.to))
			if found {
				continue
			}
			to := s.sizes[n.level]
			if at < len(starts) {
				to = starts[at]
			}
			cut[Range{n.level, starts[at-1], to}] = true
		}
	}
	visit(f)
	out := make([]Range, 0, len(cut))
	for r := range cut {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Range) int {
		if a.Dimension != b.Dimension {
			return a.Dimension - b.Dimension
		}
		return a.From - b.From
	})
	return out
}
