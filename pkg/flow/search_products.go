package flow

import (
	"context"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// ProductSummary is a line of the catalogue.
type ProductSummary struct {
	Body          carnet.Product
	Schema        string // "name@version"
	Layout        carnet.Layout
	Rows          int64 // of datasets in use
	Jurisdictions []string
	Columns       []string
	Retired       bool // nothing can be asked any more, since keys were retired
}

// Bounds of a search text.
const (
	maxSearchText  = 1000
	maxSearchWords = 20
)

// SearchProducts lists products, after one, whose texts, columns or jurisdictions
// contain every word. A product without a dataset in use is listed if the key of one
// was retired, so that buyers learn why; next is the product to continue after, empty at
// the end.
func (g *Gateway) SearchProducts(ctx context.Context, text string, after carnet.ProductID, limit int) (out []ProductSummary, next carnet.ProductID, err error) {
	words := strings.Fields(strings.ToLower(text))
	if len(text) > maxSearchText || len(words) > maxSearchWords {
		return nil, "", bad("BAD_REQUEST", "the request is malformed").With("text", "want at most %d bytes and %d words", maxSearchText, maxSearchWords)
	}
	err = g.Store.View(ctx, func(tx Tx) error {
		list, err := tx.SearchProducts(words, after, limit)
		if err != nil {
			return err
		}
		for _, rec := range list {
			s, err := g.summarise(tx, rec)
			if err != nil {
				return err
			}
			if s != nil {
				out = append(out, *s)
			}
		}
		if len(list) == limit {
			next = list[limit-1].ID
		}
		return nil
	})
	return out, next, err
}

func (g *Gateway) summarise(tx Tx, rec ProductRecord) (*ProductSummary, error) {
	s := &ProductSummary{}
	if err := rec.Statement.Envelope.Decode(carnet.TypeProduct, &s.Body); err != nil {
		return nil, err
	}
	used, retired := false, false
	for _, id := range s.Body.Datasets {
		d, err := tx.GetDataset(id)
		if err != nil {
			return nil, err
		}
		if !d.InUse() {
			retired = retired || d.Retirement != nil
			continue
		}
		used = true
		enc, err := g.encoding(tx, d.Schema, d.Layout)
		if err != nil {
			return nil, err
		}
		owner, err := party(tx, d.Owner)
		if err != nil {
			return nil, err
		}
		s.Schema, s.Layout, s.Columns = enc.Schema().ID(), d.Layout, columnNames(enc.Schema())
		s.Rows += d.Rows
		s.Jurisdictions = append(s.Jurisdictions, string(owner.Jurisdiction))
	}
	switch {
	case !used && !retired:
		return nil, nil
	case !used:
		s.Retired = true
		return s, nil
	}
	slices.Sort(s.Jurisdictions)
	s.Jurisdictions = slices.Compact(s.Jurisdictions)
	return s, nil
}
