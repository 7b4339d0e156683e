// Package storetest says what a store must do, as a test.
package storetest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"golang.org/x/mod/sumdb/note"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

// Opener opens the database of one test, again and again if asked: the second call
// sees what the first one left behind. The previous store is closed by the caller.
type Opener func() Closer

// Closer is a store that can be closed.
type Closer interface {
	flow.Store
	Close() error
}

// Run checks a store. fresh returns the opener of a new, empty database.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, open Opener)
	}{
		{"journal is a chain", journal},
		{"all or nothing", atomic},
		{"what is committed survives", durable},
		{"writers follow each other", serial},
		{"failing changes undo themselves only", mixed},
		{"reading is one consistent state", snapshot},
		{"a name is given once, to a journaled statement", named},
		{"dealings", dealings},
		{"resharings", resharings},
		{"uploads and blocks", uploads},
		{"datasets", datasets},
		{"products", products},
		{"queries", queries},
		{"charges", charges},
		{"privacy budgets", privacyBudgets},
		{"co-signatures", cosignatures},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

var ctx = context.Background()

func start(t *testing.T, open Opener) flow.Store {
	s := open()
	t.Cleanup(func() { s.Close() })
	return s
}

// statement makes an envelope; stores do not look inside.
func statement(n int) *evidence.Envelope {
	return &evidence.Envelope{PayloadType: carnet.TypeSchema, Payload: fmt.Appendf(nil, `{"n":%d}`, n),
		Signatures: []evidence.Signature{{KeyID: "k", Sig: []byte{byte(n)}}}}
}

func update(t *testing.T, s flow.Store, do func(tx flow.Tx) error) {
	t.Helper()
	require.NoError(t, s.Update(ctx, do))
}

func view(t *testing.T, s flow.Store, do func(tx flow.Tx)) {
	t.Helper()
	require.NoError(t, s.View(ctx, func(tx flow.Tx) error { do(tx); return nil }))
}

// put journals statement n.
func put(t *testing.T, s flow.Store, n int) (st flow.Stored) {
	t.Helper()
	update(t, s, func(tx flow.Tx) (err error) {
		st.Envelope = statement(n)
		st.Ref, err = tx.Append(st.Envelope)
		return err
	})
	return st
}

func journal(t *testing.T, open Opener) {
	s := start(t, open)
	for n := range 5 {
		ref := put(t, s, n)
		require.EqualValues(t, n, ref.Seq)
		require.Equal(t, statement(n).Hash(), ref.Hash)
	}
	view(t, s, func(tx flow.Tx) {
		entries, err := tx.Entries(0, 100)
		require.NoError(t, err)
		require.Len(t, entries, 5)
		var tree evidence.Tree
		salts := map[carnet.Hash]bool{}
		for i := range entries {
			had, err := tx.TreeAt(int64(i))
			require.NoError(t, err)
			require.Equal(t, tree.Checkpoint(), had.Checkpoint())
			require.NoError(t, tree.Append(&entries[i]))
			require.Equal(t, statement(i), entries[i].Envelope)
			require.False(t, entries[i].Salt.IsZero())
			salts[entries[i].Salt] = true
		}
		require.Len(t, salts, 5, "every entry has a salt of its own")
		have, err := tx.Tree()
		require.NoError(t, err)
		require.Equal(t, tree, have)
		entries, err = tx.Entries(3, 1)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.EqualValues(t, 3, entries[0].Seq)
		_, err = tx.TreeAt(6)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		got, err := tx.Statement(statement(2).Hash())
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Seq)
		_, err = tx.Statement(carnet.Hash{1})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { _, err := tx.Append(statement(1)); return err }), "a statement is journaled once")
}

func atomic(t *testing.T, open Opener) {
	s := start(t, open)
	stop := errors.New("stop")
	require.ErrorIs(t, s.Update(ctx, func(tx flow.Tx) error {
		ref, err := tx.Append(statement(0))
		require.NoError(t, err)
		require.NoError(t, tx.PutNamed(flow.NamedParty, "a", ref.Hash))
		_, err = tx.GetNamed(flow.NamedParty, "a")
		require.NoError(t, err, "a transaction sees its own writes")
		return stop
	}), stop)
	require.Panics(t, func() {
		_ = s.Update(ctx, func(tx flow.Tx) error { _, _ = tx.Append(statement(0)); panic("crash") })
	})
	view(t, s, func(tx flow.Tx) {
		tree, err := tx.Tree()
		require.NoError(t, err)
		require.Zero(t, tree)
	})
	require.EqualValues(t, 0, put(t, s, 0).Seq)
}

