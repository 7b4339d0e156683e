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
	Dealings  []Stored        // one for each distinct key
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
		if keys[d.Key] {
			continue
		}
		keys[d.Key] = true
		k, st, err := tx.GetDealing(d.Key)
		if err != nil {
			return nil, err
		}
		p.Dealings = append(p.Dealings, st)
		committeeHash = k.Committee
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
		st, err := tx.GetNamed(NamedParty, string(m))
		if err != nil {
			return nil, err
		}
		p.Parties = append(p.Parties, st)
	}
	return p, nil
}

// inputs are what a query is compiled against: a product and the manifests that
// count, with what they rest on.
type inputs struct {
	product   *plan.Product
	profile   *he.Profile
	statement carnet.Hash // of the product
	committee carnet.Committee
	hash      carnet.Hash   // of the committee
	manifests []carnet.Hash // ascending
	dealings  map[carnet.KeyID]*carnet.Dealing
}

// currentInputs are a product's newest manifests that are in use.
func (g *Gateway) currentInputs(tx Tx, id carnet.ProductID) (*inputs, error) {
	rec, err := tx.GetProduct(id)
	if absent(err) {
		return nil, carnet.E(carnet.NotFound, "UNKNOWN_PRODUCT", "there is no product %q", id).Fix("search the catalogue for its name")
	}
	if err != nil {
		return nil, err
	}
	return g.resolve(tx, rec.Statement, func(id carnet.DatasetID) (*Stored, error) {
		d, err := tx.GetDataset(id)
		if err != nil || !d.InUse() {
			return nil, err
		}
		return &d.Manifest, nil
	})
}

// pinnedInputs are the manifests a query names, of the product it was asked about,
// whatever became of them since.
func (g *Gateway) pinnedInputs(tx Tx, product carnet.Hash, manifests []carnet.Hash) (*inputs, error) {
	st, err := tx.Statement(product)
	if err != nil {
		return nil, err
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
	return g.resolve(tx, st, func(id carnet.DatasetID) (*Stored, error) { return byID[id], nil })
}

// resolve collects what the manifests of a product rest on; manifest returns nil
// for a dataset that does not count.
func (g *Gateway) resolve(tx Tx, product Stored, manifest func(carnet.DatasetID) (*Stored, error)) (*inputs, error) {
	var body carnet.Product
	if err := product.Envelope.Decode(carnet.TypeProduct, &body); err != nil {
		return nil, err
	}
	in := &inputs{product: &plan.Product{ID: body.ID, Homes: map[carnet.KeyID]int{}}, statement: product.Hash, dealings: map[carnet.KeyID]*carnet.Dealing{}}
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
		if err := g.addDealing(tx, in, ds.Manifest.Key); err != nil {
			return nil, err
		}
		in.product.Datasets = append(in.product.Datasets, ds)
		in.manifests = append(in.manifests, st.Hash)
	}
	if len(in.manifests) == 0 {
		return nil, carnet.E(carnet.Precondition, "NO_DATASETS", "every dataset of product %q was revoked, or its key retired", body.ID)
	}
	slices.SortFunc(in.manifests, func(a, b carnet.Hash) int { return slices.Compare(a[:], b[:]) })
	first := &in.product.Datasets[0].Manifest
	enc, err := g.encoding(tx, first.Schema, first.Layout)
	if err != nil {
		return nil, err
	}
	if in.profile, err = he.Lookup(enc.Profile); err != nil {
		return nil, err
	}
	in.hash = in.dealings[first.Key].Committee
	if in.committee, _, err = committee(tx, in.hash); err != nil {
		return nil, err
	}
	shares, err := share.NewCommittee(len(in.committee.Members), in.committee.Threshold)
	if err != nil {
		return nil, err
	}
	in.product.Schema, in.product.Encoding, in.product.Profile, in.product.Committee = enc.Schema(), enc, in.profile, shares
	in.product.PrivateChecks = in.committee.PrivateChecks
	return in, nil
}

func (g *Gateway) addDealing(tx Tx, in *inputs, key carnet.KeyID) error {
	if in.dealings[key] != nil {
		return nil
	}
	_, st, err := tx.GetDealing(key)
	if err != nil {
		return err
	}
	d := &carnet.Dealing{}
	if err := st.Envelope.Decode(carnet.TypeDealing, d); err != nil {
		return err
	}
	in.dealings[key] = d
	if d.Home != nil {
		in.product.Homes[key] = d.Home.Member
	}
	return nil
}
