package history

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/overlap"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Break has the audit meet a fault about a dataset, at an entry that is no query.
func (s *State) Break(entry int64, dataset carnet.DatasetID) {
	s.docket.Note(entry, []overlap.Dataset{{ID: dataset, Need: 2}}, func() (*plan.Plan, error) { panic("a fault") })
}
