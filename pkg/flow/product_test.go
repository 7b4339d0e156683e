package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestProducts(t *testing.T) {
	n, _ := twoOwners(t)
	n.Publish("kz", "records", carnet.LayoutRecords, rows)
	register := func(by carnet.PartyID, change func(*carnet.Product)) error {
		p := carnet.Product{ID: "second", Publisher: by, Title: "T", Schema: n.SchemaRef, Datasets: []carnet.DatasetID{"kz/trade", "hk/trade"}, Created: n.Now()}
		change(&p)
		_, err := n.G.RegisterProduct(ctx, n.Parties[by], n.Seal(carnet.TypeProduct, p, by))
		return err
	}
	for name, c := range map[string]struct {
		reason string
		change func(*carnet.Product)
	}{
		"twice":      {"BAD_PRODUCT", func(p *carnet.Product) { p.Datasets = append(p.Datasets, "kz/trade") }},
		"none":       {"BAD_PRODUCT", func(p *carnet.Product) { p.Datasets = nil }},
		"name space": {"BAD_PRODUCT", func(p *carnet.Product) { p.ID = "hk/x" }},
		"title":      {"BAD_PRODUCT", func(p *carnet.Product) { p.Title = "" }},
		"unknown":    {"UNKNOWN_DATASET", func(p *carnet.Product) { p.Datasets = []carnet.DatasetID{"kz/none"} }},
		"layouts":    {"MIXED_PRODUCT", func(p *carnet.Product) { p.Datasets = []carnet.DatasetID{"kz/trade", "kz/records"} }},
		"schema":     {"MIXED_PRODUCT", func(p *carnet.Product) { p.Schema = carnet.Hash{1} }},
	} {
		require.Equal(t, c.reason, carnet.ReasonOf(register("kz", c.change)), name)
	}
	requireReason(t, "WRONG_ROLE", register("bank", func(*carnet.Product) {}))
	requireReason(t, "PRODUCT_EXISTS", register("hk", func(p *carnet.Product) { p.ID = "trade" }))
	requireReason(t, "OLDER_STATEMENT", register("kz", func(p *carnet.Product) { p.ID, p.Created = "trade", n.Now().Add(-time.Hour) }))
	require.NoError(t, register("kz", func(p *carnet.Product) { p.ID, p.Datasets = "trade", p.Datasets[:1] }), "a publisher may replace its product")
	require.NoError(t, register("gateway", func(p *carnet.Product) { p.Description = "For 100% of HS chapters" }))

	for text, want := range map[string]int{"": 2, "chapter": 2, "100%": 1, "CHAPTER hk": 1, "kz value": 2, "nothing": 0} {
		list, next, err := n.G.SearchProducts(ctx, text, "", 10)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, list, want, text)
	}
	list, next, err := n.G.SearchProducts(ctx, "", "", 1)
	require.NoError(t, err)
	require.EqualValues(t, "second", next)
	require.Equal(t, []string{"HK", "KZ"}, list[0].Jurisdictions)
	require.Equal(t, []string{"chapter", "value"}, list[0].Columns)
	require.EqualValues(t, 6, list[0].Rows)

	for _, id := range []carnet.DatasetID{"kz/trade", "hk/trade"} {
		owner := carnet.PartyID(id[:2])
		_, err := n.G.RevokeDataset(ctx, n.Parties[owner], n.Seal(carnet.TypeRevocation, carnet.Revocation{Dataset: id, Owner: owner, Created: n.Now()}, owner))
		require.NoError(t, err)
	}
	_, err = n.G.RevokeDataset(ctx, n.Parties["kz"], n.Seal(carnet.TypeRevocation, carnet.Revocation{Dataset: "hk/trade", Owner: "kz", Created: n.Now()}, "kz"))
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	list, _, err = n.G.SearchProducts(ctx, "", "", 10)
	require.NoError(t, err)
	require.Empty(t, list, "a product without datasets in use is not listed")
	p, err := n.G.Product(ctx, "second")
	require.NoError(t, err)
	require.Len(t, p.Datasets, 2)
	require.NotNil(t, p.Datasets[0].Revocation)
	require.Len(t, p.Parties, 6)
	_, err = n.G.ExplainQuery(ctx, n.Parties["bank"], []carnet.ProductID{"second"}, sumSQL, "statistics")
	requireReason(t, "NO_DATASETS", err)
}
