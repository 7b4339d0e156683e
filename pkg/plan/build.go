package plan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// builder turns groups and needs of one source into openings.
type builder struct {
	*opener
	u       *universe
	needs   *needs
	vars    []int   // GROUP BY columns, and then private dimensions
	order   [][]int // of private dimensions: per code of the plan's parameter, positions of this source's; nil: none
	parts   []*cond // per combination of values of GROUP BY expressions: where it holds
	spaces  map[spaceID]*space
	groupAt query.Pos // where GROUP BY or SELECT stands
	// records: what groups have in common, see expansion
	expansions map[string]*expansion
}

// opener is what the builders of a plan share.
type opener struct {
	plan     *Plan
	byDigest map[carnet.Hash]int
	homeOf   map[carnet.KeyID]int // of all products
	work     int                  // numbers and table entries that may still be looked at for row sets
	terms    int
	factors  int
	cells    int // in lists
	adds     int // cells added up, over all openings
	memo     *functional.Memo
	choice   []chosen                         // not nil: open only adds to it
	private  map[carnet.Nonce]*carnet.Dataset // files of datasets whose terms ask for noise
}

func newBuilder(o *opener, s *source) *builder {
	b := &builder{opener: o, u: s.u, needs: s.needs, groupAt: s.at, expansions: map[string]*expansion{}, spaces: map[spaceID]*space{}}
	for key, member := range s.u.Homes {
		o.homeOf[key] = member
	}
	o.protect(s.u)
	return b
}

// spaceID names a space: a filter within the rows of a combination of values of
// expressions in GROUP BY.
type spaceID struct{ filter, part int }

// space returns a space, made when it is first needed.
func (b *builder) space(id spaceID) (*space, error) {
	if s, ok := b.spaces[id]; ok {
		return s, nil
	}
	c := b.needs.conds[id.filter]
	if !b.parts[id.part].always() {
		c = join(allOf, c, b.parts[id.part])
	}
	s, err := newSpace(b.u, c, b.needs.where)
	b.spaces[id] = s
	return s, err
}

// pick is a file with rows that may be selected, and which of them.
type pick struct {
	*file
	cells []uint32 // cube
	rows  *rowSet  // records
}

// picks are the files of one group under one filter.
type picks struct {
	files  []pick
	rows   int64
	owners []carnet.PartyID
	less   map[carnet.Nonce]bool // of a difference
	sides  [2]int
}

// tooMuchToPlan refuses groups over files that take too long to look at.
func (b *builder) tooMuchToPlan(groups int) error {
	if int64(groups)*int64(len(b.u.files)) <= maxWork {
		return nil
	}
	return query.Refuse(b.groupAt, "TOO_COMPLEX", "%d groups over %d files are too many to plan", groups, len(b.u.files)).
		Fix("group by fewer columns, or select fewer files by partition, jurisdiction or owner")
}

// pick selects the files of a group under a filter.
func (b *builder) pick(g *group, filter int) (*picks, error) {
	s, err := b.space(spaceID{filter, g.part})
	if err != nil {
		return nil, err
	}
	out := &picks{}
	memo := map[int]*pick{} // per table; nil if nothing of it is in the group
	for _, f := range g.files {
		t := s.files[f]
		if t < 0 {
			continue
		}
		p, known := memo[t]
		if !known {
			var err error
			if p, err = b.restrict(filter, t, g); err != nil {
				return nil, err
			}
			memo[t] = p
		}
		if p == nil {
			continue
		}
		own := *p
		own.file = &b.u.files[f]
		out.files = append(out.files, own)
		out.rows += own.file.rows
		if !slices.Contains(out.owners, own.owner) {
			out.owners = append(out.owners, own.owner)
		}
	}
	slices.Sort(out.owners)
	return out, nil
}

// restrict returns what a table selects within a group, nil if nothing.
func (b *builder) restrict(filter, t int, g *group) (*pick, error) {
	if b.u.Encoding.Layout == carnet.LayoutRecords {
		rows, err := b.rowSet(filter, t, g)
		if err != nil || rows == nil {
			return nil, err
		}
		return &pick{rows: rows}, nil
	}
	s, err := b.space(spaceID{filter, g.part})
	if err != nil {
		return nil, err
	}
	at := fixing(b.vars, g.codes)
	restricted, free := s.fixed(s.tables[t], at)
	if !restricted.any() {
		return nil, nil
	}
	cells, err := b.cellList(s, restricted, free, at)
	return &pick{cells: cells}, err
}

