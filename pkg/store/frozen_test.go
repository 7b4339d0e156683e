package store_test

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// silent stands between a gateway and its server, and can swallow what the server says.
type silent struct {
	address string

	mu     sync.Mutex
	moved  *sync.Cond
	frozen bool
}

func newSilent(t *testing.T, address string) *silent {
	u, err := url.Parse(address)
	require.NoError(t, err)
	const socket = ".s.PGSQL.5432"
	dir, server := t.TempDir(), filepath.Join(u.Query().Get("host"), socket)
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	u.RawQuery = url.Values{"host": {dir}}.Encode()
	s := &silent{address: u.String()}
	s.moved = sync.NewCond(&s.mu)
	t.Cleanup(func() { s.freeze(false) })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("unix", server)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				defer behind.Close()
				_, _ = io.Copy(behind, client)
			}()
			go func() {
				defer client.Close()
				_, _ = io.Copy(thawed{s, client}, behind)
			}()
		}
	}()
	return s
}

func (s *silent) freeze(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = on
	s.moved.Broadcast()
}

// thawed writes nothing while the server is silent.
type thawed struct {
	s *silent
	io.Writer
}

func (w thawed) Write(b []byte) (int, error) {
	w.s.mu.Lock()
	for w.s.frozen {
		w.s.moved.Wait()
	}
	w.s.mu.Unlock()
	return w.Writer.Write(b)
}

// TestSilentServer: a server that says nothing any more, wherever a transaction is, holds
// neither changes nor readers up for ever, and both go on when it speaks again.
func TestSilentServer(t *testing.T) {
	server := newSilent(t, postgres.Fresh(t))
	s := openAt(t, server.address)
	s.Limit(200 * time.Millisecond)
	n := 0
	try := func(what string, do func() error) {
		failed := make(chan error, 1)
		go func() { failed <- do() }()
		select {
		case err := <-failed:
			require.Equal(t, "STORE_UNAVAILABLE", carnet.ReasonOf(err), "%s: %v", what, err)
		case <-time.After(time.Minute):
			require.Fail(t, "it waits for ever", what)
		}
		server.freeze(false)
		require.Eventually(t, func() bool { n++; return journal(s, n) == nil }, time.Minute, 10*time.Millisecond, what)
		require.Eventually(t, func() bool {
			return s.View(t.Context(), func(tx flow.Tx) error { _, err := tx.Tree(); return err }) == nil
		}, 20*time.Second, 10*time.Millisecond, what)
	}
	at := func(step int, now int) {
		if step == now {
			server.freeze(true)
		}
	}
	for step := range 3 { // before BEGIN, before a statement, before COMMIT
		try("a change", func() error {
			at(step, 0)
			return s.Update(t.Context(), func(tx flow.Tx) error {
				at(step, 1)
				_, err := tx.Append(note(-1 - step))
				at(step, 2)
				return err
			})
		})
		try("a reader", func() error {
			at(step, 0)
			return s.View(t.Context(), func(tx flow.Tx) error {
				at(step, 1)
				_, err := tx.Entries(0, 1)
				at(step, 2)
				return err
			})
		})
	}
	have := map[string]int{}
	for _, e := range entries(t, s) {
		have[e]++
		require.Equal(t, 1, have[e])
	}
	// A change whose commit was not answered may have been made. Repeated, it is found.
	require.NoError(t, s.Update(t.Context(), func(tx flow.Tx) error {
		if _, err := tx.Statement(note(-3).Hash()); err == nil || carnet.KindOf(err) != carnet.NotFound {
			return err
		}
		_, err := tx.Append(note(-3))
		return err
	}))
}
