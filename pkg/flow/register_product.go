package flow

import (
	"context"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/schema"
)

// RegisterProduct stores a product: datasets that exist, are not revoked, and have
// one schema, layout, profile and committee. The publisher may replace its product
// by a newer statement, for instance to add a dataset.
func (g *Gateway) RegisterProduct(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var p carnet.Product
	if err := env.Decode(carnet.TypeProduct, &p); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, p.Publisher); err != nil {
		return Ref{}, err
	}
	if err := checkProduct(&p); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, p.Publisher, carnet.RoleOwner, carnet.RoleOperator); err != nil {
			return err
		}
		switch old, err := tx.GetProduct(p.ID); {
		case err != nil && !absent(err):
			return err
		case err == nil:
			var body carnet.Product
			if err := old.Statement.Envelope.Decode(carnet.TypeProduct, &body); err != nil {
				return err
			}
			if body.Publisher != p.Publisher {
				return known("PRODUCT_EXISTS", "product %q belongs to another publisher", p.ID)
			}
			if err := notOlder("product "+string(p.ID), p.Created, body.Created); err != nil {
				return err
			}
		}
		text, err := g.checkDatasetsFit(tx, &p)
		if err != nil {
			return err
		}
		return tx.PutProduct(ProductRecord{ID: p.ID, Statement: st, Text: text})
	})
}

func checkProduct(p *carnet.Product) error {
	e := bad("BAD_PRODUCT", "the product statement is not acceptable")
	first, second, slash := strings.Cut(string(p.ID), "/")
	switch {
	case !carnet.ValidName(first) || slash && !carnet.ValidName(second):
		return e.With("id", "want a name, or <publisher>/<name>").Fix("%s", carnet.BadName("a product", string(p.ID)).Remedy)
	case slash && first != string(p.Publisher):
		return e.With("id", "is in the name space of %q", first)
	case p.Title == "" || len(p.Title) > 200 || len(p.Description) > 10_000:
		return e.With("title", "want a title of 1 to 200 bytes and a description of at most 10,000")
	case len(p.Datasets) == 0:
		return e.With("datasets", "there are none")
	}
	seen := map[carnet.DatasetID]bool{}
	for _, d := range p.Datasets {
		if seen[d] {
			return e.With("datasets", "%s is listed twice and would count twice", d)
		}
		seen[d] = true
	}
	return nil
}

// checkDatasetsFit checks the datasets of a product against each other and returns
// the text that a search looks at.
func (g *Gateway) checkDatasetsFit(tx Tx, p *carnet.Product) (string, error) {
	e := bad("MIXED_PRODUCT", "the datasets do not fit together").
		Fix("a product's datasets have one schema, layout, profile and committee")
	var first DatasetRecord
	var committee carnet.Hash
	var enc *schema.Encoding
	words := []string{string(p.ID), string(p.Publisher), p.Title, p.Description}
	for i, id := range p.Datasets {
		d, err := tx.GetDataset(id)
		if absent(err) {
			return "", bad("UNKNOWN_DATASET", "there is no dataset %q", id).
				Fix("publish it first, or correct its name: carnet datasets lists what there is")
		}
		if err != nil {
			return "", err
		}
		k, err := dealtBefore(tx, d.Key, endOfJournal)
		if err != nil {
			return "", err
		}
		if i == 0 {
			first, committee = d, k.Committee
			if enc, err = g.encoding(tx, d.Schema, d.Layout); err != nil {
				return "", err
			}
		}
		switch {
		case d.Revocation != nil:
			return "", e.With("datasets", "%s was revoked", id)
		case d.Retirement != nil:
			return "", e.With("datasets", "the key of %s was retired", id)
		case d.Schema != p.Schema:
			return "", e.With("schema", "%s has another schema than the product", id)
		case d.Layout != first.Layout:
			return "", e.With("datasets", "%s has layout %s, %s has %s", id, d.Layout, first.ID, first.Layout)
		case d.Profile != first.Profile:
			return "", e.With("datasets", "%s has profile %s, %s has %s", id, d.Profile, first.ID, first.Profile)
		case k.Committee != committee:
			return "", e.With("datasets", "%s and %s were dealt to different committees", id, first.ID)
		}
		owner, err := party(tx, d.Owner)
		if err != nil {
			return "", err
		}
		words = append(words, string(id), string(owner.Jurisdiction), owner.Name)
	}
	s := enc.Schema()
	if len(p.Datasets) > s.Limits.Datasets {
		return "", e.With("datasets", "%d datasets; the schema allows %d", len(p.Datasets), s.Limits.Datasets)
	}
	words = append(words, s.ID(), s.Title, s.Description)
	words = append(words, columnNames(s)...)
	return strings.ToLower(strings.Join(words, " ")), nil
}

// columnNames lists the columns that a query can name.
func columnNames(s *schema.Schema) (names []string) {
	for _, p := range s.Partitions {
		names = append(names, p.Name)
	}
	for _, d := range s.Dimensions {
		names = append(names, d.Name)
	}
	for _, m := range s.Measures {
		names = append(names, m.Name)
	}
	return names
}
