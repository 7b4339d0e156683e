package flow_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

const (
	bothSQL = "SELECT SUM(value) FROM trade WHERE chapter = '01'"
	kzSQL   = "SELECT SUM(value) FROM trade WHERE chapter = '01' AND owner = 'kz'"
)

// together publishes two tables, of which hk's is told about with another owner's only.
func together(t *testing.T) (*flowtest.Network, []*flowtest.Table) {
	n := flowtest.New(t)
	kz := n.Publish("kz", "trade", carnet.LayoutCube, rows)
	hk := n.Encrypt(n.Deal("hk", carnet.LayoutCube), "trade", carnet.LayoutCube, [][2]int64{{0, 1}, {2, -300}})
	hk.Manifest.Terms.MinOwners = 2
	require.NoError(t, n.Announce(hk))
	_, _, err := n.Upload(hk, hk.Order...)
	require.NoError(t, err)
	_, err = n.Commit(hk)
	require.NoError(t, err)
	n.Product("trade", "kz", "kz/trade", "hk/trade")
	return n, []*flowtest.Table{kz, hk}
}

// The gateway refuses what together with queries before it would tell about one owner; it
// journals its refusal and not the query, and knows after a restart what it admitted.
func TestSubtractionIsRefused(t *testing.T) {
	n, tables := together(t)
	both, kz := n.Ask(bothSQL, "trade", tables...), n.Ask(kzSQL, "trade", tables...)
	ref, err := n.Submit(both)
	require.NoError(t, err)
	_, err = n.Submit(kz)
	requireReason(t, "OVERLAPS_RELEASED", err)
	require.Equal(t, carnet.Refused, carnet.KindOf(err))
	n.Restart()
	_, err = n.Submit(n.Ask(kzSQL, "trade", tables...))
	requireReason(t, "OVERLAPS_RELEASED", err)
	again, err := n.Submit(both)
	require.NoError(t, err)
	require.Equal(t, ref, again)
	_, err = n.Submit(n.Ask(bothSQL, "trade", tables...))
	require.NoError(t, err, "what was answered before can be asked again")
	_, err = n.Submit(n.Ask("SELECT SUM(value) FROM trade WHERE chapter = '02' AND owner = 'kz'", "trade", tables...))
	require.NoError(t, err)
	_, err = n.Submit(n.Ask("SELECT chapter, SUM(value) FROM trade GROUP BY chapter", "trade", tables...))
	requireReason(t, "OVERLAPS_RELEASED", err)

	// Another product with the same tables is the same.
	n.Product("again", "kz", "kz/trade")
	one := n.Ask("SELECT SUM(value) FROM again WHERE chapter = '01'", "again", tables[0])
	_, err = n.Submit(one)
	requireReason(t, "OVERLAPS_RELEASED", err)

	// Explaining does not tell what others asked.
	e, err := n.G.ExplainQuery(context.Background(), n.Parties["bank"], []carnet.ProductID{"trade"}, kzSQL, "statistics")
	require.NoError(t, err)
	require.Empty(t, e.Refusals)
}

// Of queries that are harmless each and not together, sent at once by many and to two
// nodes, only those of one side are admitted.
func TestConcurrentSubtraction(t *testing.T) {
	n, tables := together(t)
	other, err := flow.New(n.Config)
	require.NoError(t, err)
	type sent struct {
		q    *flowtest.Asked
		both bool
	}
	var all []sent
	for i := range 12 {
		sql := bothSQL
		if i%2 == 1 {
			sql = kzSQL
		}
		all = append(all, sent{n.Ask(sql, "trade", tables...), i%2 == 0})
	}
	var mu sync.Mutex
	admitted := map[bool]int{}
	var wg sync.WaitGroup
	for i, s := range all {
		g := n.G
		if i/2%2 == 1 {
			g = other
		}
		env := n.Seal(carnet.TypeQuery, s.q.Body, "bank")
		wg.Go(func() {
			_, err := g.SubmitQuery(context.Background(), n.Parties["bank"], env)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				admitted[s.both]++
			} else if carnet.ReasonOf(err) != "OVERLAPS_RELEASED" && carnet.ReasonOf(err) != "TOO_MANY_QUERIES" {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	require.Len(t, admitted, 1, "one side only")
}

// meddling is a store in which something happens before the next update.
type meddling struct {
	flow.Store
	before func()
}

func (m *meddling) Update(ctx context.Context, do func(flow.Tx) error) error {
	if before := m.before; before != nil {
		m.before = nil
		before()
	}
	return m.Store.Update(ctx, do)
}

// A node that found a query harmless looks again if another node admitted one meanwhile.
func TestAnotherNodeIsFaster(t *testing.T) {
	n, tables := together(t)
	store := &meddling{Store: n.Store}
	c := n.Config
	c.Store = store
	slow, err := flow.New(c)
	require.NoError(t, err)
	store.before = func() {
		_, err := n.Submit(n.Ask(bothSQL, "trade", tables...))
		require.NoError(t, err)
	}
	_, err = slow.SubmitQuery(context.Background(), n.Parties["bank"], n.Seal(carnet.TypeQuery, n.Ask(kzSQL, "trade", tables...).Body, "bank"))
	requireReason(t, "OVERLAPS_RELEASED", err)

	// What has nothing to do with it is admitted all the same.
	store.before = func() {
		_, err := n.Submit(n.Ask("SELECT SUM(value) FROM trade", "trade", tables...))
		require.NoError(t, err)
	}
	_, err = slow.SubmitQuery(context.Background(), n.Parties["bank"], n.Seal(carnet.TypeQuery, n.Ask("SELECT SUM(value) FROM trade WHERE chapter <> '01'", "trade", tables...).Body, "bank"))
	require.NoError(t, err)
}
