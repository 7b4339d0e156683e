package carnet

import "slices"

// Groups are the finest groups of codes that numbers over some files of a dataset may
// select: in every combination of groups, one of each dimension, there is nobody, or as
// many as the terms ask for. The owner makes them from the plaintext; see package cells.
type Groups struct {
	Files int `json:"files"` // how many files of the dataset, after those of the groups before
	// Dimensions are in the order of the schema. One that is left out is one group.
	Dimensions []GroupedDimension `json:"dimensions,omitempty"`
}

// GroupedDimension divides the codes of a dimension into runs of codes that follow each
// other in the schema, NULL being the last code of a nullable one.
type GroupedDimension struct {
	Dimension string `json:"dimension"`
	From      []int  `json:"from,omitempty"` // first code of each group, ascending, from 0; empty: every code is a group
}

// GroupsOf returns the groups of file number i of the dataset, nil if there are none.
func (d *Dataset) GroupsOf(i int) *Groups {
	for j := range d.Groups {
		if i < d.Groups[j].Files {
			return &d.Groups[j]
		}
		i -= d.Groups[j].Files
	}
	return nil
}

// Equal reports whether two groups are the same as signed.
func (g *Groups) Equal(h *Groups) bool {
	return g.Files == h.Files && slices.EqualFunc(g.Dimensions, h.Dimensions, func(a, b GroupedDimension) bool {
		return a.Dimension == b.Dimension && slices.Equal(a.From, b.From)
	})
}
