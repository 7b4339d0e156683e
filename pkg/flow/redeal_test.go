package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func TestRedealKey(t *testing.T) {
	n, tables := twoOwners(t)
	key := tables[0].Key
	again, records, foreign := n.Deal("kz", carnet.LayoutCube), n.Deal("kz", carnet.LayoutRecords), n.Deal("hk", carnet.LayoutCube)
	redeal := func(by carnet.PartyID, change func(*carnet.Redealing)) error {
		n.Advance(time.Minute)
		r := carnet.Redealing{Key: key.ID, Dealing: again.ID, Owner: by, Released: 100, Created: n.Now()}
		if change != nil {
			change(&r)
		}
		_, err := n.G.RedealKey(ctx, n.Parties[by], n.Seal(carnet.TypeRedealing, r, by))
		return err
	}
	for name, c := range map[string]struct {
		reason string
		change func(*carnet.Redealing)
	}{
		"the same":             {"BAD_REDEALING", func(r *carnet.Redealing) { r.Dealing = key.ID }},
		"of another owner":     {"NOT_FOUND", func(r *carnet.Redealing) { r.Dealing = foreign.ID }},
		"of another profile":   {"BAD_REDEALING", func(r *carnet.Redealing) { r.Dealing = records.ID }},
		"that names a dataset": {"BAD_REDEALING", func(r *carnet.Redealing) { r.Key, r.Dealing = again.ID, key.ID }},
		"negative":             {"BAD_REDEALING", func(r *carnet.Redealing) { r.Released = -1 }},
		"for another party":    {"WRONG_PARTY", func(r *carnet.Redealing) { r.Owner = "hk" }},
		"unknown":              {"NOT_FOUND", func(r *carnet.Redealing) { r.Dealing = carnet.KeyID{1} }},
	} {
		requireReason(t, c.reason, redeal("kz", c.change))
		_ = name
	}
	requireReason(t, "NOT_FOUND", redeal("hk", nil))

	// What queries have asked for so far has to be carried over, and a query that is being
	// answered keeps its committee.
	pending, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	requireReason(t, "RELEASED_TOO_FEW", redeal("kz", func(r *carnet.Redealing) { r.Released = 0 }))
	d, err := n.G.Dealing(ctx, n.Parties["kz"], key.ID)
	require.NoError(t, err)
	require.Positive(t, d.Released)
	hidden, err := n.G.Dealing(ctx, n.Parties["bank"], key.ID)
	require.NoError(t, err)
	require.Zero(t, hidden.Released, "only for its owner")
	require.NoError(t, redeal("kz", func(r *carnet.Redealing) { r.Released = d.Released + 5 }))
	run(t, n.G)
	waitFor(t, n, pending.Hash, flow.QueryReleasing)
	d, err = n.G.Dealing(ctx, n.Parties["kz"], key.ID)
	require.NoError(t, err)
	require.Len(t, d.Redealings, 1)
	counted := d.Released
	x, err := n.G.ExplainQuery(ctx, n.Parties["kz"], []carnet.ProductID{"trade"}, sumSQL, "statistics")
	require.NoError(t, err)
	require.Equal(t, counted, x.Charged[key.ID], "with what its owner said")
	p, err := n.G.Product(ctx, "trade")
	require.NoError(t, err)
	require.Equal(t, carnet.Hash(again.ID), p.Dealings[0].Hash)
	require.Len(t, p.Redealt, 1)

	// The new dealing is for this only.
	requireReason(t, "BAD_REDEALING", redeal("kz", nil))
	third := n.Deal("kz", carnet.LayoutCube)
	requireReason(t, "BAD_REDEALING", redeal("kz", func(r *carnet.Redealing) { r.Key, r.Dealing = again.ID, third.ID }))
	under := n.Encrypt(again, "under", carnet.LayoutCube, rows)
	require.NoError(t, n.Announce(under))
	_, _, err = n.Upload(under, under.Order...)
	require.NoError(t, err)
	_, err = n.Commit(under)
	requireReason(t, "BAD_MANIFEST", err)
	_, err = n.G.RetireKey(ctx, n.Parties["kz"], n.Seal(carnet.TypeRetirement, carnet.Retirement{Key: again.ID, Owner: "kz", Created: n.Now()}, "kz"))
	requireReason(t, "BAD_RETIREMENT", err)

	// Once more: the count goes on, an older statement has no effect.
	requireReason(t, "OLDER_STATEMENT", redeal("kz", func(r *carnet.Redealing) { r.Dealing, r.Created = third.ID, n.Now().Add(-time.Hour) }))
	requireReason(t, "RELEASED_TOO_FEW", redeal("kz", func(r *carnet.Redealing) { r.Dealing, r.Released = third.ID, counted-1 }))
	require.NoError(t, redeal("kz", func(r *carnet.Redealing) { r.Dealing, r.Released = third.ID, counted }))
	d, err = n.G.Dealing(ctx, n.Parties["kz"], key.ID)
	require.NoError(t, err)
	require.Equal(t, counted, d.Released)
}