func durable(t *testing.T, open Opener) {
	s := open()
	ref := put(t, s, 7)
	require.NoError(t, s.Close())
	s = open()
	defer s.Close()
	view(t, s, func(tx flow.Tx) {
		got, err := tx.Statement(ref.Hash)
		require.NoError(t, err)
		require.Equal(t, statement(7), got.Envelope)
	})
	require.EqualValues(t, 1, put(t, s, 8).Seq)
}

func serial(t *testing.T, open Opener) {
	s := start(t, open)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			if err := s.Update(ctx, func(tx flow.Tx) error { _, err := tx.Append(statement(i)); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	view(t, s, func(tx flow.Tx) {
		entries, err := tx.Entries(0, 100)
		require.NoError(t, err)
		var tree evidence.Tree
		for i := range entries {
			require.NoError(t, tree.Append(&entries[i]))
		}
		have, err := tx.Tree()
		require.NoError(t, err)
		require.Equal(t, tree, have)
		require.EqualValues(t, 24, tree.Size())
	})
}

// mixed: changes that fail, panic or are given up among others that come at the same
// time undo nothing but themselves.
func mixed(t *testing.T, open Opener) {
	s := start(t, open)
	fault := errors.New("no")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			defer func() {
				if r := recover(); (r != nil) != (i%5 == 3) {
					t.Errorf("change %d: %v", i, r)
				}
			}()
			c, want := ctx, error(nil)
			if i%5 == 1 {
				want = fault
			}
			if i%5 == 2 {
				c, want = gone, context.Canceled
			}
			err := s.Update(c, func(tx flow.Tx) error {
				_, err := tx.Append(statement(i))
				switch {
				case err != nil:
					return err
				case i%5 == 1:
					return fault
				case i%5 == 3:
					panic("crash")
				}
				return nil
			})
			if !errors.Is(err, want) {
				t.Errorf("change %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	view(t, s, func(tx flow.Tx) {
		entries, err := tx.Entries(0, 100)
		require.NoError(t, err)
		require.Len(t, entries, 24)
		var tree evidence.Tree
		for i := range entries {
			require.NoError(t, tree.Append(&entries[i]))
		}
		have, err := tx.Tree()
		require.NoError(t, err)
		require.Equal(t, tree, have)
		for i := range 60 {
			_, err := tx.Statement(statement(i).Hash())
			require.Equal(t, i%5 == 0 || i%5 == 4, err == nil, "statement %d: %v", i, err)
		}
	})
	put(t, s, 100)
}

func snapshot(t *testing.T, open Opener) {
	s := start(t, open)
	put(t, s, 0)
	view(t, s, func(tx flow.Tx) {
		before, err := tx.Tree()
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			done <- s.Update(ctx, func(tx flow.Tx) error { _, err := tx.Append(statement(1)); return err })
		}()
		require.NoError(t, <-done, "a reader does not hold writers up")
		after, err := tx.Tree()
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
}

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

func uploads(t *testing.T, open Opener) {
	s := start(t, open)
	u := flow.Upload{Nonce: carnet.Nonce{1}, Owner: "o", Dataset: "o/d", Profile: "cube", Columns: 3, Blocks: 2,
		State: flow.UploadPending, Active: time.Unix(100, 5).UTC()}
	update(t, s, func(tx flow.Tx) error { return tx.PutUpload(u) })
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutUpload(u) }))
	update(t, s, func(tx flow.Tx) error {
		for _, i := range []int64{4, 0} {
			added, err := tx.PutPieceHash(u.Nonce, flow.PieceHash{Index: i, Hash: carnet.Hash{byte(i + 1)}})
			require.NoError(t, err)
			require.True(t, added)
		}
		added, err := tx.PutPieceHash(u.Nonce, flow.PieceHash{Index: 4, Hash: carnet.Hash{5}})
		require.NoError(t, err)
		require.False(t, added)
		_, err = tx.PutPieceHash(u.Nonce, flow.PieceHash{Index: 4, Hash: carnet.Hash{6}})
		require.Equal(t, carnet.Exists, carnet.KindOf(err))
		return nil
	})
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetUpload(u.Nonce)
		require.NoError(t, err)
		require.Equal(t, u, got)
		_, err = tx.GetUpload(carnet.Nonce{2})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		hashes, err := tx.PieceHashes(u.Nonce)
		require.NoError(t, err)
		require.Equal(t, []flow.PieceHash{{Index: 0, Hash: carnet.Hash{1}}, {Index: 4, Hash: carnet.Hash{5}}}, hashes)
		h, err := tx.GetPieceHash(u.Nonce, 1)
		require.NoError(t, err)
		require.True(t, h.IsZero())
		for at, want := range map[int64]int{99: 0, 101: 1} {
			pending, err := tx.Uploads(flow.UploadPending, time.Unix(at, 0))
			require.NoError(t, err)
			require.Len(t, pending, want)
		}
	})
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.DeletePieceHash(u.Nonce, 0))
		require.NoError(t, tx.TouchUpload(u.Nonce, time.Unix(200, 0)))
		return tx.SetUploadState(u.Nonce, flow.UploadCommitted, carnet.Hash{8})
	})
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetUpload(u.Nonce)
		require.NoError(t, err)
		require.Equal(t, flow.UploadCommitted, got.State)
		require.Equal(t, carnet.Hash{8}, got.Manifest)
		require.Equal(t, time.Unix(200, 0).UTC(), got.Active)
		pending, err := tx.Uploads(flow.UploadPending, time.Unix(1000, 0))
		require.NoError(t, err)
		require.Empty(t, pending)
		hashes, err := tx.PieceHashes(u.Nonce)
		require.NoError(t, err)
		require.Len(t, hashes, 1)
	})
	update(t, s, func(tx flow.Tx) error { return tx.DeletePieceHashes(u.Nonce) })
}

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

