package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/policy/gate"
	"github.com/carnet-network/carnet/pkg/policy/report"
	"github.com/carnet-network/carnet/pkg/server"
	"github.com/carnet-network/carnet/pkg/store"
	"github.com/carnet-network/carnet/pkg/tlog"
)

type serveCmd struct {
	serverFlags
	Resume   bool   `help:"Take the clock for right although the gateway decided at a later time before: it was wrong then."`
	AddrFile string `name:"addr-file" help:"Write the addresses listened on to this file, as lines grpc=, rest= and metrics=." type:"path" placeholder:"FILE"`
}

func (serveCmd) Help() string {
	return `Serves until ctrl-C or SIGTERM, then lets calls finish for ten seconds. Killing it
is safe: uploads continue where they were, computations begin again.

Clients need a certificate of the authority given by --tls-ca that names their
party as carnet:party/<id>.

Example:
  carnet-gateway serve --data /var/lib/carnet --listen 0.0.0.0:7443 \
    --tls-cert gateway.pem --tls-key gateway-key.pem --tls-ca ca.pem \
    --registrar-key registrar.pub`
}

func (c *serveCmd) Run(ctx context.Context, s streams) error {
	log := c.logger(s)
	creds, err := c.credentials(ctx, log)
	if err != nil {
		return err
	}
	if err := ident.InForce(creds.leaf, time.Now()); err != nil {
		log.Warn("nobody can connect", "error", err) // a new file is read when it is there
	}
	release, err := c.lock()
	if err != nil {
		return err
	}
	defer release()
	db, err := c.openStore(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	blobs, err := c.openBlobs()
	if err != nil {
		return err
	}
	defer blobs.Close()
	columns, err := c.openColumns(ctx)
	if err != nil {
		return err
	}
	defer columns.Close()
	if creds.identity == nil {
		if creds.identity, err = c.makeIdentity(); err != nil {
			return err
		}
		log.Warn("made an unregistered identity for the gateway's decisions; for one that others can check, run carnet init --role operator and pass --identity", "file", c.ownIdentity(), "party", string(creds.identity.Party()))
	}
	tiles, err := tlog.Open(ctx, c.log(), tlog.Options{BatchAge: c.LogBatch, Logger: log})
	if err != nil {
		return err
	}
	defer tiles.Close()
	workers := c.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	rules, decide, err := c.decider(ctx, db, creds.identity.Party())
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	g, err := flow.New(flow.Config{
		Store: db, Blobs: blobs, Columns: columns, Log: tiles, Registrar: creds.registrar, Operator: creds.identity.Party(), Signer: creds.identity, NextKey: nextKey{c.identity()}, Policy: decide,
		Workers: workers, Memory: int64(c.Memory), CubeMemory: c.cubeMemory(), MaxReleases: c.MaxReleases, PublicCache: int64(c.PublicCache), Computations: c.Computations, Logger: log, Observe: server.Observe(registry),
	})
	if err != nil {
		return err
	}
	if c.Resume {
		if err := g.ForgetClock(ctx); err != nil {
			return err
		}
	}
	if err := g.Recover(ctx); err != nil {
		return err
	}
	srv, err := server.New(server.Config{Gateway: g, Tiles: tiles, TLS: creds.tls, Vault: creds.vault, Logger: log, Metrics: registry,
		Reports: map[string]server.Report{"text/html": {Of: report.Reported, Write: report.HTML}, "text/plain": {Of: report.Reported, Write: report.Plain}}})
	if err != nil {
		return err
	}
	log.Info("transparency log", "key", evidence.LogKey(g.Origin(), g.SigningKey()))
	l, err := c.listen()
	if err != nil {
		return err
	}
	if err := c.announce(s, l); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return srv.Serve(ctx, l) })
	group.Go(func() error { creds.keep(ctx); return nil })
	group.Go(func() error { g.Measure(ctx); return nil })
	if rules != nil {
		rules.Announce(log)
		group.Go(func() error { rules.Follow(ctx, log); return nil })
	}
	group.Go(func() error {
		if err := g.Run(ctx); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	err = group.Wait()
	log.Info("gateway stopped")
	return err
}

// decider is the policy that the flags ask for, and the bundle that it decides by; nil
// is the owners' terms.
func (c *serveCmd) decider(ctx context.Context, db *store.Store, operator carnet.PartyID) (*policy.Holder, flow.Policy, error) {
	rules, err := c.Flags.Open(ctx, c.policyState())
	if err != nil || rules == nil {
		return nil, nil, err
	}
	p := gate.New(rules, db, operator)
	return rules, p, p.Prepare(ctx)
}

// listen opens every socket before anything is served.
func (c *serveCmd) listen() (l server.Listeners, err error) {
	for _, x := range []struct {
		addr string
		to   *net.Listener
	}{{c.Listen, &l.GRPC}, {c.RESTListen, &l.REST}, {c.MetricsListen, &l.Metrics}} {
		if x.addr == "" {
			continue
		}
		if *x.to, err = net.Listen("tcp", x.addr); err != nil {
			return l, carnet.E(carnet.Precondition, "CANT_LISTEN", "%s can't be listened on", x.addr).Because(err).
				Fix("choose another address, or port 0 for a free one")
		}
	}
	return l, nil
}

// announce prints the addresses, and writes them to the address file in one step,
// so that whoever waits for the file reads all of it.
func (c *serveCmd) announce(s streams, l server.Listeners) error {
	var b strings.Builder
	for _, x := range []struct {
		name string
		lis  net.Listener
	}{{"grpc", l.GRPC}, {"rest", l.REST}, {"metrics", l.Metrics}} {
		if x.lis != nil {
			fmt.Fprintf(&b, "%s=%s\n", x.name, x.lis.Addr())
		}
	}
	fmt.Fprint(s.out, b.String())
	if c.AddrFile == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(c.AddrFile), ".addr-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename it does nothing
	_, err = f.WriteString(b.String())
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), c.AddrFile)
}
