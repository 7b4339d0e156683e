package client

import (
	"context"
	"fmt"
	"strings"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// Product is a data product whose every statement was checked: the one the planner
// compiles against, and what is needed to check answers.
type Product struct {
	plan.Product
	Statement carnet.Product
	Committee *Committee
	Revoked   []carnet.DatasetID // listed by the product, withdrawn by their owners
	Retired   []carnet.DatasetID // listed by the product, their keys retired by their owners
	parties   parties
	source    *pb.GetProductResponse
}

// LoadProduct fetches a product and checks every signature and every hash in it,
// starting from the registrar's pinned key. It believes the gateway nothing but that
// no newer statements exist.
func (c *Client) LoadProduct(ctx context.Context, id carnet.ProductID) (*Product, error) {
	resp, err := c.catalogue.GetProduct(ctx, &pb.GetProductRequest{Id: string(id)})
	if err != nil {
		return nil, named(err, "product", string(id), "carnet products search lists them")
	}
	return c.verified(ctx, id, resp)
}

func (c *Client) verified(ctx context.Context, id carnet.ProductID, resp *pb.GetProductResponse) (*Product, error) {
	p := &Product{parties: parties{}, source: resp}
	var err error
	if err := p.parties.take(fromProtos(resp.GetParties()), c.registrar); err != nil {
		return nil, err
	}
	if p.Committee, err = verifyCommittee(fromProto(resp.GetCommittee()), c.registrar); err != nil {
		return nil, err
	}
	for _, m := range p.Committee.Members {
		if q, ok := p.parties[m]; !ok || !q.HasRole(carnet.RoleKeyholder) {
			return nil, wrong("member %s of the committee is not a registered keyholder", m)
		}
	}
	p.PrivateChecks, p.Keyholders = p.Committee.PrivateChecks, p.Committee.Hash
	if p.Product.Committee, err = share.NewCommittee(len(p.Committee.Members), p.Committee.Threshold); err != nil {
		return nil, err
	}
	if err := c.verifyProduct(ctx, p, fromProto(resp.GetProduct()), id); err != nil {
		return nil, err
	}
	if err := c.verifySchema(ctx, p, fromProto(resp.GetSchema())); err != nil {
		return nil, err
	}
	dealings := map[carnet.KeyID]*dealing{}
	named, err := p.redealings(ctx, resp.GetRedealings())
	if err != nil {
		return nil, err
	}
	for _, e := range resp.GetDealings() {
		env := fromProto(e)
		if env == nil {
			return nil, wrong("the gateway sent an empty dealing")
		}
		if isResharing(env) {
			d, r, err := handed(ctx, env, fromProtos(resp.GetRedealings()), p.parties, p.Committee, p.Product.Committee)
			if err != nil {
				return nil, err
			}
			dealings[r.Key] = d
			continue
		}
		d, err := verifyDealing(ctx, env, p.parties, p.Committee, p.Product.Committee)
		if err != nil {
			return nil, err
		}
		key := carnet.KeyID(env.Hash())
		if r := named[key]; r != nil {
			if r.Owner != d.Owner {
				return nil, wrong("dealing %s is not of the owner of key %s", key, r.Key)
			}
			key = r.Key
		}
		dealings[key] = d
	}
	if err := p.addDatasets(ctx, resp.GetDatasets(), dealings); err != nil {
		return nil, err
	}
	return p, nil
}

// verifyProduct checks the product statement. Its publisher need not be an owner.
func (c *Client) verifyProduct(ctx context.Context, p *Product, env *evidence.Envelope, id carnet.ProductID) error {
	if env == nil {
		return wrong("the gateway sent no product")
	}
	if err := env.Decode(carnet.TypeProduct, &p.Statement); err != nil {
		return err
	}
	if p.Statement.ID != id {
		return wrong("asked for product %s, the gateway sent %s", id, p.Statement.ID)
	}
	if err := p.parties.load(ctx, c, p.Committee, p.Statement.Publisher); err != nil {
		return err
	}
	p.ID = id
	return p.parties.signed(ctx, env, p.Statement.Publisher, carnet.RoleOwner, carnet.RoleOperator)
}

// verifySchema checks the schema: it is the one the product pins, and an owner or
// operator signed it. Usually that is one of the parties at hand; otherwise the
// registry is asked for all.
func (c *Client) verifySchema(ctx context.Context, p *Product, env *evidence.Envelope) error {
	s, err := decodeSchema(env)
	if err != nil {
		return err
	}
	if s.Hash != p.Statement.Schema {
		return wrong("the schema is not the one the product names")
	}
	p.Schema = s.Schema
	authors := []carnet.Role{carnet.RoleOwner, carnet.RoleOperator}
	for _, q := range p.parties {
		if hasAnyRole(q.Party, authors) && q.signed(ctx, env) == nil {
			return nil
		}
	}
	all, err := c.Parties(ctx)
	if err != nil {
		return err
	}
	for _, q := range all {
		if !hasAnyRole(q.Party, authors) || q.Replaces == nil && !env.SignedBy(q.SigningKey) || p.parties[q.ID] != nil {
			continue
		}
		if err := p.parties.load(ctx, c, p.Committee, q.ID); err != nil {
			return err
		}
		if p.parties[q.ID].signed(ctx, env) == nil {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err // nobody's signature was looked at to the end
	}
	return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "schema %s is not signed by a registered owner or operator", s.ID())
}

// addDatasets checks the manifests and sets what the planner needs from them.
func (p *Product) addDatasets(ctx context.Context, entries []*pb.DatasetEntry, dealings map[carnet.KeyID]*dealing) error {
	if len(entries) != len(p.Statement.Datasets) {
		return wrong("the product lists %d datasets, the gateway sent %d", len(p.Statement.Datasets), len(entries))
	}
	nonces := map[carnet.Nonce]bool{}
	p.Homes = map[carnet.KeyID]int{}
	for i, e := range entries {
		env := fromProto(e.GetManifest())
		if env == nil {
			return wrong("the gateway sent no manifest of %s", p.Statement.Datasets[i])
		}
		var d carnet.Dataset
		if err := env.Decode(carnet.TypeDataset, &d); err != nil {
			return err
		}
		if d.ID != p.Statement.Datasets[i] || !strings.HasPrefix(string(d.ID), string(d.Owner)+"/") {
			return wrong("dataset %d of the product is not %s of its owner", i+1, p.Statement.Datasets[i])
		}
		if err := p.parties.signed(ctx, env, d.Owner, carnet.RoleOwner); err != nil {
			return fmt.Errorf("dataset %s: %w", d.ID, err)
		}
		if e.GetRevoked() {
			if err := p.withdrawn(ctx, e, &d); err != nil {
				return err
			}
			continue
		}
		if err := p.fit(&d, dealings); err != nil {
			return fmt.Errorf("dataset %s: %w", d.ID, err)
		}
		for _, f := range d.Files {
			if nonces[f.Nonce] {
				return carnet.E(carnet.Invalid, "NONCE_REUSED", "file %s is named twice in the product", f.Nonce)
			}
			nonces[f.Nonce] = true
		}
		if k := dealings[d.Key]; k.Home != nil {
			p.Homes[d.Key] = k.Home.Member
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: env.Hash(), Manifest: d})
	}
	if len(p.Datasets) == 0 {
		return carnet.E(carnet.Precondition, "NO_DATASETS", "every dataset of product %s was withdrawn, or its key retired", p.ID)
	}
	return nil
}

