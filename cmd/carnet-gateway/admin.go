package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/store"
)

type checkCmd struct{ serverFlags }

func (checkCmd) Help() string {
	return `Looks at certificates, identity, policy bundle and the data folder. Whether the addresses are free
shows when it serves.

Example:
  carnet-gateway check-config --data /var/lib/carnet \
    --tls-cert gateway.pem --tls-key gateway-key.pem --tls-ca ca.pem \
    --registrar-key registrar.pub`
}

func (c *checkCmd) Run(ctx context.Context, s streams) error {
	creds, err := c.credentials(ctx, c.logger(s))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "certificate  %s, until %s\n", creds.leaf.Subject, creds.leaf.NotAfter.UTC().Format("2006-01-02"))
	if err := ident.InForce(creds.leaf, time.Now()); err != nil {
		return err
	}
	if creds.identity == nil {
		fmt.Fprintf(s.out, "identity     will be made for %s\n", c.Operator)
	} else {
		fmt.Fprintf(s.out, "identity     %s\n", creds.identity.Party())
		fmt.Fprintf(s.out, "log key      %s\n", evidence.LogKey(evidence.Origin(creds.registrar), creds.identity.Public()))
	}
	rules, err := c.Flags.Open(ctx, "")
	if err != nil {
		return err
	}
	if rules != nil {
		b := rules.Engine().Bundle()
		fmt.Fprintf(s.out, "policy       %s version %d, until %s\n", b.Name, b.Version, b.Expires.Format("2006-01-02"))
	}
	switch info, err := os.Stat(c.Data); {
	case errors.Is(err, fs.ErrNotExist):
		if err := canMake(c.Data); err != nil {
			return carnet.E(carnet.Precondition, "BAD_DATA_DIR", "the folder %s can't be made", c.Data).Because(err).
				Fix("choose a folder this user may write to with --data")
		}
		fmt.Fprintf(s.out, "data         %s will be made\n", c.Data)
	case err != nil || !info.IsDir():
		return carnet.E(carnet.Precondition, "BAD_DATA_DIR", "%s is not a folder", c.Data).Because(err).
			Fix("choose a folder this user may write to with --data")
	default:
		fmt.Fprintf(s.out, "data         %s\n", c.Data)
	}
	if c.Store != "" {
		if err := store.CheckAddress(c.Store); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "store        %s\n", store.Redacted(c.Store))
	}
	fmt.Fprintln(s.out, "ok")
	return nil
}

// canMake reports whether a folder could be made, which leaves nothing behind: the one above it
// that exists is tried with a folder of another name.
func canMake(dir string) error {
	above := filepath.Dir(dir)
	for {
		if _, err := os.Stat(above); !errors.Is(err, fs.ErrNotExist) || above == filepath.Dir(above) {
			break
		}
		above = filepath.Dir(above)
	}
	try, err := os.MkdirTemp(above, ".carnet-check-*")
	if err != nil {
		return err
	}
	return os.Remove(try)
}

type migrateCmd struct {
	dataFlag
	command.Output
}

func (migrateCmd) Help() string {
	return `serve does this too; migrate is for doing it before, with the gateway stopped and a
copy of the folder at hand.

Example:
  carnet-gateway migrate --data /var/lib/carnet
  carnet-gateway migrate --data /var/lib/carnet --store postgres:///carnet?host=/run/postgresql`
}

func (c *migrateCmd) Run(ctx context.Context, s streams) error {
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
	v, err := db.Version(ctx)
	if err != nil {
		return err
	}
	place := store.Redacted(c.database())
	return c.Report(s.out, map[string]any{"store": place, "schema_version": v}, "%s has version %d\n", place, v)
}

type versionCmd struct{ command.Output }

func (versionCmd) Help() string {
	return `Example:
  carnet-gateway version`
}

func (c versionCmd) Run(s streams) error {
	return c.Report(s.out, command.About{Program: "carnet-gateway", Version: command.Version()}, "carnet-gateway %s\n", command.Version())
}
