package carnettest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/carnet-network/carnet/pkg/blob"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnstore"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/policy/gate"
	"github.com/carnet-network/carnet/pkg/policy/report"
	"github.com/carnet-network/carnet/pkg/server"
	"github.com/carnet-network/carnet/pkg/store"
	"github.com/carnet-network/carnet/pkg/tlog"
)

// Gateway is the network's gateway. It keeps its address over restarts.
type Gateway struct {
	Dir   string // database and blobs
	Store *store.Store
	Flow  *flow.Gateway

	n          *Network
	tls        *tls.Config
	grpc, rest string
	blobs      *blob.Bucket
	columns    *columnstore.Store
	log        *tlog.Log
	stop       context.CancelFunc
	group      *errgroup.Group
}

func newGateway(t testing.TB, n *Network) *Gateway {
	g := &Gateway{Dir: filepath.Join(n.Dir, "gateway"), n: n, tls: n.certs.server(t), grpc: "127.0.0.1:0", rest: "127.0.0.1:0"}
	require.NoError(t, os.MkdirAll(g.Dir, 0o700))
	t.Cleanup(func() { g.Stop(t) })
	return g
}

// Address is where gRPC is served.
func (g *Gateway) Address() string { return g.grpc }

// REST is the base of REST's URLs.
func (g *Gateway) REST() string { return "https://" + g.rest }

// Database is the gateway's SQLite file, or where else its database is.
func (g *Gateway) Database() string {
	if g.n.Store != "" {
		return g.n.Store
	}
	return filepath.Join(g.Dir, "gateway.db")
}

// BlobDir is the folder of corrections, sealed seeds and answers.
func (g *Gateway) BlobDir() string { return filepath.Join(g.Dir, "blobs") }

// ColumnDir is the folder of column files.
func (g *Gateway) ColumnDir() string { return filepath.Join(g.Dir, "columns") }

// LogDir is the folder of the transparency log.
func (g *Gateway) LogDir() string { return filepath.Join(g.Dir, "log") }

// Start starts the gateway as its program does: recover, then compute and serve.
func (g *Gateway) Start(t testing.TB) {
	t.Helper()
	var err error
	ctx, cancel := context.WithCancel(context.Background())
	g.Store, err = store.Open(ctx, g.Database())
	require.NoError(t, err)
	g.blobs, err = blob.OpenDir(g.BlobDir())
	require.NoError(t, err)
	var blobs flow.Blobs = g.blobs
	if g.n.Blobs != nil {
		blobs = g.n.Blobs(blobs)
	}
	g.columns, err = columnstore.Open(g.ColumnDir(), g.n.Storage)
	require.NoError(t, err)
	log := g.n.Logger("gateway")
	g.log, err = tlog.Open(ctx, g.LogDir(), tlog.Options{Logger: log})
	require.NoError(t, err)
	decide := g.n.Policy
	if g.n.Rules != nil {
		decide = gate.New(g.n.Rules, g.Store, Operator)
	}
	if g.n.Around != nil {
		decide = g.n.Around(decide)
	}
	g.Flow, err = flow.New(flow.Config{
		Store: g.Store, Blobs: blobs, Columns: g.columns, Log: g.log, Registrar: g.n.identities[Registrar].Public(), Operator: Operator,
		Signer: g.n.identities[Operator], Policy: decide, AskKeyholders: g.n.Policy != nil, Workers: 2, Computations: 2, Memory: 256 << 20, Logger: log,
	})
	require.NoError(t, err)
	require.NoError(t, g.Flow.Recover(ctx))
	s, err := server.New(server.Config{Gateway: g.Flow, Tiles: g.log, TLS: g.tls, Logger: log,
		Reports: map[string]server.Report{"text/html": {Of: report.Reported, Write: report.HTML}, "text/plain": {Of: report.Reported, Write: report.Plain}}})
	require.NoError(t, err)
	l := server.Listeners{GRPC: listen(t, g.grpc), REST: listen(t, g.rest)}
	g.grpc, g.rest = l.GRPC.Addr().String(), l.REST.Addr().String()
	g.group, ctx = errgroup.WithContext(ctx)
	g.group.Go(func() error { return g.Flow.Run(ctx) })
	g.group.Go(func() error { return s.Serve(ctx, l) })
	g.stop = cancel
}

// listen takes the same port again after a restart, as soon as it is free.
func listen(t testing.TB, addr string) (l net.Listener) {
	t.Helper()
	Eventually(t, "the port "+addr, 10*time.Second, func() bool {
		var err error
		l, err = net.Listen("tcp", addr)
		return err == nil
	})
	return l
}

// Stop ends the gateway in an orderly way. It may be started again.
func (g *Gateway) Stop(t testing.TB) {
	t.Helper()
	if g.stop == nil {
		return
	}
	g.stop()
	if err := g.group.Wait(); err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	g.stop = nil
	require.NoError(t, g.Store.Close())
	require.NoError(t, g.blobs.Close())
	require.NoError(t, g.columns.Close())
	require.NoError(t, g.log.Close())
}

// Restart stops the gateway and starts it anew from what is on disk.
func (g *Gateway) Restart(t testing.TB) {
	t.Helper()
	g.Stop(t)
	g.Start(t)
}

// Inject appends statements to the journal behind the back of every check, as an
// operator with access to the database could, and writes what put adds.
func (g *Gateway) Inject(t testing.TB, put func(flow.Tx) error, envs ...*evidence.Envelope) {
	t.Helper()
	ctx := Context(t)
	require.NoError(t, g.Store.Update(ctx, func(tx flow.Tx) error {
		for _, e := range envs {
			if _, err := tx.Append(e); err != nil {
				return err
			}
		}
		if put != nil {
			return put(tx)
		}
		return nil
	}))
	g.Nudge(t)
}

// Nudge adds an entry to the journal in the regular way, so that followers look.
func (g *Gateway) Nudge(t testing.TB) {
	t.Helper()
	var b [8]byte
	_, err := rand.Read(b[:])
	require.NoError(t, err)
	id := carnet.PartyID("nudge-" + carnet.Digest("nudge", b[:]).String()[:12])
	i, err := ident.New(id, rand.Reader)
	require.NoError(t, err)
	g.n.Register(t, carnet.Party{ID: id, Name: "somebody", Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleBuyer}, SigningKey: i.Public(), Created: now()}, i)
}

// Journal returns every entry.
func (g *Gateway) Journal(t testing.TB) (all []evidence.Entry) {
	t.Helper()
	require.NoError(t, g.Store.View(Context(t), func(tx flow.Tx) (err error) {
		all, err = tx.Entries(0, 1<<20)
		return err
	}))
	return all
}
