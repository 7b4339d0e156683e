package carnettest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// engines are secrets engines of some keyholders in one Vault, under the least permissions.
type engines struct {
	server  *vaultserver.Server
	plugins string
	policy  *keystest.Person
	clients map[carnet.PartyID]*vaultclient.Client
	mounts  map[carnet.PartyID]vaultplugin.Mount
	sealing map[carnet.PartyID][]byte
	wrap    func(keys.Sharer) keys.Sharer
}

func newEngines(t *testing.T, parties ...carnet.PartyID) *engines {
	e := &engines{plugins: t.TempDir(), policy: keystest.NewPerson("policy"), clients: map[carnet.PartyID]*vaultclient.Client{},
		mounts: map[carnet.PartyID]vaultplugin.Mount{}, sealing: map[carnet.PartyID][]byte{}, wrap: func(s keys.Sharer) keys.Sharer { return s }}
	e.server = vaultserver.New(t, vaultserver.Options{Plugins: e.plugins})
	sum, err := vaultserver.BuildEngine(Context(t), e.plugins, "v1.0.0")
	require.NoError(t, err)
	require.NoError(t, e.server.RegisterEngine(Context(t), "v1.0.0", sum, "v1.0.0"))
	for _, p := range parties {
		require.NoError(t, e.server.EnableEngine(Context(t), "carnet-keys-"+string(p), "v1.0.0", e.policy.Public(), nil, nil))
		login, err := e.server.Provision(Context(t), "engine", p, t.TempDir())
		require.NoError(t, err)
		login.Timeout = 5 * time.Second
		e.clients[p], err = vaultclient.Open(Context(t), login, nil)
		require.NoError(t, err)
		t.Cleanup(func() { e.clients[p].Close() })
		e.mounts[p] = vaultplugin.At(e.clients[p], "carnet-keys-"+string(p))
		e.sealing[p], err = vaultplugin.SealingKey(Context(t), e.mounts[p])
		require.NoError(t, err)
	}
	return e
}

// options are those of a network in which these keyholders' seeds are in the engines.
func (e *engines) options(t *testing.T) Options {
	return Options{
		Keystore: func(p carnet.PartyID) keys.Store {
			if e.sealing[p] == nil {
				return nil
			}
			m, err := keystest.NewMemory(rand.Reader)
			require.NoError(t, err)
			return beside{m, e.sealing[p]}
		},
		Sharer: func(p carnet.PartyID) keys.Sharer {
			if e.sealing[p] == nil {
				return nil
			}
			s, err := vaultplugin.New(Context(t), e.mounts[p], e.policy)
			require.NoError(t, err)
			return e.wrap(s)
		},
	}
}

// operator writes what the keyholder may not.
func (e *engines) operator(t *testing.T, path string, data map[string]any) {
	t.Helper()
	_, err := e.server.Client().Logical().WriteWithContext(Context(t), path, data)
	require.NoError(t, err)
}

func (e *engines) knowBuyer(t *testing.T, n *Network) {
	t.Helper()
	for p := range e.mounts {
		e.operator(t, "carnet-keys-"+string(p)+"/buyers/buyer", map[string]any{"signing_key": []byte(n.Identity("buyer").Public())})
	}
}

func (e *engines) knowOwners(t *testing.T, n *Network) {
	t.Helper()
	for p := range e.mounts {
		for _, o := range n.Owners {
			e.operator(t, "carnet-keys-"+string(p)+"/owners/"+string(o.ID), map[string]any{"signing_key": []byte(n.Identity(o.ID).Public())})
		}
	}
}

const (
	beforeProduct moment = "before handing a product over"
	beforeSharing moment = "before the answer is made"
)

// struck is a Sharer with a trap.
type struck struct {
	keys.Sharer
	*trap
}

func (s struck) Open(ctx context.Context, r *keys.Release) (keys.Session, error) {
	session, err := s.Sharer.Open(ctx, r)
	return struckSession{session, s}, err
}

type struckSession struct {
	keys.Session
	of struck
}

func (s struckSession) Product(ctx context.Context, i int, parts []keys.Part) error {
	s.of.reached(beforeProduct)
	return s.Session.Product(ctx, i, parts)
}

func (s struckSession) Seal(ctx context.Context, ids []carnet.Hash) ([]byte, error) {
	s.of.reached(beforeSharing)
	return s.Session.Seal(ctx, ids)
}

// Rule: whatever happens to the Vault that a secrets engine is in, before a product is handed
// over or before the answer is made, the same answer comes once Vault is back, and the engine counts
// nothing twice. The keyholder never has to be restarted, and its log has the remedy.
func TestEngineFailsMidRelease(t *testing.T) {
	e := newEngines(t, "kh1")
	armed := &trap{}
	e.wrap = func(s keys.Sharer) keys.Sharer { return struck{s, armed} }
	n := Start(t, e.options(t))
	sets := publishTrade(t, n, carnet.LayoutRecords)
	e.knowBuyer(t, n)
	e.knowOwners(t, n)
	kh := n.Keyholders[0]
	counted := func() (out []string) {
		for _, s := range sets {
			data, err := e.mounts["kh1"].Read(Context(t), "keys/"+s.Key.Key.String())
			require.NoError(t, err)
			out = append(out, string(data["released"].(json.Number)), string(data["released_products"].(json.Number)))
		}
		return out
	}
	sql := layoutQueries[carnet.LayoutRecords]
	first := n.Submit(t, "buyer", "records", sql)
	got, err := n.Open(t, first)
	require.NoError(t, err)
	want := Rows(got.Result)
	Eventually(t, "the keyholder's own answer", time.Minute, func() bool { o := kh.Outcome(t, first.Hash); return o != nil && o.Sent })
	charges, engine := map[carnet.KeyID]int64{}, counted()
	for _, s := range sets {
		charges[s.Key.Key] = kh.Charged(t, s.Key.Key)
	}

	largest := func(bytes int64) {
		require.NoError(t, e.server.Reconfigure(vaultserver.Options{Plugins: e.plugins, Largest: bytes}))
		e.server.Kill()
		restartVault(t, e.server)
	}
	all := append(mishaps(t, e.server, e.clients["kh1"], beforeProduct, beforeSharing),
		mishap{"request too large", func() { largest(1 << 20) }, func() { largest(0) }, "max_request_size", []moment{beforeProduct}}) // an answer's is small
	for _, c := range all {
		for _, now := range c.at {
			t.Run(c.name+" "+string(now), func(t *testing.T) {
				noted, done := len(n.Log()), make(chan struct{})
				armed.arm(now, func() { c.strike(); close(done) })
				asked := n.Submit(t, "buyer", "records", sql)
				<-done
				if c.says != "" {
					Eventually(t, "a line in the log", time.Minute, func() bool { return strings.Contains(n.Log()[noted:], c.says) })
					require.Nil(t, kh.Outcome(t, asked.Hash))
					require.Contains(t, n.Log()[noted:], "remedy=")
				}
				c.mend()
				require.False(t, kh.Ended())
				Eventually(t, "the keyholder's own answer", time.Minute, func() bool { o := kh.Outcome(t, asked.Hash); return o != nil && o.Sent })
				require.Equal(t, "answer", kh.Outcome(t, asked.Hash).Kind)
				got, err := n.Open(t, asked)
				require.NoError(t, err)
				require.Equal(t, want, Rows(got.Result))
				require.Empty(t, got.Liars)
				require.Equal(t, engine, counted(), "a repetition is counted once, whatever happened")
			})
		}
	}
	(&realNetwork{Network: n}).nothingDoubled(t, charges)
}
