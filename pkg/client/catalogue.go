package client

import (
	"context"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// RegisterProduct signs and sends a product statement.
func (c *Client) RegisterProduct(ctx context.Context, publisher Signer, body carnet.Product) (Ref, error) {
	body.Publisher = publisher.Party()
	if body.Created.IsZero() {
		body.Created = c.timestamp()
	}
	env, err := evidence.Seal(carnet.TypeProduct, body, publisher)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.catalogue.RegisterProduct(ctx, &pb.RegisterProductRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}

// Summary is a line of the catalogue. It is what the gateway says; LoadProduct
// checks.
type Summary struct {
	ID            carnet.ProductID `json:"id"`
	Title         string           `json:"title"`
	Description   string           `json:"description,omitempty"`
	Publisher     carnet.PartyID   `json:"publisher"`
	Schema        string           `json:"schema"`
	Layout        carnet.Layout    `json:"layout"`
	Rows          int64            `json:"rows"`
	Jurisdictions []string         `json:"jurisdictions"`
	Columns       []string         `json:"columns"`
	Retired       bool             `json:"retired,omitempty"` // keys were retired: nothing can be asked any more
}

// Search finds products whose texts contain every word; all of them for "".
func (c *Client) Search(ctx context.Context, text string) ([]Summary, error) {
	var out []Summary
	for token := ""; ; {
		resp, err := c.catalogue.SearchProducts(ctx, &pb.SearchProductsRequest{Text: text, PageSize: pageSize, PageToken: token})
		if err != nil {
			return nil, fault(err)
		}
		for _, p := range resp.GetProducts() {
			out = append(out, Summary{
				ID: carnet.ProductID(p.GetId()), Title: p.GetTitle(), Description: p.GetDescription(),
				Publisher: carnet.PartyID(p.GetPublisher()), Schema: p.GetSchema(), Layout: carnet.Layout(p.GetLayout()),
				Rows: p.GetRows(), Jurisdictions: p.GetJurisdictions(), Columns: p.GetColumns(),
				Retired: p.GetRetired(),
			})
		}
		if token = resp.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}

// DatasetInfo is a published dataset as listed. Listing does not check signatures;
// LoadProduct does.
type DatasetInfo struct {
	Hash     carnet.Hash    `json:"hash"`
	Manifest carnet.Dataset `json:"manifest"`
	Bytes    int64          `json:"bytes"`
	Revoked  bool           `json:"revoked"`           // not in use any more
	Retired  bool           `json:"retired,omitempty"` // because its key was retired
	Privacy  *PrivacyBudget `json:"privacy,omitempty"` // of numbers with noise
}

// PrivacyBudget is what was taken from a dataset's privacy budget, by the gateway's word.
// Amounts are rho as decimal numbers.
type PrivacyBudget struct {
	Spent  string `json:"spent_at_most"` // to others than the owner a bound
	Budget string `json:"budget"`
}

func datasetInfo(e *pb.DatasetEntry) (*DatasetInfo, error) {
	env := fromProto(e.GetManifest())
	if env == nil {
		return nil, wrong("the gateway sent no manifest")
	}
	d := &DatasetInfo{Hash: env.Hash(), Bytes: e.GetBytes(), Revoked: e.GetRevoked(), Retired: e.GetRetirement() != nil}
	if err := env.Decode(carnet.TypeDataset, &d.Manifest); err != nil {
		return nil, err
	}
	if x := e.GetPrivacy(); x != nil {
		d.Privacy = &PrivacyBudget{x.GetSpent(), x.GetBudget()}
	}
	return d, nil
}

// Datasets lists datasets; empty arguments mean any owner and any schema.
func (c *Client) Datasets(ctx context.Context, owner carnet.PartyID, schemaID string) ([]*DatasetInfo, error) {
	var out []*DatasetInfo
	for token := ""; ; {
		resp, err := c.datasets.ListDatasets(ctx, &pb.ListDatasetsRequest{Owner: string(owner), Schema: schemaID, PageSize: pageSize, PageToken: token})
		if err != nil {
			return nil, fault(err)
		}
		for _, e := range resp.GetDatasets() {
			d, err := datasetInfo(e)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
		if token = resp.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}

// Dataset returns the newest manifest of a dataset.
func (c *Client) Dataset(ctx context.Context, id carnet.DatasetID) (*DatasetInfo, error) {
	resp, err := c.datasets.GetDataset(ctx, &pb.GetDatasetRequest{Id: string(id)})
	if err != nil {
		return nil, fault(err)
	}
	return datasetInfo(resp.GetDataset())
}

// Revoke ends the use of a dataset: no further release, earlier ones stay.
func (c *Client) Revoke(ctx context.Context, owner Signer, id carnet.DatasetID, reason string) (Ref, error) {
	env, err := evidence.Seal(carnet.TypeRevocation, carnet.Revocation{
		Dataset: id, Owner: owner.Party(), Reason: reason, Created: c.timestamp(),
	}, owner)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.datasets.RevokeDataset(ctx, &pb.RevokeDatasetRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}
