package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/policy/guard"
)

type runCmd struct {
	storeFlags
	Gateway   string `help:"Address of the gateway." required:"" placeholder:"HOST:PORT" env:"CARNET_GATEWAY"`
	Registrar string `help:"File with the registrar's public key; nothing it did not sign counts." required:"" type:"path" placeholder:"FILE" env:"CARNET_REGISTRAR"`
	TLSCert   string `name:"tls-cert" help:"Client certificate that names this party." type:"path" placeholder:"FILE" env:"CARNET_TLS_CERT"`
	TLSKey    string `name:"tls-key" help:"Its private key." type:"path" placeholder:"FILE" env:"CARNET_TLS_KEY"`
	TLSCA     string `name:"tls-ca" help:"Certificate authority of the gateway." type:"path" placeholder:"FILE" env:"CARNET_TLS_CA"`
	Plaintext bool   `help:"No TLS; only for a gateway on this machine."`

	Attest      string `help:"Recompute and sign public values: ${enum}." enum:"always,products,never" default:"always"`
	Workers     int    `help:"Processors one query may use; 0: all." default:"0"`
	Parallel    int    `help:"Queries worked on at a time." default:"2"`
	CubeMiB     int64  `name:"cube-mib" help:"Memory for set-ups of cubes, in MiB, kept for the next query; those made with key shares are overwritten when they go. 0: none." default:"256"`
	CacheMiB    int64  `name:"cache-mib" help:"Memory for verified ciphertext, in MiB." default:"256"`
	PublicMiB   int64  `name:"public-cache-mib" help:"Memory for expanded public halves of the columns that are scanned most, in MiB. 0: they are made anew for every scan." default:"0"`
	MaxReleases int64  `help:"Distinct numbers to release per key at most; 0: only the scheme's own limit." default:"0"`
	policy.Flags
	Approval  string   `help:"Rules about which queries wait for somebody here. Default: approval.yaml in the directory, if it is there. Read at start." type:"path" placeholder:"FILE" env:"CARNET_APPROVAL"`
	Retired   string   `help:"Seeds of keys that their owners retired: ${enum}. keep leaves them to carnet-keyholder destroy." enum:"destroy,keep" default:"destroy"`
	ReshareTo []string `name:"reshare-to" help:"Hand parts on to these committees, by id or statement hash, if the owner of the key lets them have it. See carnet-keyholder reshare." placeholder:"ID"`
	Health    string   `help:"Serve /healthz and /metrics on this loopback address." placeholder:"127.0.0.1:9095"`
	LogFormat string   `help:"Log as ${enum}." enum:"text,json" default:"text"`
	LogLevel  string   `help:"Least level logged: ${enum}." enum:"debug,info,warn,error" default:"info"`
	Resume    bool     `help:"Go on after the keyholder stopped because of a rewritten journal, or works no more because the clock was ahead before. Find out what happened first."`
}

func (runCmd) Help() string {
	return `Follows the gateway's journal, co-signs it, fetches seeds dealt to this keyholder,
and answers or refuses every query by the rules of the scheme. It reconnects by
itself; stop it with ctrl-C or SIGTERM. If the journal was rewritten it stops
and says so: talk to the other keyholders before you go on.

The certificate comes from the files given, which are read again when they change,
or from Vault's PKI if vault.yaml says so; then it is renewed in time.

Example:
  carnet-keyholder run --dir /var/lib/carnet --gateway gateway.example:7443 \
    --registrar registrar.pub --tls-cert ch-customs.pem \
    --tls-key ch-customs-key.pem --tls-ca ca.pem`
}

// cubeBytes is the memory for set-ups as package keyholder wants it, where 0 is a
// default.
func (c *runCmd) cubeBytes() int64 {
	if c.CubeMiB == 0 {
		return -1
	}
	return c.CubeMiB << 20
}

func (c *runCmd) Run(ctx context.Context, s streams) error {
	log := logger(s, c.LogFormat, c.LogLevel)
	registrar, err := ident.ReadAnchor(c.Registrar)
	if err != nil {
		return err
	}
	creds, err := c.credentials(ctx, log)
	if err != nil {
		return err
	}
	store, err := c.openPatiently(ctx, s, log)
	if err != nil {
		return err
	}
	defer store.Close()
	policy, err := c.policy(s, store)
	if err != nil {
		return err
	}
	var shares keys.Sharer
	if policy != nil {
		defer policy.Close()
		if shares, err = sharer(ctx, store, policy.Signer()); err != nil {
			return err
		}
	}
	party, _, err := c.readParty(store)
	if err != nil {
		return err
	}
	if creds == nil {
		if creds, err = c.issued(ctx, store, party.ID, log); err != nil {
			return err
		}
	}
	ledger, err := keyholder.OpenLedger(ctx, c.ledger(), party.ID, registrar)
	if err != nil {
		return err
	}
	defer ledger.Close()
	if c.Resume {
		if err := ledger.Resume(ctx); err != nil {
			return err
		}
	}
	file := c.Approval
	if file == "" {
		file = filepath.Join(c.Dir, "approval.yaml")
	}
	approval, err := approvalRules(file, c.Approval != "")
	if err != nil {
		return err
	}
	rules, err := c.Flags.Open(ctx, c.policyState())
	if err != nil {
		return err
	}
	var decide keyholder.Policy
	if rules != nil {
		decide = guard.New(rules, party.ID)
		rules.Announce(log)
		go rules.Follow(ctx, log)
	}
	conn, err := grpc.NewClient(c.Gateway, grpc.WithTransportCredentials(creds),
		// Shares are repeated from the ledger, byte by byte, and by nothing else.
		grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(8<<20)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second}))
	if err != nil {
		return carnet.E(carnet.Invalid, "BAD_GATEWAY_ADDRESS", "%q is no gateway address", c.Gateway).Because(err).Fix("use HOST:PORT")
	}
	defer conn.Close()
	k, err := keyholder.New(ctx, keyholder.Config{
		Party: party.ID, Registrar: registrar, Keys: store, Sharer: shares, Ledger: ledger, Gateway: conn, Policy: decide,
		Attest: keyholder.Attest(c.Attest), Workers: c.Workers, Parallel: c.Parallel, CacheBytes: c.CacheMiB << 20, CubeBytes: c.cubeBytes(), PublicBytes: c.PublicMiB << 20,
		MaxReleases: c.MaxReleases, Approval: approval, KeepRetired: c.Retired == "keep", ReshareTo: c.ReshareTo, Log: log,
	})
	if ctx.Err() != nil {
		return nil // stopped before it had begun
	}
	if err != nil {
		return err
	}
	if c.Health != "" {
		var vault func(context.Context) error
		if in, ok := store.(interface{ Health(context.Context) error }); ok {
			vault = in.Health
		}
		stop, addr, err := serveHealth(c.Health, k, ledger, vault)
		if err != nil {
			return err
		}
		defer stop()
		log.Info("health is served", "address", addr)
	}
	log.Info("keyholder runs", "party", party.ID, "gateway", c.Gateway, "attest", c.Attest)
	err = k.Run(ctx)
	log.Info("keyholder stopped")
	return err
}

func logger(s streams, format, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}
