package carnettest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/policy/guard"
)

// Keyholder is one keyholder of the network. Its ledger survives restarts.
type Keyholder struct {
	Number int
	Party  carnet.PartyID
	Keys   keys.Store
	Dir    string
	Attest keyholder.Attest // from the next start on
	// ReshareTo are committees it hands parts on to, from the next start on.
	ReshareTo []string

	n      *Network
	ledger *keyholder.Ledger
	stop   context.CancelFunc
	done   chan struct{}
	err    error // of Run; valid once done is closed
}

func newKeyholder(t testing.TB, n *Network, number int) *Keyholder {
	k := &Keyholder{Number: number, Party: carnet.PartyID(fmt.Sprintf("kh%d", number)), Attest: n.Attest, n: n}
	if n.Keystore != nil {
		k.Keys = n.Keystore(k.Party)
	}
	if k.Keys == nil {
		m, err := keystest.NewMemory(rand.Reader)
		require.NoError(t, err)
		k.Keys = m
	}
	k.Dir = filepath.Join(n.Dir, string(k.Party))
	require.NoError(t, os.MkdirAll(k.Dir, 0o700))
	t.Cleanup(func() { _ = k.Stop(t) }) // some tests stop it by what they do to it
	return k
}

// LedgerFile is the keyholder's SQLite file.
func (k *Keyholder) LedgerFile() string { return filepath.Join(k.Dir, "ledger.db") }

// Start starts the keyholder from its ledger.
func (k *Keyholder) Start(t testing.TB) {
	t.Helper()
	require.NoError(t, k.TryStart(t))
}

// TryStart is Start that may fail, as after the keyholder halted.
func (k *Keyholder) TryStart(t testing.TB) error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l, err := keyholder.OpenLedger(ctx, k.LedgerFile(), k.Party, k.n.identities[Registrar].Public())
	require.NoError(t, err)
	conn := k.n.dial(t, k.Party)
	var sharer keys.Sharer
	if k.n.Sharer != nil {
		sharer = k.n.Sharer(k.Party)
	}
	decide := k.n.Release
	if rules := k.n.Judges[k.Number]; rules != nil {
		decide = guard.New(rules, k.Party)
	}
	h, err := keyholder.New(ctx, keyholder.Config{
		Party: k.Party, Registrar: k.n.identities[Registrar].Public(), Keys: k.Keys, Sharer: sharer, Ledger: l, Gateway: conn, Policy: decide,
		Attest: k.Attest, Workers: 1, CacheBytes: 32 << 20, AccumulatorBytes: 64 << 20, MaxReleases: k.n.MaxReleases, Approval: k.n.Inboxes[k.Number],
		ReshareTo: k.ReshareTo,
		Log:       k.n.Logger(string(k.Party)),
	})
	if err != nil {
		cancel()
		conn.Close()
		require.NoError(t, l.Close())
		return err
	}
	k.ledger, k.stop, k.done = l, cancel, make(chan struct{})
	go func() {
		defer close(k.done)
		k.err = h.Run(ctx)
		conn.Close()
	}()
	return nil
}

// Stop stops the keyholder, if it runs, and returns what Run returned.
func (k *Keyholder) Stop(t testing.TB) error {
	t.Helper()
	if k.stop == nil {
		return nil
	}
	k.stop()
	<-k.done
	k.stop = nil
	require.NoError(t, k.ledger.Close())
	return k.err
}

// Ended reports whether Run has returned by itself.
func (k *Keyholder) Ended() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// Restart stops the keyholder and starts it from its ledger.
func (k *Keyholder) Restart(t testing.TB) {
	t.Helper()
	require.NoError(t, k.Stop(t))
	k.Start(t)
}

// Read gives the ledger for reading, whether the keyholder runs or not.
func (k *Keyholder) Read(t testing.TB, do func(l *keyholder.Ledger)) {
	t.Helper()
	l, err := keyholder.ReadLedger(k.LedgerFile())
	require.NoError(t, err)
	defer l.Close()
	do(l)
}

// Outcome returns what became of a query at this keyholder, nil if undecided.
func (k *Keyholder) Outcome(t testing.TB, query carnet.Hash) (o *keyholder.Outcome) {
	t.Helper()
	k.Read(t, func(l *keyholder.Ledger) {
		var err error
		o, err = l.Outcome(Context(t), query)
		require.NoError(t, err)
	})
	return o
}

// Charged returns how many distinct numbers of a key were ever asked for.
func (k *Keyholder) Charged(t testing.TB, key carnet.KeyID) (n int64) {
	t.Helper()
	k.Read(t, func(l *keyholder.Ledger) {
		var err error
		n, err = l.Charged(Context(t), key, 1<<62)
		require.NoError(t, err)
	})
	return n
}
