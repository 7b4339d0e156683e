package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// remembered is how far back volumes are told. Laws count from 1 January, and a year has
// started in all time zones within a day.
const remembered = 367 * 24 * time.Hour

// Exports turns an owner's manifests, in the order of the journal, into what they added:
// a manifest that only adds files to the one before counts for the persons that it has
// more, any other for all of its own, whether or not they were published before. Volumes
// are not split by publishing often.
func Exports(manifests []*carnet.Dataset, now time.Time) []Export {
	present := map[carnet.DatasetID]*carnet.Dataset{}
	out := []Export{}
	for _, m := range manifests {
		old := present[m.ID]
		present[m.ID] = m
		e := Export{Owner: m.Owner, Dataset: m.ID, At: m.Created.UTC().Truncate(time.Second)}
		e.Persons, e.Sensitive = volume(m)
		if old != nil && m.Extends(old) {
			persons, sensitive := volume(old)
			e.Persons, e.Sensitive = max(e.Persons-persons, 0), max(e.Sensitive-sensitive, 0)
		}
		if (e.Persons > 0 || e.Sensitive > 0) && e.At.After(now.Add(-remembered)) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Export) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Dataset, b.Dataset)) })
	return out
}

func volume(m *carnet.Dataset) (persons, sensitive int64) {
	if m.Declaration == nil {
		return 0, 0
	}
	return m.Declaration.Persons, m.Declaration.Sensitive
}
