package overlap

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Docket judges queries one after the other in the order in which they are noted, that of
// a journal, and compiles only what has to be compared: queries about owners whom other
// queries link with one whose terms demand company; and the first ones, where too many wait to be
// kept. Of what was judged it keeps refusals only. It is for one goroutine.
//
// Queries are named by their entries: the same statement can be journaled twice, and be about
// other datasets the second time.
type Docket struct {
	audit   *Audit
	parent  map[carnet.PartyID]carnet.PartyID // union-find
	company map[carnet.PartyID]bool           // of roots: some dataset demands it
	pending []*noted
	waits   int // how many may be pending
	refused map[int64]error
	newest  int64                   // entry that was noted last
	broken  map[carnet.PartyID]bool // of roots: a fault was met, see fault.go

	// Fault hears of a panic that became a refusal, of the query of an entry, -1 for one that
	// was not noted. It may be nil, and must not call the docket.
	Fault func(entry int64, panicked any)
}

type noted struct {
	entry int64
	owner carnet.PartyID // one of them, who names all
	load  func() (*plan.Plan, error)
}

// maxWaiting is how many queries wait to be compiled.
const maxWaiting = 1024

// Dataset is a dataset of a query.
type Dataset struct {
	ID   carnet.DatasetID
	Need int // least number of owners by its terms
}

// NewDocket returns an empty docket. The seed has to be random and is told nobody.
func NewDocket(seed [32]byte) *Docket {
	return &Docket{audit: New(seed), parent: map[carnet.PartyID]carnet.PartyID{}, company: map[carnet.PartyID]bool{},
		waits: maxWaiting, refused: map[int64]error{}, newest: -1, broken: map[carnet.PartyID]bool{}}
}

// Datasets are those of products.
func Datasets(products ...*plan.Product) (out []Dataset) {
	for _, p := range products {
		for i := range p.Datasets {
			m := &p.Datasets[i].Manifest
			out = append(out, Dataset{m.ID, m.Terms.MinOwners})
		}
	}
	return out
}

// Note notes the query of an entry as asked for. load compiles it when it is needed; nil
// without an error says that it opens nothing. Entries ascend; one that is not after all
// that were noted has no effect.
func (d *Docket) Note(entry int64, datasets []Dataset, load func() (*plan.Plan, error)) {
	if entry <= d.newest || len(datasets) == 0 {
		return
	}
	d.newest = entry
	d.pending = append(d.pending, &noted{entry, d.link(datasets), load})
}

// Verdict judges the query of an entry that was noted, after those before it: the error of Audit.Admit, of
// kind Refused, or OVERLAP_FAULT, or nil. The error of a query that could not be loaded is returned as it is,
// and then nothing was decided.
func (d *Docket) Verdict(entry int64) error {
	i := slices.IndexFunc(d.pending, func(n *noted) bool { return n.entry == entry })
	if i < 0 {
		return d.refused[entry]
	}
	root := d.root(d.pending[i].owner)
	if !d.company[root] && !d.broken[root] {
		return d.crowded()
	}
	if err := d.settle(d.pending[i].owner, i+1); err != nil {
		return err
	}
	return d.refused[entry]
}

// crowded judges the first queries where too many wait. They are first among those they
// are linked with, so it is as if that had been done later.
func (d *Docket) crowded() error {
	for len(d.pending) > d.waits {
		if err := d.settle(d.pending[0].owner, 1); err != nil {
			return err
		}
	}
	return nil
}

// Check judges a plan that was not noted, as if it came next, and leaves it at that.
func (d *Docket) Check(datasets []Dataset, p *plan.Plan) error {
	roots := map[carnet.PartyID]bool{}
	company := false
	for _, x := range datasets {
		company = company || x.Need > 1
		if o := x.owner(); d.parent[o] != "" {
			roots[d.root(o)] = true
			company = company || d.company[d.root(o)] || d.broken[d.root(o)]
		}
	}
	if !company {
		return d.crowded()
	}
	for root := range roots {
		if err := d.settle(root, len(d.pending)); err != nil {
			return err
		}
		if d.broken[root] {
			return faulty()
		}
	}
	var verdict error
	if !d.guarded(-1, func() { verdict = d.audit.Check(p) }) {
		for root := range roots {
			d.broken[root] = true
		}
		return faulty()
	}
	return verdict
}

// settle judges those of the first pending queries that are linked with an owner.
func (d *Docket) settle(at carnet.PartyID, n int) error {
	root := d.root(at)
	rest := make([]*noted, 0, len(d.pending))
	for i, x := range d.pending {
		if i >= n || d.root(x.owner) != root {
			rest = append(rest, x)
			continue
		}
		if d.broken[root] {
			d.refused[x.entry] = faulty()
			continue
		}
		if err := d.admit(x); err != nil {
			d.pending = append(rest, d.pending[i:]...)
			return err
		}
	}
	d.pending = rest
	return nil
}

// owner is whose dataset it is.
func (x *Dataset) owner() carnet.PartyID {
	owner, _, _ := strings.Cut(string(x.ID), "/")
	return carnet.PartyID(owner)
}

// link puts the owners of datasets together, and returns one who names them. All tables of an
// owner go together: they can have the same rows.
func (d *Docket) link(datasets []Dataset) carnet.PartyID {
	for _, x := range datasets {
		o := x.owner()
		if d.parent[o] == "" {
			d.parent[o] = o
		}
		root := d.root(o)
		d.company[root] = d.company[root] || x.Need > 1
		if first := d.root(datasets[0].owner()); first != root {
			d.parent[root] = first
			d.company[first] = d.company[first] || d.company[root]
			d.broken[first] = d.broken[first] || d.broken[root]
			delete(d.company, root)
			delete(d.broken, root)
		}
	}
	return datasets[0].owner()
}

// root names those whom an owner is linked with.
func (d *Docket) root(o carnet.PartyID) carnet.PartyID {
	for d.parent[o] != o {
		d.parent[o] = d.parent[d.parent[o]]
		o = d.parent[o]
	}
	return o
}
