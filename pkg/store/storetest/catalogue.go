package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func datasets(t *testing.T, open Opener) {
	s := start(t, open)
	key := dealing(t, s, 0, carnet.Nonce{1}).Key
	var recs []flow.DatasetRecord
	for i, id := range []carnet.DatasetID{"o/b", "o/a", "p/a"} {
		d := flow.DatasetRecord{ID: id, Manifest: put(t, s, i+1), Owner: carnet.PartyID(id[:1]), Schema: carnet.Hash{byte(i % 2)},
			Layout: carnet.LayoutCube, Profile: "cube", Key: key, Rows: int64(i), Bytes: 1 << 40}
		update(t, s, func(tx flow.Tx) error { return tx.PutDataset(d) })
		recs = append(recs, d)
	}
	rev := put(t, s, 10)
	update(t, s, func(tx flow.Tx) error { return tx.RevokeDataset("o/b", rev.Hash) })
	recs[1].Manifest, recs[1].Rows = put(t, s, 11), 77
	update(t, s, func(tx flow.Tx) error { return tx.PutDataset(recs[1]) })
	recs[0].Revocation = &rev
	other := dealing(t, s, 20, carnet.Nonce{2}).Key
	last := flow.DatasetRecord{ID: "q/a", Manifest: put(t, s, 21), Owner: "q", Layout: carnet.LayoutCube, Profile: "cube", Key: other, Schema: carnet.Hash{5}}
	retired := put(t, s, 22)
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.PutDataset(last))
		_, err := tx.GetRetirement(other)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		return tx.PutRetirement(other, retired.Hash)
	})
	last.Retirement = &retired
	require.False(t, last.InUse())
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutRetirement(other, rev.Hash) }), "a key is retired once")
	gone := []flow.Stored{put(t, s, 23), put(t, s, 24)}
	update(t, s, func(tx flow.Tx) error {
		none, err := tx.Destructions(other)
		require.NoError(t, err)
		require.Empty(t, none)
		require.NoError(t, tx.PutDestruction(other, 3, gone[0].Hash))
		return tx.PutDestruction(other, 1, gone[1].Hash)
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutDestruction(other, 1, rev.Hash) }), "seeds are destroyed once")
	third, fourth := dealing(t, s, 25, carnet.Nonce{3}).Key, dealing(t, s, 26, carnet.Nonce{4}).Key
	again := []flow.RedealingRecord{{Key: other, Dealing: third, Extra: 7, Statement: put(t, s, 27)}, {Key: other, Dealing: fourth, Extra: 1 << 40, Statement: put(t, s, 28)}}
	update(t, s, func(tx flow.Tx) error {
		none, err := tx.Redealings(other)
		require.NoError(t, err)
		require.Empty(t, none)
		require.NoError(t, tx.PutRedealing(again[0]))
		return tx.PutRedealing(again[1])
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutRedealing(again[0]) }), "a dealing deals one key again")
	view(t, s, func(tx flow.Tx) {
		list, err := tx.Redealings(other)
		require.NoError(t, err)
		require.Equal(t, again, list)
		r, err := tx.RedealingOf(fourth)
		require.NoError(t, err)
		require.Equal(t, again[1], r)
		_, err = tx.RedealingOf(other)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		for k, want := range map[carnet.KeyID]bool{other: true, third: false} {
			used, err := tx.DatasetsUnder(k)
			require.NoError(t, err)
			require.Equal(t, want, used)
		}
	})
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetDataset(last.ID)
		require.NoError(t, err)
		require.Equal(t, last, got)
		st, err := tx.GetRetirement(other)
		require.NoError(t, err)
		require.Equal(t, retired, st)
		list, err := tx.Destructions(other)
		require.NoError(t, err)
		require.Equal(t, []flow.DestructionRecord{{Number: 1, Statement: gone[1]}, {Number: 3, Statement: gone[0]}}, list)
	})
	view(t, s, func(tx flow.Tx) {
		for _, want := range recs {
			got, err := tx.GetDataset(want.ID)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		_, err := tx.GetDataset("o/none")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		ids := func(owner carnet.PartyID, schema carnet.Hash, after carnet.DatasetID, limit int) (out []carnet.DatasetID) {
			list, err := tx.ListDatasets(owner, schema, after, limit)
			require.NoError(t, err)
			for _, d := range list {
				out = append(out, d.ID)
			}
			return out
		}
		require.Equal(t, []carnet.DatasetID{"o/a", "o/b", "p/a", "q/a"}, ids("", carnet.Hash{}, "", 10))
		require.Equal(t, []carnet.DatasetID{"o/b"}, ids("", carnet.Hash{}, "o/a", 1))
		require.Equal(t, []carnet.DatasetID{"o/a", "o/b"}, ids("o", carnet.Hash{}, "", 10))
		require.Equal(t, []carnet.DatasetID{"o/a"}, ids("o", carnet.Hash{1}, "", 10))
	})
}

func products(t *testing.T, open Opener) {
	s := start(t, open)
	for i, text := range []string{"trade by chapter kz", "trade 100% by_partner hk"} {
		st := put(t, s, i)
		update(t, s, func(tx flow.Tx) error {
			return tx.PutProduct(flow.ProductRecord{ID: carnet.ProductID(fmt.Sprintf("p%d", i)), Statement: st, Text: text})
		})
	}
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetProduct("p1")
		require.NoError(t, err)
		require.Equal(t, "trade 100% by_partner hk", got.Text)
		require.Equal(t, statement(1), got.Statement.Envelope)
		_, err = tx.GetProduct("none")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		for _, c := range []struct {
			words []string
			want  int
		}{{nil, 2}, {[]string{"trade"}, 2}, {[]string{"trade", "hk"}, 1}, {[]string{"kz", "hk"}, 0}, {[]string{"%"}, 1}, {[]string{"y_"}, 1}, {[]string{"' OR 1=1 --"}, 0}} {
			list, err := tx.SearchProducts(c.words, "", 10)
			require.NoError(t, err)
			require.Len(t, list, c.want, "%v", c.words)
		}
		list, err := tx.SearchProducts(nil, "p0", 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
	st := put(t, s, 2)
	update(t, s, func(tx flow.Tx) error { return tx.PutProduct(flow.ProductRecord{ID: "p1", Statement: st, Text: "new"}) })
}
