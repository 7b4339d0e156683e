package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestRetiredKey(t *testing.T) {
	n, tables := twoOwners(t)
	key := tables[0].Key
	retire := func(by, owner carnet.PartyID, k carnet.KeyID) error {
		_, err := n.G.RetireKey(ctx, n.Parties[by], n.Seal(carnet.TypeRetirement, carnet.Retirement{Key: k, Owner: owner, Created: n.Now()}, by))
		return err
	}
	requireReason(t, "NOT_FOUND", retire("hk", "hk", key.ID))
	requireReason(t, "WRONG_PARTY", retire("hk", "kz", key.ID))
	requireReason(t, "NOT_FOUND", retire("kz", "kz", carnet.KeyID{1}))
	require.NoError(t, retire("kz", "kz", key.ID))
	n.Advance(time.Minute)
	requireReason(t, "KEY_RETIRED", retire("kz", "kz", key.ID))

	// Nothing is asked, published or dealt under it any more; the other dataset goes on.
	_, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	requireReason(t, "INPUTS_DIFFER", err)
	_, err = n.Submit(n.Ask(sumSQL, "trade", tables[1]))
	require.NoError(t, err)
	more := n.Encrypt(key, "more", carnet.LayoutCube, rows)
	require.NoError(t, n.Announce(more))
	_, _, err = n.Upload(more, more.Order...)
	require.NoError(t, err)
	_, err = n.Commit(more)
	requireReason(t, "KEY_RETIRED", err)
	_, err = n.G.SubmitDealing(ctx, n.Parties["kz"], key.Envelope, key.Corrections, key.Sealed)
	requireReason(t, "KEY_RETIRED", err)
	_, err = n.G.RegisterProduct(ctx, n.Parties["kz"], n.Seal(carnet.TypeProduct, carnet.Product{ID: "other", Publisher: "kz", Title: "T",
		Schema: n.SchemaRef, Datasets: []carnet.DatasetID{"kz/trade"}, Created: n.Now()}, "kz"))
	requireReason(t, "MIXED_PRODUCT", err)

	list, _, err := n.G.SearchProducts(ctx, "", "", 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.False(t, list[0].Retired)
	require.EqualValues(t, 2, list[0].Rows)
	require.NoError(t, retire("hk", "hk", tables[1].Key.ID))
	list, _, err = n.G.SearchProducts(ctx, "", "", 10)
	require.NoError(t, err)
	require.True(t, list[0].Retired, "buyers learn why nothing can be asked")
	_, err = n.G.ExplainQuery(ctx, n.Parties["bank"], []carnet.ProductID{"trade"}, sumSQL, "statistics")
	requireReason(t, "NO_DATASETS", err)

	// The table may come back under a key that was not retired.
	again := n.Encrypt(n.Deal("kz", carnet.LayoutCube), "trade", carnet.LayoutCube, rows)
	require.NoError(t, n.Announce(again))
	_, _, err = n.Upload(again, again.Order...)
	require.NoError(t, err)
	_, err = n.Commit(again)
	require.NoError(t, err)
	_, err = n.Submit(n.Ask(sumSQL, "trade", again))
	require.NoError(t, err)
}

// Rule: when a keyholder has destroyed its seeds, the gateway has them no more either,
// and nobody can put them back.
func TestDestroyedSeeds(t *testing.T) {
	n, tables := twoOwners(t)
	key := tables[0].Key
	destroy := func(by, as carnet.PartyID, number int) error {
		_, err := n.G.SubmitDestruction(ctx, n.Parties[by], n.Seal(carnet.TypeDestruction, carnet.Destruction{Key: key.ID, By: as, Number: number, Created: n.Now()}, by))
		return err
	}
	requireReason(t, "BAD_DESTRUCTION", destroy("k2", "k2", 1))
	requireReason(t, "WRONG_PARTY", destroy("k2", "k1", 1))
	requireReason(t, "WRONG_ROLE", destroy("kz", "kz", 1))
	_, _, err := n.G.SealedSeeds(ctx, n.Parties["k2"], key.ID)
	require.NoError(t, err)
	require.NoError(t, destroy("k2", "k2", 2))
	n.Advance(time.Minute)
	requireReason(t, "DESTROYED_BEFORE", destroy("k2", "k2", 2))
	_, _, err = n.G.SealedSeeds(ctx, n.Parties["k2"], key.ID)
	requireReason(t, "NO_OBJECT", err)
	_, err = n.G.SubmitDealing(ctx, n.Parties["kz"], key.Envelope, key.Corrections, key.Sealed)
	require.NoError(t, err)
	_, _, err = n.G.SealedSeeds(ctx, n.Parties["k2"], key.ID)
	requireReason(t, "NO_OBJECT", err)
	_, _, err = n.G.SealedSeeds(ctx, n.Parties["k1"], key.ID)
	require.NoError(t, err)

	d, err := n.G.Dealing(ctx, nil, key.ID)
	require.NoError(t, err)
	require.Nil(t, d.Retirement)
	require.Len(t, d.Destructions, 1)
	require.Equal(t, 2, d.Destructions[0].Number)
}
