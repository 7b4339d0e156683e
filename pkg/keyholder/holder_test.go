package keyholder

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

// connect serves the gateway to one keyholder over memory.
func (g *gateway) connect(t *testing.T, number int) *grpc.ClientConn {
	t.Helper()
	m := &member{gateway: g, number: number}
	srv := grpc.NewServer()
	apiv1.RegisterJournalServiceServer(srv, m)
	apiv1.RegisterReleaseServiceServer(srv, m)
	apiv1.RegisterDealingServiceServer(srv, m)
	apiv1.RegisterDatasetServiceServer(srv, m)
	apiv1.RegisterApprovalServiceServer(srv, m)
	apiv1.RegisterReshareServiceServer(srv, m)
	lis := bufconn.Listen(1 << 20)
	go srv.Serve(lis)
	t.Cleanup(srv.Stop)
	conn, err := grpc.NewClient("passthrough:///gateway", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// holder is a real keyholder under test.
type holder struct {
	*Keyholder
	g      *gateway
	number int
	dir    string
	store  keys.Store
	logs   *lockedBuffer
	stop   func() error
	dead   chan struct{} // closed when Run returned
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// prepare makes keyholder number without running it.
func (g *gateway) prepare(t *testing.T, number int, dir string, change ...func(*Config)) *holder {
	t.Helper()
	g.mu.Lock()
	g.live[number] = true
	g.mu.Unlock()
	h := &holder{g: g, number: number, dir: dir, store: g.w.stores()[number-1], logs: &lockedBuffer{}}
	return h.again(t, change...)
}

// again makes the keyholder anew from its ledger and keystore, as after a restart.
func (h *holder) again(t *testing.T, change ...func(*Config)) *holder {
	t.Helper()
	id := carnet.PartyID(fmt.Sprintf("kh%d", h.number))
	ledger, err := OpenLedger(t.Context(), filepath.Join(h.dir, "ledger.db"), id, h.g.w.registrar.Public())
	require.NoError(t, err)
	t.Cleanup(func() { ledger.Close() })
	cfg := Config{Party: id, Registrar: h.g.w.registrar.Public(), Keys: h.store, Ledger: ledger, Gateway: h.g.connect(t, h.number),
		Workers: 2, Now: func() time.Time { return testTime.Add(time.Minute) },
		Log: slog.New(slog.NewTextHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, c := range change {
		c(&cfg)
	}
	n := &holder{g: h.g, number: h.number, dir: h.dir, store: h.store, logs: h.logs}
	n.Keyholder, err = New(t.Context(), cfg)
	require.NoError(t, err)
	n.quiet, n.retry, n.tick = 20*time.Millisecond, 20*time.Millisecond, time.Millisecond
	return n
}

// start runs the keyholder in the background until stop or the end of the test.
func (h *holder) start(t *testing.T) *holder {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	h.dead = make(chan struct{})
	go func() { done <- h.Run(ctx); close(h.dead) }()
	var once sync.Once
	var result error
	h.stop = func() error {
		cancel()
		once.Do(func() {
			select {
			case result = <-done:
			case <-time.After(time.Minute):
				t.Error("the keyholder does not stop")
			}
		})
		return result
	}
	t.Cleanup(func() {
		h.stop()
		if t.Failed() {
			t.Log(h.logs.String())
		}
	})
	return h
}

func (g *gateway) run(t *testing.T, number int, change ...func(*Config)) *holder {
	t.Helper()
	return g.prepare(t, number, t.TempDir(), change...).start(t)
}

// refused waits for the keyholder's refusal and returns its reason.
func (g *gateway) refused(t *testing.T, query *evidence.Envelope) carnet.Decision {
	t.Helper()
	h := query.Hash()
	g.wait(t, "refusal", func() bool { return len(g.decisions[h]) > 0 || len(g.answers[h]) > 0 })
	require.Empty(t, g.got(h), "answered instead of refused")
	return g.said(h)[0]
}

// answered waits for n deliveries of answers.
func (g *gateway) answered(t *testing.T, query *evidence.Envelope, n int) []*received {
	t.Helper()
	h := query.Hash()
	g.wait(t, "answer", func() bool { return len(g.answers[h]) >= n || len(g.decisions[h]) > 0 })
	require.Empty(t, g.said(h), "refused instead of answered")
	return g.got(h)
}

const (
	waitLimit = 2 * time.Minute
	waitStep  = 10 * time.Millisecond
)

// got lists the deliveries of answers to some queries so far, of all without any.
func (g *gateway) got(queries ...carnet.Hash) (out []*received) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for q, all := range g.answers {
		if len(queries) == 0 || slices.Contains(queries, q) {
			out = append(out, all...)
		}
	}
	return out
}

// said lists refusals likewise.
func (g *gateway) said(queries ...carnet.Hash) (out []carnet.Decision) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for q, all := range g.decisions {
		if len(queries) == 0 || slices.Contains(queries, q) {
			out = append(out, all...)
		}
	}
	return out
}

func (g *gateway) piecesRead() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reads
}