func put0(tx flow.Tx) flow.Stored {
	env := statement(1000)
	ref, _ := tx.Append(env)
	return flow.Stored{Ref: ref, Envelope: env}
}

func cosignatures(t *testing.T, open Opener) {
	s := start(t, open)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	published := func(size int64) *evidence.SignedCheckpoint {
		c, err := evidence.SignCheckpoint("example.org/log", carnet.Checkpoint{Size: size, Head: carnet.Hash{byte(size)}}, signer(key))
		require.NoError(t, err)
		return c
	}
	for size := range int64(300) {
		update(t, s, func(tx flow.Tx) error { return tx.PutCheckpoint(published(size)) })
	}
	sign := func(by carnet.PartyID) note.Signature {
		return note.Signature{Name: string(by), Hash: 1 << 31, Base64: "AA=="}
	}
	add := func(size int64, by carnet.PartyID) (added bool) {
		update(t, s, func(tx flow.Tx) (err error) { added, err = tx.PutCosignature(size, by, sign(by)); return err })
		return added
	}
	require.True(t, add(295, "k2"))
	require.True(t, add(295, "k1"))
	require.False(t, add(295, "k1"))
	require.True(t, add(299, "k1"))
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { _, err := tx.PutCosignature(1000, "k1", sign("k1")); return err }), "of no checkpoint")
	both := published(295)
	both.Signatures = append(both.Signatures, sign("k1"), sign("k2"))
	view(t, s, func(tx flow.Tx) {
		list, err := tx.RecentPublished(5)
		require.NoError(t, err)
		require.Len(t, list, 5)
		require.Equal(t, []carnet.PartyID{"k1"}, list[0].Signers)
		require.Equal(t, flow.Published{SignedCheckpoint: published(298)}, list[1])
		require.Equal(t, flow.Published{SignedCheckpoint: both, Signers: []carnet.PartyID{"k1", "k2"}}, list[4])
		at, err := tx.PublishedAt(295)
		require.NoError(t, err)
		require.Equal(t, list[4], at)
		at, err = tx.PublishedAt(50)
		require.NoError(t, err)
		require.Equal(t, flow.Published{SignedCheckpoint: published(50)}, at)
		_, err = tx.PublishedAt(20)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err), "old ones that nobody signed are dropped")
	})
	// One that was signed stays.
	require.True(t, add(50, "k1"))
	for size := int64(300); size < 600; size++ {
		update(t, s, func(tx flow.Tx) error { return tx.PutCheckpoint(published(size)) })
	}
	view(t, s, func(tx flow.Tx) {
		_, err := tx.PublishedAt(50)
		require.NoError(t, err)
		_, err = tx.PublishedAt(51)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	})
}

type signer ed25519.PrivateKey

func (s signer) Public() ed25519.PublicKey { return ed25519.PrivateKey(s).Public().(ed25519.PublicKey) }
func (s signer) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(s), message), nil
}
