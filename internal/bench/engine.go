package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/local"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// place is where a keyholder's keys are: who signs and marks, and who makes shares.
type place struct {
	how   string
	store keys.Store
	keys.Sharer
}

// engineFigure is what a keyholder does for one query once it has derived what is opened, with
// its keys in each place they can be: a co-signature and its mark, the shares of two owners'
// keys, sealed, and the signature of the answer. Queries are repeated, as a busy network
// repeats them: seeds are in memory where they may be.
func engineFigure(ctx context.Context, b *bench, r *Report) error {
	return b.withHarness(ctx, func(t testing.TB) error {
		places, done, err := keyPlaces(ctx)
		if errors.Is(err, vaultserver.ErrNotBuilt) {
			r.note("Keys in the secrets engine: %v.", err)
			return nil
		}
		if err != nil {
			return err
		}
		defer done()
		for _, c := range []struct {
			what, sql string
			layout    carnet.Layout
			groups    float64
		}{
			{"12 sums of cells, 6 groups", `SELECT month, partner, COUNT(*), SUM(value) FROM trade GROUP BY month, partner`, carnet.LayoutCube, 6},
			{"products of records, 3 groups", `SELECT month, SUM(value) FROM trade GROUP BY month`, carnet.LayoutRecords, 3},
		} {
			var tasks []task
			for _, p := range places {
				run, err := p.answering(ctx, t, c.layout, c.sql)
				if err != nil {
					return err
				}
				tasks = append(tasks, task{p.how, max(runtime.NumCPU(), 2), c.groups, run})
			}
			if _, err := b.race(ctx, r, "keyholder's keys, a query of "+c.what, "groups/s", tasks...); err != nil {
				return err
			}
		}
		return nil
	})
}

// answering prepares one query and returns what answers it.
func (p *place) answering(ctx context.Context, t testing.TB, layout carnet.Layout, sql string) (func() error, error) {
	n := keystest.NewNetwork(t, p.SealingKey(), layout, 2, false)
	for _, d := range n.Dealings {
		if err := p.Accept(ctx, d, n.Sealed(d.Key)); err != nil {
			return nil, err
		}
	}
	query, parts := n.Ask(sql), map[int][]keys.Part{}
	ids := n.IDs(query, 0)
	for i, f := range query.Plan.Functionals() {
		if f.Degree > 1 {
			parts[i] = n.Parts(query, i, 0)
		}
	}
	marker := p.store.(keys.Marker)
	return func() error {
		at, err := marker.Marked(ctx)
		if err != nil {
			return err
		}
		if _, err := p.store.Signer().Sign(make([]byte, 200)); err != nil {
			return err
		}
		if err := marker.Mark(ctx, carnet.Checkpoint{Size: at.Size + 1}); err != nil {
			return err
		}
		session, err := p.Open(ctx, query)
		if err != nil {
			return err
		}
		defer session.Close()
		for i := range query.Plan.Functionals() {
			if parts[i] != nil {
				if err := session.Product(ctx, i, parts[i]); err != nil {
					return err
				}
			}
		}
		if _, err := session.Seal(ctx, ids); err != nil {
			return err
		}
		_, err = p.store.Signer().Sign(make([]byte, 400))
		return err
	}, nil
}

// keyPlaces makes a keystore of every kind, the last two in a Vault that is started for it.
func keyPlaces(ctx context.Context) (_ []place, _ func(), err error) {
	var undo []func()
	done := func() {
		for i := range undo {
			undo[len(undo)-1-i]()
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	plugins, err := os.MkdirTemp("", "bench-plugins")
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, func() { _ = os.RemoveAll(plugins) })
	server, err := vaultserver.Start(ctx, vaultserver.Options{Plugins: plugins})
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, server.Stop)
	file, err := ageStore(plugins)
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, func() { file.Close() })
	login, err := server.Provision(ctx, "keyholder", "bench", plugins)
	if err != nil {
		return nil, nil, err
	}
	client, err := vaultclient.Open(ctx, login, nil)
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, func() { client.Close() })
	inVault, err := vault.Create(ctx, client, vaultsecret.Config{Name: "bench"}, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, func() { inVault.Close() })
	engine, closeEngine, err := benchEngine(ctx, server, plugins)
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, closeEngine)
	here := func(s local.Seeds) keys.Sharer {
		return local.New(s, local.Options{Scan: scan.Options{Workers: 1}, Cubes: scan.NewCubes(64 << 20)})
	}
	return []place{{"age file", file, here(file)}, {"KV and transit", inVault, here(inVault)}, {"secrets engine", inVault, engine}}, done, nil
}

func benchEngine(ctx context.Context, server *vaultserver.Server, plugins string) (keys.Sharer, func(), error) {
	const version, party, mount = "v0.0.1", "bench-engine", "carnet-keys-bench-engine"
	sum, err := vaultserver.BuildEngine(ctx, plugins, version)
	if err != nil {
		return nil, nil, err
	}
	if err := server.RegisterEngine(ctx, version, sum, version); err != nil {
		return nil, nil, err
	}
	policy, buyer := keystest.NewPerson("policy"), keystest.NewPerson("buyer")
	if err := server.EnableEngine(ctx, mount, version, policy.Public(), map[carnet.PartyID]ed25519.PublicKey{"buyer": buyer.Public()}, nil); err != nil {
		return nil, nil, err
	}
	login, err := server.Provision(ctx, "engine", party, filepath.Join(plugins, party))
	if err != nil {
		return nil, nil, fmt.Errorf("the engine's login: %w", err)
	}
	client, err := vaultclient.Open(ctx, login, nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := vaultplugin.New(ctx, vaultplugin.At(client, mount), policy)
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return s, func() { client.Close() }, nil
}
