// Package storetest says what a store must do, as a test.
package storetest

import (
	"context"
	"fmt"
	"testing"

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
		{"texts with any characters", anyText},
		{"statements of parties", parties},
		{"dealings", dealings},
		{"resharings", resharings},
		{"uploads and blocks", uploads},
		{"datasets", datasets},
		{"products", products},
		{"queries", queries},
		{"charges", charges},
		{"privacy budgets", privacyBudgets},
		{"co-signatures", cosignatures},
		{"notes", notes},
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

func put0(tx flow.Tx) flow.Stored {
	env := statement(1000)
	ref, _ := tx.Append(env)
	return flow.Stored{Ref: ref, Envelope: env}
}
