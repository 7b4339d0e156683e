package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/schema"
)

// CertifyDataset certifies the registration of a dataset's newest manifest. A repeat gives
// the same statement.
func (g *Gateway) CertifyDataset(ctx context.Context, id carnet.DatasetID) (Stored, error) {
	return g.certify(ctx, func(tx Tx) (*carnet.Certificate, error) {
		d, err := tx.GetDataset(id)
		if err != nil {
			return nil, err
		}
		m := &carnet.Dataset{}
		if err := d.Manifest.Envelope.Decode(carnet.TypeDataset, m); err != nil {
			return nil, err
		}
		c := &carnet.Certificate{Subject: string(id), Kind: "dataset", Statement: d.Manifest.Hash, Entry: d.Manifest.Seq, By: m.Owner, Title: m.Title,
			Schema: m.Schema, Jurisdiction: m.Jurisdiction, Layout: m.Layout, Files: len(m.Files), Terms: &m.Terms, Registered: m.Created}
		if c.SchemaID, err = schemaID(tx, m.Schema); err != nil {
			return nil, err
		}
		for i := range m.Files {
			c.Roots = append(c.Roots, m.Files[i].Root)
		}
		c.Rows, c.Bytes, err = meter.Size(m)
		return c, err
	})
}

// CertifyProduct certifies the registration of a product, with the sizes that its datasets
// have now.
func (g *Gateway) CertifyProduct(ctx context.Context, id carnet.ProductID) (Stored, error) {
	return g.certify(ctx, func(tx Tx) (*carnet.Certificate, error) {
		p, err := tx.GetProduct(id)
		if err != nil {
			return nil, err
		}
		var body carnet.Product
		if err := p.Statement.Envelope.Decode(carnet.TypeProduct, &body); err != nil {
			return nil, err
		}
		c := &carnet.Certificate{Subject: string(id), Kind: "product", Statement: p.Statement.Hash, Entry: p.Statement.Seq, By: body.Publisher,
			Title: body.Title, Schema: body.Schema, Datasets: body.Datasets, Registered: body.Created}
		if c.SchemaID, err = schemaID(tx, body.Schema); err != nil {
			return nil, err
		}
		for _, d := range body.Datasets {
			r, err := tx.GetDataset(d)
			if err != nil {
				return nil, err
			}
			if !r.InUse() {
				continue
			}
			var m carnet.Dataset
			if err := r.Manifest.Envelope.Decode(carnet.TypeDataset, &m); err != nil {
				return nil, err
			}
			rows, bytes, err := meter.Size(&m)
			if err != nil {
				return nil, err
			}
			c.Rows, c.Bytes, c.Files = c.Rows+rows, c.Bytes+bytes, c.Files+len(m.Files)
		}
		return c, nil
	})
}

func (g *Gateway) certify(ctx context.Context, body func(Tx) (*carnet.Certificate, error)) (Stored, error) {
	if _, err := g.certifies(ctx); err != nil {
		return Stored{}, err
	}
	unsigned := func(tx Tx) (*evidence.Envelope, error) {
		c, err := body(tx)
		if err != nil {
			return nil, err
		}
		c.Operator = g.Operator
		return evidence.Seal(carnet.TypeCertificate, c)
	}
	var env *evidence.Envelope
	if err := g.Store.View(ctx, func(tx Tx) (err error) { env, err = unsigned(tx); return err }); err != nil {
		return Stored{}, err
	}
	// A certificate is true of the log as it is just before: whoever verifies it compares.
	return g.recordOwn(ctx, env, func(tx Tx, _ Stored) error {
		now, err := unsigned(tx)
		if err == nil && now.Hash() != env.Hash() {
			err = carnet.E(carnet.Unavailable, "REGISTRATION_CHANGED", "what is certified changed meanwhile").Fix("ask again")
		}
		return err
	})
}

func schemaID(tx Tx, h carnet.Hash) (string, error) {
	st, err := tx.Statement(h)
	if err != nil {
		return "", err
	}
	var s schema.Schema
	if err := st.Envelope.Decode(carnet.TypeSchema, &s); err != nil {
		return "", err
	}
	return s.ID(), nil
}
