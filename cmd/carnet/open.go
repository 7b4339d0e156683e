package main

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
)

type openCmd struct {
	Query string `arg:"" help:"Id of the query, as carnet query or carnet queries prints it, or its first 8 or more digits."`
	outputFlags
}

func (openCmd) Help() string {
	return `Fetches the answers again, with those that came later, and opens them here: with the key
that asked, also if it was replaced since (carnet party rotate). Nobody else can open them.

Example:
  carnet open 5f1c93b1`
}

func (c *openCmd) Run(a *app) error {
	if err := checkQuery(c.Query); err != nil {
		return err
	}
	cl, cfg, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	hash, err := a.findQuery(cl, c.Query)
	if err != nil {
		return err
	}
	statement, err := cl.QueryStatement(a.ctx, hash)
	if err != nil {
		return err
	}
	var asked carnet.Query
	if err := statement.Decode(carnet.TypeQuery, &asked); err != nil {
		return err
	}
	if asked.Buyer != id.Party() {
		return notTheBuyer(&asked, hash)
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

// notTheBuyer tells who may see a query, and did not ask it, what there is for them.
func notTheBuyer(q *carnet.Query, id carnet.Hash) error {
	return carnet.E(carnet.Forbidden, "NOT_THE_BUYER", "%s asked this query, and its answer is sealed to the key that asked: nobody else can open it", q.Buyer).
		Fix("ask %s for the answer. What proves how it was made needs no key:\n  carnet evidence export %s -o query.carnet\n  carnet verify query.carnet --recompute", q.Buyer, id.String()[:command.MinAbbreviation])
}
