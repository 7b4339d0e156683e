package flow_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

// changedWords are columns with a wrong word in every chunk, until they are doubted.
type changedWords struct {
	flow.Columns

	mu      sync.Mutex
	doubted map[carnet.Nonce]bool
}

func (c *changedWords) Doubt(nonce carnet.Nonce) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doubted[nonce] = true
	c.Columns.Doubt(nonce)
}

func (c *changedWords) Chunk(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32, chunk, limb int) ([]uint64, func(), error) {
	words, release, err := c.Columns.Chunk(ctx, f, root, column, chunk, limb)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || c.doubted[f.Nonce()] {
		return words, release, err
	}
	words = slices.Clone(words)
	words[0] ^= 1
	return words, release, nil
}

func (c *changedWords) Constants(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32) ([]uint64, error) {
	sums, err := c.Columns.Constants(ctx, f, root, column)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && !c.doubted[f.Nonce()] {
		sums[0] ^= 1
	}
	return sums, err
}

// publicValues asks for a sum, has two keyholders answer, who say that they computed
// the given values, and returns those of the gateway.
func publicValues(t *testing.T, n *flowtest.Network, table *flowtest.Table, attested []byte) []byte {
	q := n.Ask("SELECT SUM(value) FROM trade", "trade", table)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	waitFor(t, n, ref.Hash, flow.QueryReleasing)
	for _, number := range []int{1, 2} {
		k := n.Committee.Members[number-1]
		env, sealed := n.Answer(ref.Hash, q, number, table)
		var a carnet.Answer
		require.NoError(t, env.Decode(carnet.TypeAnswer, &a))
		digest := carnet.Digest("carnet/answers/z/1", attested)
		a.Attested = &digest
		_, err = n.G.SubmitAnswer(ctx, n.Parties[k], n.Seal(carnet.TypeAnswer, a, k), sealed, attested)
		require.NoError(t, err)
	}
	f, err := n.G.FetchAnswer(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	return f.Values
}

// unread are columns of which no word is read.
type unread struct {
	flow.Columns
	t *testing.T
}

func (u unread) Chunk(_ context.Context, f *columnfile.File, _ carnet.Hash, column uint32, _, _ int) ([]uint64, func(), error) {
	u.t.Errorf("column %d of %s is read", column, f.Nonce())
	return nil, nil, carnet.E(carnet.Internal, "STORAGE_DAMAGED", "read")
}

// A linear query over records needs the sums that were stored when the dataset was
// published, also after a restart, and gives the values that come of the words.
func TestLinearQueriesReadStoredSums(t *testing.T) {
	n := flowtest.New(t)
	table := n.Publish("kz", "trade", carnet.LayoutRecords, rows)
	n.Product("trade", "kz", "kz/trade")
	var values [][]byte
	for _, columns := range []flow.Columns{unread{n.Config.Columns, t}, &withoutSums{n.Config.Columns}} {
		c := n.Config
		c.Columns = columns
		g, err := flow.New(c)
		require.NoError(t, err)
		n.G = g
		ctx, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { defer close(done); _ = g.Run(ctx) }()
		values = append(values, publicValues(t, n, table, []byte("what the keyholders computed")))
		stop()
		<-done
	}
	require.Equal(t, values[1], values[0])
}

// withoutSums makes the sums of a column anew.
type withoutSums struct{ flow.Columns }

func (w *withoutSums) Constants(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32) ([]uint64, error) {
	out := make([]uint64, f.Profile().Limbs())
	for l := range out {
		q := f.Prime(uint32(l))
		for chunk := range f.Chunks() {
			words, release, err := w.Chunk(ctx, f, root, column, chunk, l)
			if err != nil {
				return nil, err
			}
			for _, v := range words {
				out[l] = (out[l] + v) % q
			}
			release()
		}
	}
	return out, nil
}

// Words that changed in memory after they were verified make wrong public values. When a
// keyholder attests others, nothing that is kept of them is used again.
func TestDoubtForgetsWhatIsKept(t *testing.T) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		t.Run(string(layout), func(t *testing.T) {
			n := flowtest.New(t)
			table := n.Publish("kz", "trade", layout, rows)
			n.Product("trade", "kz", "kz/trade")
			c := n.Config
			c.Columns = &changedWords{Columns: c.Columns, doubted: map[carnet.Nonce]bool{}}
			g, err := flow.New(c)
			require.NoError(t, err)
			n.G = g
			run(t, g)
			values := func(attested []byte) []byte { return publicValues(t, n, table, attested) }
			wrong := values([]byte("what the keyholders computed"))
			right := values([]byte("what the keyholders computed"))
			require.NotEqual(t, wrong, right)
			require.Equal(t, right, values(right))
		})
	}
}
