package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/meter"
)

// TestBookAfterRestart: what queries use is noted when they are admitted, so that the book
// compiles none after a restart; what was noted otherwise, or is damaged, is worked out
// again; and the book is the same in any case.
func TestBookAfterRestart(t *testing.T) {
	n, tables := twoOwners(t)
	stop := run(t, n.G)
	var queries []carnet.Hash
	for _, sql := range []string{sumSQL, "SELECT COUNT(*) FROM trade"} {
		q := n.Ask(sql, "trade", tables...)
		ref, err := n.Submit(q)
		require.NoError(t, err)
		queries = append(queries, ref.Hash)
		waitFor(t, n, ref.Hash, flow.QueryReleasing)
		for number := 1; number <= 3 && sql == sumSQL; number++ {
			env, sealed := n.Answer(ref.Hash, q, number, tables...)
			_, err = n.G.SubmitAnswer(ctx, n.Parties[carnet.PartyID([]string{"k1", "k2", "k3"}[number-1])], env, sealed, nil)
			require.NoError(t, err)
		}
	}
	stop()
	from := n.Now().Add(-time.Hour)
	n.Advance(time.Hour)
	until := n.Now()
	usage := func() (u carnet.Usage) {
		st, err := n.G.UsageOf(ctx, n.Parties["kz"], "kz/trade", from, until)
		require.NoError(t, err)
		require.NoError(t, st.Envelope.Decode(carnet.TypeUsage, &u))
		return u
	}
	notes := func() (out map[carnet.Hash][]byte) {
		require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) (err error) { out, err = tx.UsesOf(queries); return err }))
		return out
	}
	put := func(query carnet.Hash, b []byte) {
		require.NoError(t, n.Store.Update(ctx, func(tx flow.Tx) error { return tx.PutUses(query, b) }))
	}
	noted := notes()
	require.Len(t, noted, 2, "when they are admitted")
	want := usage()
	require.EqualValues(t, 1, want.Queries)
	require.Equal(t, noted, notes(), "they are not worked out again")
	n.Restart()
	require.Equal(t, want, usage())

	for _, b := range []string{"", "{}", `{"version":0,"needed":2,"uses":null}`, `{"version":1,"needed":0,"uses":[]}`, `{"version":1,"needed":2,"uses":[],"more":1}`} {
		for _, q := range queries {
			put(q, []byte(b))
		}
		n.Restart()
		require.Equal(t, want, usage(), b)
		require.Equal(t, noted, notes(), b)
	}

	// What is noted is used, without a look at the plan.
	u, ok := meter.ParseUsed(noted[queries[0]])
	require.True(t, ok)
	for i := range u.Uses {
		if u.Uses[i].Dataset == "kz/trade" {
			u.Uses[i].Rows += 1000
		}
	}
	b, err := u.Bytes()
	require.NoError(t, err)
	put(queries[0], b)
	n.Restart()
	require.Equal(t, want.Rows+1000, usage().Rows)
}

// TestClockSetBack: nothing is decided or stored with a clock behind the time of the last
// decision, also if it was set back while the gateway was down; the operator's word helps.
func TestClockSetBack(t *testing.T) {
	n, tables := twoOwners(t)
	n.Advance(48 * time.Hour)
	q := n.Ask(sumSQL, "trade", tables...)
	_, err := n.Submit(q)
	require.NoError(t, err)
	n.Advance(-3 * time.Minute)
	again(t, n, 2) // as time services do
	refused := func(n *flowtest.Network) {
		t.Helper()
		_, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
		requireReason(t, "CLOCK_SET_BACK", err)
		require.Equal(t, carnet.Unavailable, carnet.KindOf(err))
		s := *n.Schema
		s.Version = 99
		_, err = n.G.RegisterSchema(ctx, n.Parties["kz"], n.Seal(carnet.TypeSchema, s, "kz"))
		requireReason(t, "CLOCK_SET_BACK", err)
	}
	n.Advance(-24 * time.Hour)
	refused(n)
	n.Restart()
	refused(n)
	n.Advance(24 * time.Hour)
	again(t, n, 3)

	n.Advance(-24 * time.Hour)
	refused(n)
	require.NoError(t, n.G.ForgetClock(ctx))
	again(t, n, 4)
	n.Restart()
	again(t, n, 5)
	n.Advance(-time.Hour)
	n.Restart()
	refused(n)
}
