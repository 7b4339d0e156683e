package overlap

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Docket judges queries one after the other in the order in which they are noted, that of
// a journal, and compiles only what has to be compared: queries about datasets that other
// queries link with one whose terms demand company. It is for one goroutine.
type Docket struct {
	audit   *Audit
	parent  map[carnet.DatasetID]carnet.DatasetID // union-find
	company map[carnet.DatasetID]bool             // of roots: some dataset demands it
	pending []*noted
	refused map[carnet.Hash]error
	known   map[carnet.Hash]bool
}

type noted struct {
	query    carnet.Hash
	datasets carnet.DatasetID // one of them, which names all
	load     func() (*plan.Plan, error)
}

// Dataset is a dataset of a query.
type Dataset struct {
	ID   carnet.DatasetID
	Need int // least number of owners by its terms
}

// NewDocket returns an empty docket. The seed has to be random and is told nobody.
func NewDocket(seed [32]byte) *Docket {
	return &Docket{audit: New(seed), parent: map[carnet.DatasetID]carnet.DatasetID{}, company: map[carnet.DatasetID]bool{},
		refused: map[carnet.Hash]error{}, known: map[carnet.Hash]bool{}}
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

// Note notes a query as asked for. load compiles it when it is needed; nil without an
// error says that it opens nothing. A query that is noted again has no effect.
func (d *Docket) Note(query carnet.Hash, datasets []Dataset, load func() (*plan.Plan, error)) {
	if d.known[query] || len(datasets) == 0 {
		return
	}
	d.known[query] = true
	root := d.link(datasets)
	d.pending = append(d.pending, &noted{query, root, load})
}

// Verdict judges a query that was noted, after those before it: the error of Audit.Admit, of
// kind Refused, or nil. The error of a query that could not be loaded is returned as it is,
// and then nothing was decided.
func (d *Docket) Verdict(query carnet.Hash) error {
	i := slices.IndexFunc(d.pending, func(n *noted) bool { return n.query == query })
	if i < 0 {
		return d.refused[query]
	}
	if !d.company[d.root(d.pending[i].datasets)] {
		return nil
	}
	if err := d.settle(d.pending[i].datasets, i+1); err != nil {
		return err
	}
	return d.refused[query]
}

// Check judges a plan that was not noted, as if it came next, and leaves it at that.
func (d *Docket) Check(datasets []Dataset, p *plan.Plan) error {
	roots := map[carnet.DatasetID]bool{}
	company := false
	for _, x := range datasets {
		company = company || x.Need > 1
		if d.parent[x.ID] != "" {
			roots[d.root(x.ID)] = true
			company = company || d.company[d.root(x.ID)]
		}
	}
	if !company {
		return nil
	}
	for root := range roots {
		if err := d.settle(root, len(d.pending)); err != nil {
			return err
		}
	}
	return d.audit.Check(p)
}

// settle judges those of the first pending queries that are linked with a dataset.
func (d *Docket) settle(at carnet.DatasetID, n int) error {
	root := d.root(at)
	rest := make([]*noted, 0, len(d.pending))
	for i, x := range d.pending {
		if i >= n || d.root(x.datasets) != root {
			rest = append(rest, x)
			continue
		}
		p, err := x.load()
		if err != nil {
			d.pending = append(rest, d.pending[i:]...)
			return err
		}
		if p == nil {
			continue
		}
		if err := d.audit.Admit(p); err != nil {
			d.refused[x.query] = err
		}
	}
	d.pending = rest
	return nil
}

// link puts datasets together, and returns what names them.
func (d *Docket) link(datasets []Dataset) carnet.DatasetID {
	for _, x := range datasets {
		if d.parent[x.ID] == "" {
			d.parent[x.ID] = x.ID
		}
		root := d.root(x.ID)
		d.company[root] = d.company[root] || x.Need > 1
		if first := d.root(datasets[0].ID); first != root {
			d.parent[root] = first
			d.company[first] = d.company[first] || d.company[root]
			delete(d.company, root)
		}
	}
	return datasets[0].ID
}

// root is what names the datasets that one is linked with.
func (d *Docket) root(id carnet.DatasetID) carnet.DatasetID {
	for d.parent[id] != id {
		d.parent[id] = d.parent[d.parent[id]]
		id = d.parent[id]
	}
	return id
}
