package policy

// fill replaces absent lists by empty ones, so that null never occurs and rules can
// rely on every field, and puts times into UTC.
func (in *Input) fill() {
	in.Version = InputVersion
	in.Now = in.Now.UTC()
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
		in.Exports[i].At = in.Exports[i].At.UTC()
	}
}

func (p *Party) fill() { p.Roles = list(p.Roles) }

func (d *Dataset) fill() {
	d.Owner.fill()
	t := &d.Terms
	t.Buyers, t.Jurisdictions, t.Purposes = list(t.Buyers), list(t.Jurisdictions), list(t.Purposes)
	t.Aggregates, t.GroupBy, t.Filters = list(t.Aggregates), list(t.GroupBy), list(t.Filters)
	t.Expires = t.Expires.UTC()
	c := &d.Declaration
	c.Classes, c.Collected, c.Exporter, c.Instruments = list(c.Classes), list(c.Collected), list(c.Exporter), list(c.Instruments)
	for i := range c.Instruments {
		x := &c.Instruments[i]
		x.Destinations, x.Flows, x.Expires = list(x.Destinations), list(x.Flows), x.Expires.UTC()
	}
}

// list copies a list, an absent one to an empty one: what is filled in belongs to the
// caller.
func list[T any](l []T) []T { return append(make([]T, 0, len(l)), l...) }