// quantity opens a need over the picked files.
func (b *builder) quantity(n int, p *picks) ([]Part, error) {
	if len(p.files) == 0 {
		return nil, nil
	}
	if b.u.Encoding.Layout == carnet.LayoutCube {
		return b.cubeQuantity(n, p)
	}
	return b.recordsQuantity(n, p)
}

// who names a need in refusals, and where it comes from.
func (b *builder) who(n int) (string, query.Pos) {
	if a := b.needs.first[n]; a != nil {
		return query.Format(a), a.At
	}
	return "the row count of each group", b.groupAt
}

// notStored refuses a quantity that the layout does not keep.
func (b *builder) notStored(n int) error {
	what, at := b.who(n)
	of := b.needs.list[n].of
	r := query.Refuse(at, "NOT_STORED", "%s needs %s, which schema %s does not store in the %s layout", what, of, b.u.Schema.ID(), b.u.Encoding.Layout)
	switch a := of[0]; {
	case len(of.list()) > 1:
		return r.Fix("%s", b.storeAdvice(n))
	case a.Kind == schema.Square:
		return r.Fix("use SUM(%s) or AVG(%s); a new version of the schema can set squares: true for %s", a.X, a.X, a.X)
	case a.Kind == schema.Product || a.Y != "":
		return r.Fix("use SUM(%s) and SUM(%s); a new version of the schema can list %s under products of %s", a.X, a.Y, a.Y, a.X)
	}
	return r
}

// keyed adds a term to the functional, under the key of the file. Files come in
// ascending order of keys.
func keyed(f *functional.Functional, key carnet.KeyID) *functional.KeyTerms {
	if n := len(f.Keys); n > 0 && f.Keys[n-1].Key == key {
		return &f.Keys[n-1]
	}
	f.Keys = append(f.Keys, functional.KeyTerms{Key: key})
	return &f.Keys[len(f.Keys)-1]
}

// count bounds the work that everybody who compiles, hashes and checks the plan has.
func (b *builder) count(f *functional.Functional) error {
	for i := range f.Keys {
		k := &f.Keys[i]
		b.terms += len(k.Linear) + len(k.Products)
		for j := range k.Linear {
			b.adds += len(k.Linear[j].Cells)
		}
		for j := range k.Products {
			for m := range k.Products[j].Factors {
				b.factors += k.Products[j].Factors[m].Width()
			}
		}
	}
	b.terms += len(f.Cross)
	what, limit := "terms", maxTerms
	switch {
	case b.terms > maxTerms:
	case b.factors > maxFactors:
		what, limit = "columns to multiply", maxFactors
	case b.adds > maxAdds:
		what, limit = "cells to add up", maxAdds
	default:
		return nil
	}
	return query.Refuse(b.groupAt, "TOO_COMPLEX", "the plan has more than %d %s", limit, what).
		Fix("group by fewer columns, or select fewer files by partition, jurisdiction or owner")
}

// open adds an opening, or finds an equal one, and returns its number.
func (b *builder) open(n int, f *functional.Functional, p *picks, limits bounds) (int, error) {
	f.SortTerms()
	if err := b.count(f); err != nil {
		return 0, err
	}
	if b.choice != nil {
		if err := b.memo.Validate(f); err != nil {
			return 0, err
		}
		b.choice = append(b.choice, chosen{f, p, limits})
		return len(b.choice) - 1, nil
	}
	digest := b.memo.Digest(f)
	if i, ok := b.byDigest[digest]; ok {
		return i, nil
	}
	if len(b.plan.Openings) >= MaxOpenings {
		return 0, query.Refuse(b.groupAt, "TOO_MANY_GROUPS", "the query would open more than %d numbers", MaxOpenings).
			Fix("group by fewer columns, ask for fewer aggregates, or select fewer codes with WHERE")
	}
	if err := b.memo.Validate(f); err != nil {
		return 0, err
	}
	o := Opening{F: f, Digest: digest, Degree: f.Degree, Rows: p.rows, Owners: p.owners, Less: p.less, Sides: p.sides}
	if err := b.certify(n, &o, limits); err != nil {
		return 0, err
	}
	i := len(b.plan.Openings)
	b.byDigest[digest] = i
	b.plan.Openings = append(b.plan.Openings, o)
	return i, nil
}
