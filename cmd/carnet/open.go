package main

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

type openCmd struct {
	Query string `arg:"" help:"Id of the query, as carnet query or carnet queries prints it."`
	outputFlags
}

func (openCmd) Help() string {
	return `Fetches the answers again, with those that came later, and opens them here: with the key
that asked, also if it was replaced since (carnet party rotate).

Example:
  carnet open 5f1c…`
}

func (c *openCmd) Run(a *app) error {
	hash, err := carnet.ParseHash(c.Query)
	if err != nil {
		return usage("%q is not the id of a query", c.Query).Fix("carnet queries lists them")
	}
	cl, cfg, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	statement, err := cl.QueryStatement(a.ctx, hash)
	if err != nil {
		return err
	}
	if id, err = a.asker(cfg, id, statement); err != nil {
		return err
	}
	snapshot, err := os.ReadFile(a.snapshotFile(hash))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	start := time.Now()
	ans, err := cl.Reopen(a.ctx, id, hash, snapshot)
	if carnet.ReasonOf(err) == "NOT_READY" {
		if s, failed := cl.Status(a.ctx, hash); failed == nil {
			err = s.NotReady(err)
		}
	}
	if err != nil {
		return err
	}
	return c.print(a, ans, time.Since(start))
}
