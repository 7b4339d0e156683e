// Package flowtest makes small networks for tests: a gateway on a real database and
// real blob storage, parties with keys, and encrypted datasets.
package flowtest

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/blob"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnstore"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/store"
	"github.com/carnet-network/carnet/pkg/tlog"
)

// SchemaYAML is the schema of every network: small enough for one block a column.
const SchemaYAML = `
name: trade
version: 1
title: Trade by chapter
dimensions:
  - name: chapter
    codes: [{value: "01"}, {value: "02"}, {value: "03"}]
measures:
  - name: value
    min: "-1000"
    max: "1000"
limits: {rows: 100000, datasets: 4}
layouts: [records, cube]
`

// Network is a gateway and the parties around it.
type Network struct {
	T         testing.TB
	Dir       string
	G         *flow.Gateway
	Store     flow.Store
	Blobs     *blob.Bucket
	Registrar *ident.Identity
	IDs       map[carnet.PartyID]*ident.Identity
	Parties   map[carnet.PartyID]*carnet.Party
	Sealing   map[carnet.PartyID]*seal.PrivateKey
	Committee carnet.Committee
	Schema    *schema.Schema
	SchemaRef carnet.Hash
	Hash      carnet.Hash // of the committee statement
	Config    flow.Config // what Open gives to flow.New; change and Restart
	Storage   columnstore.Options
	Log       func(flow.Log) flow.Log // what Open gives to flow.New instead of the log; nil: the log

	mu    sync.Mutex
	now   time.Time
	close func()
}

// New makes a network: owners kz and hk, buyer bank, keyholders k1..k3 with
// threshold 2, an auditor, and the operator gateway. All are registered.
func New(t testing.TB) *Network {
	n := Empty(t)
	n.RegisterAll()
	return n
}

// Empty makes the network without registering anything.
func Empty(t testing.TB) *Network {
	n := &Network{T: t, Dir: t.TempDir(), IDs: map[carnet.PartyID]*ident.Identity{}, Parties: map[carnet.PartyID]*carnet.Party{},
		Sealing: map[carnet.PartyID]*seal.PrivateKey{}, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	n.Registrar = n.identity("registrar")
	for id, p := range map[carnet.PartyID]carnet.Party{
		"kz": {Jurisdiction: "KZ", Roles: []carnet.Role{carnet.RoleOwner}}, "hk": {Jurisdiction: "HK", Roles: []carnet.Role{carnet.RoleOwner}},
		"bank": {Jurisdiction: "HK", Roles: []carnet.Role{carnet.RoleBuyer}}, "other": {Jurisdiction: "DE", Roles: []carnet.Role{carnet.RoleBuyer}},
		"k1": {Jurisdiction: "KZ", Roles: []carnet.Role{carnet.RoleKeyholder}}, "k2": {Jurisdiction: "HK", Roles: []carnet.Role{carnet.RoleKeyholder}},
		"k3": {Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleKeyholder}}, "k4": {Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleKeyholder}},
		"audit": {Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleAuditor}}, "gateway": {Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleOperator}},
	} {
		p.ID, p.Name, p.Created = id, "Party "+string(id), n.now
		p.SigningKey = n.identity(id).Public()
		if p.HasRole(carnet.RoleKeyholder) {
			k, err := seal.GenerateKey()
			require.NoError(t, err)
			n.Sealing[id], p.SealingKey = k, k.Public()
		}
		n.Parties[id] = &p
	}
	n.Committee = carnet.Committee{ID: "corridor", Members: []carnet.PartyID{"k1", "k2", "k3"}, Threshold: 2, Quorum: 3, Attestations: 1, PrivateChecks: 3, Created: n.now}
	var err error
	n.Schema, err = schema.Parse("trade.yaml", []byte(SchemaYAML))
	require.NoError(t, err)
	n.Config = flow.Config{Registrar: n.Registrar.Public(), Operator: "gateway", Signer: n.IDs["gateway"], Now: n.Now, Workers: 2, RetryAfter: 20 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	n.Open()
	t.Cleanup(func() { n.Stop() })
	return n
}

