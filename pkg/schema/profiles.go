package schema

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// profilesOf names the parameter profiles that a layout may use, in order of
// preference. The list is part of the meaning of every published file: it may grow
// only together with a new version of schema statements.
func profilesOf(l carnet.Layout) []string {
	if l == carnet.LayoutCube {
		return []string{"cube", "cube-wide"}
	}
	return []string{"records", "records-wide"}
}

func candidates(l carnet.Layout) ([]Candidate, error) {
	var list []Candidate
	for _, name := range profilesOf(l) {
		p, err := he.Lookup(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Candidate{p.Name(), p.N(), p.T(), p.BlockBytes() / p.N()})
	}
	return list, nil
}
