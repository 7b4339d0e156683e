package flow

import (
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Product is a product with everything needed to compile a query against it.
type Product struct {
	Body      carnet.Product
	Statement Stored
	Schema    Stored
	Committee Stored
	Datasets  []DatasetRecord // in the order of the statement, revoked ones included
	Dealings  []Stored        // what each distinct key is opened with
	Redealt   []Stored        // statements about keys that are not named after that
	Parties   []Stored        // owners, committee members and the publisher
}

// Product returns a product and the statements it rests on.
func (g *Gateway) Product(ctx context.Context, id carnet.ProductID) (p *Product, err error) {
	err = g.Store.View(ctx, func(tx Tx) error { p, err = loadProduct(tx, id); return err })
	return p, err
}

func loadProduct(tx Tx, id carnet.ProductID) (*Product, error) {
	rec, err := tx.GetProduct(id)
	if err != nil {
		return nil, err
	}
	p := &Product{Statement: rec.Statement}
	if err := rec.Statement.Envelope.Decode(carnet.TypeProduct, &p.Body); err != nil {
		return nil, err
	}
	if p.Schema, err = tx.Statement(p.Body.Schema); err != nil {
		return nil, err
	}
	members := map[carnet.PartyID]bool{p.Body.Publisher: true}
	keys := map[carnet.KeyID]bool{}
	var committeeHash carnet.Hash
	for _, id := range p.Body.Datasets {
		d, err := tx.GetDataset(id)
		if err != nil {
			return nil, err
		}
		p.Datasets = append(p.Datasets, d)
		members[d.Owner] = true
		if keys[d.Key] || !d.InUse() && !committeeHash.IsZero() {
			continue
		}
		keys[d.Key] = d.InUse()
		k, err := dealtBefore(tx, d.Key, endOfJournal)
		if err != nil {
			return nil, err
		}
		committeeHash = k.Committee
		if !d.InUse() {
			continue // its committee, if there is no other; the key may have been dealt elsewhere since
		}
		p.Dealings = append(p.Dealings, k.statement)
		if k.again != nil {
			words, err := wordsOf(tx, d.Key, k.again)
			if err != nil {
				return nil, err
			}
			p.Redealt = append(p.Redealt, words...)
		}
	}
	c, st, err := committee(tx, committeeHash)
	if err != nil {
		return nil, err
	}
	p.Committee = st
	for _, m := range c.Members {
		members[m] = true
	}
	ids := make([]carnet.PartyID, 0, len(members))
	for m := range members {
		ids = append(ids, m)
	}
	slices.Sort(ids)
	for _, m := range ids {
		list, revoked, err := partyHistory(tx, m)
		if err != nil {
			return nil, err
		}
		if p.Parties = append(p.Parties, list...); revoked != nil {
			p.Parties = append(p.Parties, *revoked)
		}
	}
	return p, nil
}

// inputs are what a query is compiled against: its products and the manifests that
// count, with what they rest on.
type inputs struct {
	products   []*plan.Product // in the order of the query
	statements []carnet.Hash   // of the products
	profile    *he.Profile     // of the first; the planner refuses products with another
	committee  carnet.Committee
	hash       carnet.Hash   // of the committee
	manifests  []carnet.Hash // ascending
	dealings   map[carnet.KeyID]*dealt
	before     int64 // sequence number of the query, above all if there is none yet
}

// currentInputs are the newest manifests of products that are in use.
func (g *Gateway) currentInputs(tx Tx, ids []carnet.ProductID) (*inputs, error) {
	var statements []Stored
	for _, id := range ids {
		rec, err := tx.GetProduct(id)
		if absent(err) {
			return nil, carnet.E(carnet.NotFound, "UNKNOWN_PRODUCT", "there is no product %q", id).Fix("search the catalogue for its name")
		}
		if err != nil {
			return nil, err
		}
		statements = append(statements, rec.Statement)
	}
	return g.resolve(tx, statements, endOfJournal, func(id carnet.DatasetID) (*Stored, error) {
		d, err := tx.GetDataset(id)
		if err != nil || !d.InUse() {
			return nil, err
		}
		return &d.Manifest, nil
	})
}

// pinnedInputs are the manifests a query names, of the products it was asked about,
// whatever became of them since. seq is the query's.
func (g *Gateway) pinnedInputs(tx Tx, products []carnet.Hash, manifests []carnet.Hash, seq int64) (*inputs, error) {
	var statements []Stored
	for _, h := range products {
		st, err := tx.Statement(h)
		if err != nil {
			return nil, err
		}
		statements = append(statements, st)
	}
	byID := map[carnet.DatasetID]*Stored{}
	for _, h := range manifests {
		m, err := tx.Statement(h)
		if err != nil {
			return nil, err
		}
		var d carnet.Dataset
		if err := m.Envelope.Decode(carnet.TypeDataset, &d); err != nil {
			return nil, err
		}
		byID[d.ID] = &m
	}
	return g.resolve(tx, statements, seq, func(id carnet.DatasetID) (*Stored, error) { return byID[id], nil })
}

// resolve collects what the manifests of products rest on; manifest returns nil for a
// dataset that does not count.
func (g *Gateway) resolve(tx Tx, products []Stored, seq int64, manifest func(carnet.DatasetID) (*Stored, error)) (*inputs, error) {
	in := &inputs{dealings: map[carnet.KeyID]*dealt{}, before: seq}
	for i := range products {
		p, err := g.resolveProduct(tx, in, &products[i], manifest)
		if err != nil {
			return nil, err
		}
		in.products, in.statements = append(in.products, p), append(in.statements, products[i].Hash)
	}
	slices.SortFunc(in.manifests, func(a, b carnet.Hash) int { return slices.Compare(a[:], b[:]) })
	in.manifests = slices.Compact(in.manifests) // a dataset can be in several products
	in.profile, in.hash = in.products[0].Profile, in.products[0].Keyholders
	var err error
	in.committee, _, err = committee(tx, in.hash)
	return in, err
}

// resolveProduct adds what one product rests on.
func (g *Gateway) resolveProduct(tx Tx, in *inputs, product *Stored, manifest func(carnet.DatasetID) (*Stored, error)) (*plan.Product, error) {
	var body carnet.Product
	if err := product.Envelope.Decode(carnet.TypeProduct, &body); err != nil {
		return nil, err
	}
	p := &plan.Product{ID: body.ID, Homes: map[carnet.KeyID]int{}}
	for _, id := range body.Datasets {
		st, err := manifest(id)
		if err != nil {
			return nil, err
		}
		if st == nil {
			continue
		}
		ds := plan.Dataset{Hash: st.Hash}
		if err := st.Envelope.Decode(carnet.TypeDataset, &ds.Manifest); err != nil {
			return nil, err
		}
		if err := g.addDealing(tx, in, p, ds.Manifest.Key); err != nil {
			return nil, err
		}
		p.Datasets = append(p.Datasets, ds)
		in.manifests = append(in.manifests, st.Hash)
	}
	if len(p.Datasets) == 0 {
		return nil, carnet.E(carnet.Precondition, "NO_DATASETS", "every dataset of product %q was revoked, or its key retired", body.ID)
	}
	first := &p.Datasets[0].Manifest
	enc, err := g.encoding(tx, first.Schema, first.Layout)
	if err != nil {
		return nil, err
	}
	if p.Profile, err = he.Lookup(enc.Profile); err != nil {
		return nil, err
	}
	p.Schema, p.Encoding, p.Keyholders = enc.Schema(), enc, in.dealings[first.Key].Committee
	c, _, err := committee(tx, p.Keyholders)
	if err != nil {
		return nil, err
	}
	p.PrivateChecks = c.PrivateChecks
	p.Committee, err = share.NewCommittee(len(c.Members), c.Threshold)
	return p, err
}

func (g *Gateway) addDealing(tx Tx, in *inputs, p *plan.Product, key carnet.KeyID) error {
	d := in.dealings[key]
	if d == nil {
		var err error
		if d, err = dealtBefore(tx, key, in.before); err != nil {
			return err
		}
		in.dealings[key] = d
	}
	if d.Home != nil {
		p.Homes[key] = d.Home.Member
	}
	return nil
}
