package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func queries(t *testing.T, open Opener) {
	s := start(t, open)
	var recs []flow.QueryRecord
	for i := range 3 {
		q := flow.QueryRecord{Statement: put(t, s, i), ID: carnet.Hash{byte(i)}, Buyer: carnet.PartyID(fmt.Sprintf("b%d", i%2)), Product: "p",
			Published: []carnet.Hash{{9}, {8}}[:1+i%2], Committee: carnet.Hash{4}, Threshold: 2, Checks: 4, Keyholders: 3, Openings: 7, ScalarBytes: 24, Expires: time.Unix(500, 1).UTC(),
			State: flow.QueryComputing, BlocksTotal: 10, Updated: time.Unix(1, 2).UTC()}
		update(t, s, func(tx flow.Tx) error { return tx.PutQuery(q) })
		recs = append(recs, q)
	}
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error {
		q := recs[0]
		q.Statement = put0(tx)
		return tx.PutQuery(q)
	}), "a buyer's id names one query")
	q := recs[1]
	q.State, q.Values, q.BlocksDone, q.Attempts, q.Failure, q.Updated = flow.QueryFailed, carnet.Hash{3}, 9, 2, "X", time.Unix(3, 0).UTC()
	answer, decision, check := put(t, s, 20), put(t, s, 21), put(t, s, 22)
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.SetQuery(q))
		require.NoError(t, tx.PutAnswer(q.Statement.Hash, flow.AnswerRecord{Number: 2, By: "k2", Statement: answer, Sealed: carnet.Hash{6}, Bytes: 99}))
		require.NoError(t, tx.PutCheck(q.Statement.Hash, 3, "k3", check.Hash))
		return tx.PutDecision(q.Statement.Hash, "k1", decision.Hash)
	})
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetQuery(q.Statement.Hash)
		require.NoError(t, err)
		require.Equal(t, q, got)
		_, err = tx.GetQuery(carnet.Hash{99})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		h, err := tx.QueryOf("b1", carnet.Hash{1})
		require.NoError(t, err)
		require.Equal(t, q.Statement.Hash, h)
		open, err := tx.QueriesIn(flow.QueryComputing, flow.QueryReleasing)
		require.NoError(t, err)
		require.Equal(t, []flow.QueryRecord{recs[0], recs[2]}, open)
		list, err := tx.ListQueries("b0", 1<<62, 10)
		require.NoError(t, err)
		require.Equal(t, []flow.QueryRecord{recs[2], recs[0]}, list)
		list, err = tx.ListQueries("", 2, 1)
		require.NoError(t, err)
		require.Equal(t, []flow.QueryRecord{q}, list)
		as, err := tx.Answers(q.Statement.Hash)
		require.NoError(t, err)
		require.Equal(t, []flow.AnswerRecord{{Number: 2, By: "k2", Statement: answer, Sealed: carnet.Hash{6}, Bytes: 99}}, as)
		cs, err := tx.Checks(q.Statement.Hash)
		require.NoError(t, err)
		require.Equal(t, []flow.CheckRecord{{Number: 3, By: "k3", Statement: check}}, cs)
		ds, err := tx.Decisions(q.Statement.Hash)
		require.NoError(t, err)
		require.Equal(t, []flow.DecisionRecord{{By: "k1", Statement: decision}}, ds)
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error {
		return tx.PutAnswer(q.Statement.Hash, flow.AnswerRecord{Number: 2, By: "k2", Statement: decision})
	}), "a keyholder answers once")
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error {
		return tx.PutCheck(q.Statement.Hash, 3, "k3", decision.Hash)
	}), "and checks once")
}
