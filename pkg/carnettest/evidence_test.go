package carnettest

import (
	"bytes"
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/blob"
	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/columnstore"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/monitor"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/verify"
)

// gatewayData is the gateway's own storage as an auditor with a copy of it reads it.
type gatewayData struct {
	*columnstore.Store
	blobs *blob.Bucket
}

func (d *gatewayData) Correction(ctx context.Context, dealing carnet.KeyID, power int) ([]byte, error) {
	return d.blobs.Get(ctx, "dealings/"+dealing.String()+"/"+string(rune('0'+power)))
}

// storage opens the gateway's folders a second time.
func (n *Network) storage(t *testing.T) *gatewayData {
	s, err := columnstore.Open(n.Gateway.ColumnDir(), columnstore.Options{})
	require.NoError(t, err)
	b, err := blob.OpenDir(n.Gateway.BlobDir())
	require.NoError(t, err)
	t.Cleanup(func() { s.Close(); b.Close() })
	return &gatewayData{s, b}
}

// export fetches the bundle of a query as a party does.
func (n *Network) export(t *testing.T, as carnet.PartyID, query carnet.Hash, since *evidence.SignedCheckpoint) []byte {
	t.Helper()
	b, err := n.Client(t, as).Evidence(Context(t), query, client.EvidenceOptions{Since: since, Wait: 20 * time.Second})
	require.NoError(t, err)
	data, err := b.Encode()
	require.NoError(t, err)
	return data
}

func (n *Network) verify(t *testing.T, data []byte, change func(*verify.Options)) *verify.Report {
	t.Helper()
	o := verify.Options{Registrar: n.identities[Registrar].Public(), Scan: scan.Options{Workers: 2}}
	if change != nil {
		change(&o)
	}
	r, err := verify.Verify(Context(t), data, o)
	require.NoError(t, err)
	return r
}

// A query of a running network is exported by its buyer and by the auditor, verified, and
// executed anew from a copy of the ciphertext and through the gateway, sums and products;
// the monitor finds nothing in its log.
func TestEvidenceOfANetwork(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	publishTrade(t, n, carnet.LayoutRecords)
	ctx := Context(t)
	pinned, err := n.Client(t, Auditor).Checkpoint(ctx)
	require.NoError(t, err)
	for product, sql := range map[carnet.ProductID]string{"cube": linearQuery, "records": productQuery} {
		ans := n.Ask(t, "buyer", product, sql)
		data := n.export(t, "buyer", ans.Query, pinned)
		values, err := n.Client(t, "buyer").PublicValues(ctx, ans.Query)
		require.NoError(t, err)
		from := map[string]verify.Data{"a copy": n.storage(t), "the gateway": n.Client(t, Auditor)}
		for where, d := range from {
			r := n.verify(t, data, func(o *verify.Options) {
				o.Pinned, o.Data, o.Values = []carnet.Checkpoint{pinned.Checkpoint}, d, values
			})
			require.Empty(t, r.Failures(), where)
			require.Equal(t, verify.Verified, r.Verdict, "%s: %+v", where, r.Checks)
			require.True(t, r.Query.Released)
		}
		require.Equal(t, verify.Verified, n.verify(t, n.export(t, Auditor, ans.Query, pinned), func(o *verify.Options) {
			o.Pinned, o.Data = []carnet.Checkpoint{pinned.Checkpoint}, from["a copy"]
		}).Verdict)
		wrong := bytes.Clone(values)
		wrong[0] ^= 1
		r := n.verify(t, data, func(o *verify.Options) { o.Data, o.Values = from["a copy"], wrong })
		require.Equal(t, "PUBLIC_VALUES_WRONG", r.Failures()[0].Reason)
		_, err = n.Client(t, "second").Evidence(ctx, ans.Query, client.EvidenceOptions{})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err), "another buyer's query looks absent")
		_, err = n.Client(t, n.Owners[0].ID).Evidence(ctx, ans.Query, client.EvidenceOptions{})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		secretless(t, n, data)
	}
	require.Empty(t, n.monitor(t))
}

// secretless: neither the answer nor anything that opens it is in a bundle.
func secretless(t *testing.T, n *Network, data []byte) {
	b, err := bundle.Decode(data)
	require.NoError(t, err)
	for _, e := range b.Entries {
		require.NotContains(t, string(e.Envelope.Payload), "result")
	}
	require.Empty(t, b.Policies)
	require.Len(t, b.Pieces, len(n.Owners))
}

// monitor reads the whole log as the auditor.
func (n *Network) monitor(t *testing.T) (out []monitor.Finding) {
	t.Helper()
	m := monitor.New(monitor.Options{Registrar: n.identities[Registrar].Public()})
	require.NoError(t, n.Client(t, Auditor).FollowLog(Context(t), 0, true, func(e *evidence.Entry, cp *evidence.SignedCheckpoint) error {
		if e != nil {
			out = append(out, m.Entry(e)...)
		} else {
			out = append(out, m.Noted(cp, "gateway")...)
		}
		return nil
	}))
	return append(out, m.Settle()...)
}

// Executing anew gives the same bits whatever the machine: workers, memory, processors and
// kernels, in Go and in assembly.
func TestExecutionIsBitIdentical(t *testing.T) {
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutRecords)
	ans := n.Ask(t, "buyer", "records", productQuery)
	data := n.export(t, "buyer", ans.Query, nil)
	values, err := n.Client(t, "buyer").PublicValues(Context(t), ans.Query)
	require.NoError(t, err)
	store := n.storage(t)
	profile, err := he.Lookup("records")
	require.NoError(t, err)
	kernels := scan.Kernels(profile)
	require.Contains(t, kernels, "go", "the kernel in Go is among them")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, kernel := range kernels {
		for _, procs := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(procs)
			r := n.verify(t, data, func(o *verify.Options) {
				o.Data, o.Values, o.Scan = store, values, scan.Options{Workers: procs, MaxBytes: 1 << (24 + procs), Kernel: kernel}
			})
			require.Equal(t, verify.Passed, r.Check(verify.CheckRecompute).Status, "%s on %d processors: %v", kernel, procs, r.Failures())
		}
	}
}

// Ciphertext that is not what the owners signed is not executed on, and a gateway whose
// corrections were exchanged is found out.
func TestChangedCiphertextIsFound(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	ans := n.Ask(t, "buyer", "cube", linearQuery)
	data := n.export(t, "buyer", ans.Query, nil)
	d := &changedData{gatewayData: n.storage(t)}
	r := n.verify(t, data, func(o *verify.Options) { o.Data = d })
	require.Equal(t, "PUBLIC_VALUES_WRONG", r.Failures()[0].Reason, "whoever serves other words than those of the root")
	d.correction = true
	r = n.verify(t, data, func(o *verify.Options) { o.Data = d })
	require.Equal(t, "CORRECTIONS_DIFFER", r.Failures()[0].Reason)
}

// changedData changes a bit of everything that it serves.
type changedData struct {
	*gatewayData
	correction bool
}

func (c *changedData) Chunk(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32, chunk, limb int) ([]uint64, func(), error) {
	words, release, err := c.gatewayData.Chunk(ctx, f, root, column, chunk, limb)
	if err != nil {
		return nil, nil, err
	}
	changed := append([]uint64(nil), words...)
	for i := range changed {
		if changed[i] > 0 {
			changed[i]--
		}
	}
	return changed, release, nil
}

func (c *changedData) Correction(ctx context.Context, dealing carnet.KeyID, power int) ([]byte, error) {
	b, err := c.gatewayData.Correction(ctx, dealing, power)
	if c.correction && err == nil {
		b[0] ^= 1
	}
	return b, err
}
