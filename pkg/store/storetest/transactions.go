package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

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
