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
	out = fold(out)
	slices.SortStableFunc(out, func(a, b Export) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Dataset, b.Dataset)) })
	return out
}

// manyExports is how many publications of an owner are told one by one.
const manyExports = 50

// fold adds up what an owner published on one day if there were many publications, so that
// decisions, which are signed with all they rest on, do not grow without end: there are at
// most 368 days. A day counts from its last publication, so none is left out of a year.
func fold(all []Export) []Export {
	count := map[carnet.PartyID]int{}
	for i := range all {
		count[all[i].Owner]++
	}
	type day struct {
		owner carnet.PartyID
		date  string
	}
	at := map[day]int{}
	out := []Export{}
	for _, e := range all {
		k := day{e.Owner, e.At.Format(time.DateOnly)}
		i, seen := at[k]
		if count[e.Owner] <= manyExports || !seen {
			at[k] = len(out)
			out = append(out, e)
			continue
		}
		x := &out[i]
		x.Persons, x.Sensitive = x.Persons+e.Persons, x.Sensitive+e.Sensitive
		if e.At.After(x.At) {
			x.At, x.Dataset = e.At, e.Dataset
		}
	}
	return out
}

func volume(m *carnet.Dataset) (persons, sensitive int64) {
	if m.Declaration == nil {
		return 0, 0
	}
	return m.Declaration.Persons, m.Declaration.Sensitive
}