func (n *Network) identity(id carnet.PartyID) *ident.Identity {
	i, err := ident.New(id, rand.Reader)
	require.NoError(n.T, err)
	n.IDs[id] = i
	return i
}

// Open opens database and blobs and makes the gateway.
func (n *Network) Open() {
	s, err := store.Open(context.Background(), filepath.Join(n.Dir, "gateway.db"))
	require.NoError(n.T, err)
	b, err := blob.OpenDir(filepath.Join(n.Dir, "blobs"))
	require.NoError(n.T, err)
	c, err := columnstore.Open(filepath.Join(n.Dir, "columns"), n.Storage)
	require.NoError(n.T, err)
	l, err := tlog.Open(context.Background(), filepath.Join(n.Dir, "log"), tlog.Options{BatchAge: time.Millisecond})
	require.NoError(n.T, err)
	n.Store, n.Blobs = s, b
	n.Config.Store, n.Config.Blobs, n.Config.Columns = s, b, c
	if n.Config.Log = l; n.Log != nil {
		n.Config.Log = n.Log(l)
	}
	n.G, err = flow.New(n.Config)
	require.NoError(n.T, err)
	stop := n.publish()
	n.close = func() { stop(); s.Close(); b.Close(); c.Close(); l.Close() }
}

// publish feeds the log in the background, as Run does, until the function it returns is
// called.
func (n *Network) publish() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	g := n.G
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if more, err := g.Publish(ctx); err == nil && more {
				continue
			}
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() { cancel(); <-done }
}

// Published waits until the log has published all entries, and returns its checkpoint.
func (n *Network) Published() carnet.Checkpoint {
	var newest *evidence.SignedCheckpoint
	require.Eventually(n.T, func() bool {
		entries, c, err := n.G.Journal(context.Background())
		require.NoError(n.T, err)
		newest = c
		return c != nil && c.Size == entries
	}, 20*time.Second, time.Millisecond)
	return newest.Checkpoint
}

// Cosigned is a checkpoint with keyholders' signatures, as Cosign takes it.
func (n *Network) Cosigned(cp carnet.Checkpoint, by ...carnet.PartyID) *evidence.SignedCheckpoint {
	c := &evidence.SignedCheckpoint{Origin: n.G.Origin(), Checkpoint: cp}
	for _, id := range by {
		require.NoError(n.T, c.Cosign(id, n.Now(), n.IDs[id]))
	}
	return c
}

// Stop closes everything, until Open.
func (n *Network) Stop() { n.close() }

// Restart drops the process's state and starts again from what is on disk.
func (n *Network) Restart() {
	n.close()
	n.Open()
	require.NoError(n.T, n.G.Recover(context.Background()))
}

// Now is the network's clock; Advance moves it.
func (n *Network) Now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

// Advance moves the clock.
func (n *Network) Advance(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

// Seal signs a statement.
func (n *Network) Seal(t carnet.StatementType, body any, by ...carnet.PartyID) *evidence.Envelope {
	e, err := evidence.Seal(t, body)
	require.NoError(n.T, err)
	for _, id := range by {
		require.NoError(n.T, e.Countersign(n.IDs[id]))
	}
	return e
}

// PartyStatement is a party's statement with both signatures.
func (n *Network) PartyStatement(id carnet.PartyID) *evidence.Envelope {
	return n.Seal(carnet.TypeParty, n.Parties[id], id, "registrar")
}

// RegisterAll registers parties, committee and schema.
func (n *Network) RegisterAll() {
	ctx := context.Background()
	ids := []carnet.PartyID{}
	for id := range n.Parties {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		_, err := n.G.RegisterParty(ctx, n.PartyStatement(id))
		require.NoError(n.T, err)
	}
	ref, err := n.G.RegisterCommittee(ctx, n.Seal(carnet.TypeCommittee, n.Committee, "registrar"))
	require.NoError(n.T, err)
	n.Hash = ref.Hash
	ref, err = n.G.RegisterSchema(ctx, n.Parties["kz"], n.Seal(carnet.TypeSchema, n.Schema, "kz"))
	require.NoError(n.T, err)
	n.SchemaRef = ref.Hash
}
