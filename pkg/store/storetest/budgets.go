package storetest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func charges(t *testing.T, open Opener) {
	s := start(t, open)
	var list []carnet.Hash
	for i := range 1000 { // more than fit into one statement of SQL
		list = append(list, carnet.Hash{byte(i), byte(i >> 8)})
	}
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.PutCharges(carnet.KeyID{1}, list[:900]))
		require.NoError(t, tx.PutCharges(carnet.KeyID{1}, list[:900]))
		require.NoError(t, tx.PutCharges(carnet.KeyID{1}, nil))
		return tx.PutCharges(carnet.KeyID{2}, list[899:901])
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error {
		require.NoError(t, tx.PutCharges(carnet.KeyID{1}, list))
		return errors.New("stop")
	}))
	view(t, s, func(tx flow.Tx) {
		for key, want := range map[byte][2]int64{1: {900, 900}, 2: {2, 2}, 3: {0, 0}} {
			total, among, err := tx.Charged(carnet.KeyID{key}, list)
			require.NoError(t, err)
			require.Equal(t, want, [2]int64{total, among})
		}
		_, among, err := tx.Charged(carnet.KeyID{1}, list[898:902])
		require.NoError(t, err)
		require.EqualValues(t, 2, among)
	})
	update(t, s, func(tx flow.Tx) error { return tx.PutCharges(carnet.KeyID{1}, list[890:]) })
	view(t, s, func(tx flow.Tx) {
		total, _, err := tx.Charged(carnet.KeyID{1}, nil)
		require.NoError(t, err)
		require.EqualValues(t, 1000, total)
	})
}

func privacyBudgets(t *testing.T, open Opener) {
	s := start(t, open)
	var list []carnet.Hash
	for i := range 1000 { // more than fit into one statement of SQL
		list = append(list, carnet.Hash{byte(i), byte(i >> 8)})
	}
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.PutSpent("kz/trade", list[:900], 7))
		require.NoError(t, tx.PutSpent("kz/trade", list[:900], 0))
		require.NoError(t, tx.PutSpent("kz/trade", list[880:910], 5))
		return tx.PutSpent("uz/trade", nil, 3)
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error {
		require.NoError(t, tx.PutSpent("kz/trade", list, 100))
		return errors.New("stop")
	}))
	view(t, s, func(tx flow.Tx) {
		for dataset, want := range map[carnet.DatasetID][2]int64{"kz/trade": {12, 910}, "uz/trade": {3, 0}, "ru/trade": {0, 0}} {
			spent, known, err := tx.Spent(dataset, list)
			require.NoError(t, err)
			require.Equal(t, want, [2]int64{spent, int64(len(known))}, dataset)
		}
		_, known, err := tx.Spent("kz/trade", list[908:912])
		require.NoError(t, err)
		require.Equal(t, map[carnet.Hash]bool{list[908]: true, list[909]: true}, known)
	})
}
