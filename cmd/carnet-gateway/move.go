package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/store"
)

type moveStoreCmd struct {
	dataFlag
	command.Output
	To string `help:"Where to: the address of an empty PostgreSQL database, or sqlite for the file in the data folder." required:"" placeholder:"PLACE"`
}

func (moveStoreCmd) Help() string {
	return `Copies catalogue, journal and states of a stopped gateway from the file of SQLite in its data folder
to a PostgreSQL database, or with --store back from there. The target has to be empty. Everything is copied,
read again and compared in one transaction, so after a failure the target is empty still, and the command can
be run again. The source is not changed: put it away once the gateway serves from the new place, and
don't let it serve from the old one again, which keyholders would refuse.

Example:
  carnet-gateway move-store --data /var/lib/carnet --to postgres:///carnet?host=/run/postgresql
  carnet-gateway move-store --data /var/lib/carnet --store postgres:///carnet?host=/run/postgresql --to sqlite`
}

func (c *moveStoreCmd) Run(ctx context.Context, s streams) error {
	to := c.To
	if to == "sqlite" {
		to = filepath.Join(c.Data, "gateway.db")
	} else if !store.IsAddress(to) {
		return carnet.E(carnet.Invalid, "BAD_STORE", "%s is neither sqlite nor the address of a PostgreSQL database", to).
			Fix("write postgres://USER@HOST/DATABASE?sslmode=verify-full, or sqlite")
	}
	for _, place := range []string{c.Store, to} {
		if store.IsAddress(place) {
			if err := store.CheckAddress(place); err != nil {
				return err
			}
		}
	}
	release, err := c.lock()
	if err != nil {
		return err
	}
	defer release()
	progress, done := command.Bar(s.err, "copying rows", command.Counts)
	moved, err := store.Move(ctx, c.database(), to, progress)
	done()
	if err != nil {
		return err
	}
	var rows int64
	for _, m := range moved {
		if m.Rows > 0 && !c.JSON {
			fmt.Fprintf(s.out, "%-18s %8d rows  %s\n", m.Table, m.Rows, m.Digest)
		}
		rows += m.Rows
	}
	source, target := store.Redacted(c.database()), store.Redacted(to)
	return c.Report(s.out, map[string]any{"from": source, "to": target, "rows": rows, "tables": moved}, "%d rows of %d tables were copied from %s to %s and compared\n", rows, len(moved), source, target)
}
