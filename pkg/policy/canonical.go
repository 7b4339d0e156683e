package policy

import "time"

// Times that rules can compute with: nanoseconds since 1970 end in 2262, and a rule that
// meets a later one fails instead of deciding.
var (
	earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// within puts a time into UTC and between these two: terms that end in 9999 have no end
// that matters.
func within(t time.Time) time.Time {
	switch t = t.UTC(); {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

// fill replaces absent lists by empty ones, so that null never occurs and rules can
// rely on every field, and makes times such that rules can compute with them.
func (in *Input) fill() {
	in.Version = InputVersion
	in.Now = within(in.Now)
	for _, p := range []*Party{&in.Judge, &in.Operator, &in.Buyer} {
		p.fill()
	}
	in.Keyholders = list(in.Keyholders)
	for i := range in.Keyholders {
		in.Keyholders[i].fill()
	}
	in.Datasets = list(in.Datasets)
	for i := range in.Datasets {
		in.Datasets[i].fill()
	}
	p := &in.Plan
	p.Aggregates, p.GroupBy, p.Filters, p.Columns = list(p.Aggregates), list(p.GroupBy), list(p.Filters), list(p.Columns)
	in.Exports = list(in.Exports)
	for i := range in.Exports {
		in.Exports[i].At = within(in.Exports[i].At)
	}
}

func (p *Party) fill() { p.Roles = list(p.Roles) }

func (d *Dataset) fill() {
	d.Owner.fill()
	a := &d.Asked
	a.Aggregates, a.GroupBy, a.Filters = list(a.Aggregates), list(a.GroupBy), list(a.Filters)
	t := &d.Terms
	t.Buyers, t.Jurisdictions, t.Purposes = list(t.Buyers), list(t.Jurisdictions), list(t.Purposes)
	t.Aggregates, t.GroupBy, t.Filters = list(t.Aggregates), list(t.GroupBy), list(t.Filters)
	t.Expires = within(t.Expires)
	c := &d.Declaration
	c.Classes, c.Collected, c.Exporter, c.Instruments = list(c.Classes), list(c.Collected), list(c.Exporter), list(c.Instruments)
	for i := range c.Instruments {
		x := &c.Instruments[i]
		x.Destinations, x.Flows, x.Expires = list(x.Destinations), list(x.Flows), within(x.Expires)
	}
}

// list copies a list, an absent one to an empty one: what is filled in belongs to the
// caller.
func list[T any](l []T) []T { return append(make([]T, 0, len(l)), l...) }
