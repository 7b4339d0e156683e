package client

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
)

// group finds the groups of the tables' codes that the terms ask for. Those of tables that
// are added to a dataset are unions of the groups of the partitions before, so that what
// can be asked about the new ones can be asked about all.
func (u *upload) group(base *carnet.Dataset) (*cells.Loss, error) {
	t := &u.p.Terms
	if t.MinGroup < 2 {
		return nil, nil
	}
	s := u.p.Encoding.Schema()
	if u.p.Census == nil || int64(u.p.Census.Rows()) != u.p.Tables.Rows() {
		return nil, carnet.E(carnet.Invalid, "NO_CENSUS", "the terms ask for groups of at least %d, and the rows were not counted for it", t.MinGroup).
			Fix("give Publication a Census of the rows of its tables")
	}
	var before cells.Grouping
	if base != nil && len(base.Groups) > 0 {
		before = cells.NewGrouping(&base.Groups[len(base.Groups)-1], s)
	}
	g, loss, err := u.p.Census.Groups(cells.Rule{MinGroup: t.MinGroup, MaxShare: t.MaxShare}, cells.Order(t, s), before)
	if err != nil {
		return nil, err
	}
	signed := g.Groups(s, len(u.builders))
	u.groups = &signed
	return loss, nil
}
