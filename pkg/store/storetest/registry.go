package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func named(t *testing.T, open Opener) {
	s := start(t, open)
	for i, id := range []string{"c", "a", "b"} {
		st := put(t, s, i)
		update(t, s, func(tx flow.Tx) error { return tx.PutNamed(flow.NamedCommittee, id, st.Hash) })
	}
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetNamed(flow.NamedCommittee, "b")
		require.NoError(t, err)
		require.Equal(t, statement(2), got.Envelope)
		require.EqualValues(t, 2, got.Seq)
		_, err = tx.GetNamed(flow.NamedParty, "b")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err), "kinds are apart")
		list, err := tx.ListNamed(flow.NamedCommittee, "", 2)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "b", list[1].ID)
		require.Equal(t, statement(1), list[0].Envelope)
		list, err = tx.ListNamed(flow.NamedCommittee, "b", 2)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, "c", list[0].ID)
	})
	for _, bad := range []func(tx flow.Tx) error{
		func(tx flow.Tx) error { return tx.PutNamed(flow.NamedCommittee, "a", statement(1).Hash()) },
		func(tx flow.Tx) error { return tx.PutNamed(flow.NamedCommittee, "x", carnet.Hash{1}) },
		func(tx flow.Tx) error { return tx.PutNamed("journal", "x", statement(1).Hash()) },
	} {
		require.Error(t, s.Update(ctx, bad))
	}
}

func dealing(t *testing.T, s flow.Store, n int, nonce carnet.Nonce) flow.DealingRecord {
	t.Helper()
	st := put(t, s, n)
	d := flow.DealingRecord{Key: carnet.KeyID(st.Hash), Owner: "o", Nonce: nonce, Committee: carnet.Hash{5}}
	update(t, s, func(tx flow.Tx) error { return tx.PutDealing(d, []carnet.Hash{{1}, {2}}) })
	return d
}

func dealings(t *testing.T, open Opener) {
	s := start(t, open)
	d := dealing(t, s, 0, carnet.Nonce{9})
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.SetSeeds(d.Key, 2, carnet.Hash{7}))
		require.NoError(t, tx.PutConfirmation(d.Key, flow.Confirmation{Number: 2, OK: false, Reason: "BAD_SEED"}))
		require.NoError(t, tx.PutConfirmation(d.Key, flow.Confirmation{Number: 1, OK: true}))
		return tx.PutConfirmation(d.Key, flow.Confirmation{Number: 2, OK: true})
	})
	view(t, s, func(tx flow.Tx) {
		got, st, err := tx.GetDealing(d.Key)
		require.NoError(t, err)
		require.Equal(t, d, got)
		require.Equal(t, statement(0), st.Envelope)
		k, err := tx.DealingOf("o", carnet.Nonce{9})
		require.NoError(t, err)
		require.Equal(t, d.Key, k)
		_, err = tx.DealingOf("p", carnet.Nonce{9})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		h, err := tx.Seeds(d.Key, 2)
		require.NoError(t, err)
		require.Equal(t, carnet.Hash{7}, h)
		_, err = tx.Seeds(d.Key, 3)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		cs, err := tx.Confirmations(d.Key)
		require.NoError(t, err)
		require.Equal(t, []flow.Confirmation{{Number: 1, OK: true}, {Number: 2, OK: true}}, cs)
	})
	again := put(t, s, 1)
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error {
		return tx.PutDealing(flow.DealingRecord{Key: carnet.KeyID(again.Hash), Owner: "o", Nonce: carnet.Nonce{9}}, nil)
	}), "one dealing for an owner's nonce")
}

// anyText: texts of others may hold any character; they come back so that people can read
// them, and no name is taken for another.
func anyText(t *testing.T, open Opener) {
	s := start(t, open)
	d := dealing(t, s, 0, carnet.Nonce{9})
	st := put(t, s, 1)
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.PutNamed(flow.NamedParty, "kz", st.Hash))
		require.NoError(t, tx.PutProduct(flow.ProductRecord{ID: "p", Statement: st, Text: "one\x00two \xffthree größe \u200b\u202e'\\"}))
		return tx.PutConfirmation(d.Key, flow.Confirmation{Number: 1, Reason: "a\x00b'\xf0\x28\"$1"})
	})
	view(t, s, func(tx flow.Tx) {
		cs, err := tx.Confirmations(d.Key)
		require.NoError(t, err)
		require.Equal(t, "a�b'�(\"$1", cs[0].Reason)
		p, err := tx.GetProduct("p")
		require.NoError(t, err)
		require.Equal(t, "one�two �three größe \u200b\u202e'\\", p.Text)
		for _, name := range []string{"kz\x00", "kz\xff", "\x00"} {
			_, err := tx.GetNamed(flow.NamedParty, name)
			require.Equal(t, carnet.NotFound, carnet.KindOf(err), "%q: %v", name, err)
		}
		list, err := tx.SearchProducts([]string{"größe", "three"}, "", 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}
