package schema

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// profilesOf names the parameter profiles that a layout may use, in order of
// preference, for questions of the degree that the schema declares. The list is part of the meaning of every published file: it may grow
// only together with a new version of schema statements.
func profilesOf(l carnet.Layout, degree int) []string {
	switch {
	case l == carnet.LayoutCube:
		return []string{"cube", "cube-wide"}
	case degree == 3:
		return []string{"records-3"}
	case degree == 4:
		return []string{"records-4"}
	}
	return []string{"records", "records-wide"}
}

func (s *Schema) candidates(l carnet.Layout) ([]Candidate, error) {
	var list []Candidate
	for _, name := range profilesOf(l, s.Degree) {
		p, err := he.Lookup(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Candidate{p.Name(), p.N(), p.T(), p.BlockBytes() / p.N()})
	}
	return list, nil
}