// withdrawn notes a dataset that is not in use, if its owner said so: of the dataset, or
// of its key.
func (p *Product) withdrawn(ctx context.Context, e *pb.DatasetEntry, d *carnet.Dataset) error {
	if e.GetRetirement() == nil {
		if err := p.verifyRevocation(ctx, fromProto(e.GetRevocation()), d); err != nil {
			return err
		}
		p.Revoked = append(p.Revoked, d.ID)
		return nil
	}
	env := fromProto(e.GetRetirement())
	var r carnet.Retirement
	if err := env.Decode(carnet.TypeRetirement, &r); err != nil {
		return err
	}
	if r.Key != d.Key || r.Owner != d.Owner {
		return wrong("the retirement of the key of dataset %s is about another one", d.ID)
	}
	if err := p.parties.signed(ctx, env, r.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	p.Retired = append(p.Retired, d.ID)
	return nil
}

// verifyRevocation keeps a gateway from hiding a dataset by calling it revoked.
func (p *Product) verifyRevocation(ctx context.Context, env *evidence.Envelope, d *carnet.Dataset) error {
	if env == nil {
		return wrong("the gateway calls dataset %s revoked without its owner's statement", d.ID)
	}
	var r carnet.Revocation
	if err := env.Decode(carnet.TypeRevocation, &r); err != nil {
		return err
	}
	if r.Dataset != d.ID || r.Owner != d.Owner {
		return wrong("the revocation of dataset %s is about another one", d.ID)
	}
	return p.parties.signed(ctx, env, r.Owner, carnet.RoleOwner)
}

// fit checks a manifest against schema, layout, profile and dealing. The first
// manifest decides layout and profile, the others must agree.
func (p *Product) fit(d *carnet.Dataset, dealings map[carnet.KeyID]*dealing) error {
	bad := carnet.E(carnet.Invalid, "BAD_DATASET", "the manifest does not fit the product")
	if p.Encoding == nil {
		enc, err := p.Schema.Encode(d.Layout)
		if err != nil {
			return err
		}
		p.Encoding = enc
	}
	k, ok := dealings[d.Key]
	if !ok {
		return wrong("the gateway did not send the dealing of key %s", d.Key)
	}
	if p.Profile == nil {
		p.Profile = k.profile
	}
	switch {
	case d.Schema != p.Statement.Schema:
		return bad.With("schema", "is another one")
	case d.Layout != p.Encoding.Layout:
		return bad.With("layout", "is %s, the others have %s", d.Layout, p.Encoding.Layout)
	case d.Profile != p.Encoding.Profile || d.Profile != k.Profile:
		return bad.With("profile", "is %s, the schema demands %s", d.Profile, p.Encoding.Profile)
	case k.Owner != d.Owner:
		return bad.With("key", "was dealt by %s", k.Owner)
	case d.Jurisdiction != p.parties[d.Owner].Jurisdiction:
		return bad.With("jurisdiction", "is %s, its owner is registered in %s", d.Jurisdiction, p.parties[d.Owner].Jurisdiction)
	case len(d.Files) == 0:
		return bad.With("files", "there are none")
	}
	return fitFiles(d, p.Encoding, bad)
}

func fitFiles(d *carnet.Dataset, enc *schema.Encoding, bad *carnet.Error) error {
	limit := enc.Schema().Limits.Rows
	var rows int64
	for i, f := range d.Files {
		if f.Rows < 0 || f.Rows > limit || f.Columns != len(enc.Columns) || f.Blocks != enc.Blocks(f.Rows) {
			return bad.With(fmt.Sprintf("files[%d]", i), "%d rows, %d columns and %d blocks do not fit the schema", f.Rows, f.Columns, f.Blocks)
		}
		rows += f.Rows
	}
	if rows > limit {
		return bad.With("files", "%d rows, the schema allows %d", rows, limit)
	}
	return nil
}
