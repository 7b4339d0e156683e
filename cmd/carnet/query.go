package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

type queryCmd struct {
	sqlFlags
	privateFlags
	outputFlags
	Explain bool          `help:"Print the plan before asking."`
	Expires time.Duration `help:"How long keyholders may take." default:"15m"`
	Grace   time.Duration `help:"How long to wait for more keyholders once enough have answered: more answers let lying ones be detected and named." default:"5s"`
	Pay     []string      `help:"The most that you pay, amount and currency such as 12.5CNY; once for each currency. Without it only what is free is asked." placeholder:"AMOUNT" sep:"none"`
	Quiet   bool          `short:"q" help:"Say nothing while it waits; errors are printed all the same."`
	NoWait  bool          `help:"Submit, print the query's id and leave; carnet open prints the answer later."`
}

func (queryCmd) Help() string {
	return `Compiles the query here, signs it, and waits until enough keyholders have answered. The
answer is sealed to you and opened here; gateway and keyholders never see it. Values of private
parameters leave this machine only as shares, and are kept nowhere. The exit code is 6 if
owners' terms or keyholders refused. Where owners ask a price, the query is asked only if --pay
covers it; it is owed when the answer is released.

While it waits, standard error says how far it has come: on one line of a terminal, elsewhere
with a line for the query's id and one for each change of its state. What is said below the
answer, on how far it can be relied on, goes there, too.

Examples:
  carnet query "SELECT month, SUM(value) FROM trade GROUP BY month"
  carnet query --pay 12.5CNY "SELECT month, SUM(value) FROM trade GROUP BY month"
  carnet query --csv --file question.sql > answer.csv
  carnet query --private 1=@partner.txt 'SELECT SUM(value) FROM trade WHERE partner = PRIVATE($1)'`
}

func (c *queryCmd) Run(a *app) error {
	if c.Expires <= 0 {
		return usage("keyholders can't answer within %s", c.Expires).Fix("give --expires as a time such as 15m or 48h")
	}
	sql, product, err := c.sqlFlags.read(a)
	if err != nil {
		return err
	}
	values, err := c.privateFlags.read(a, c.SQL == "-")
	if err != nil {
		return err
	}
	pay, err := parseMoney(c.Pay)
	if err != nil {
		return err
	}
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	start := time.Now()
	asked, err := cl.Submit(a.ctx, id, client.Question{Product: product, SQL: sql, Values: values, Purpose: c.Purpose, Lifetime: c.Expires, Pay: pay})
	if err != nil {
		return inSQL(sql, err)
	}
	if c.Explain {
		for _, s := range asked.Plan.Describe() {
			a.notef("%s\n", s)
		}
	}
	if !asked.Hash.IsZero() {
		if err := a.remember(asked); err != nil {
			return err
		}
	}
	if c.NoWait && !asked.Hash.IsZero() {
		a.printf("%s\n", asked.Hash)
		return nil
	}
	ans, err := cl.Await(a.ctx, id, asked, c.Grace, c.watcher(a, asked))
	if a.errTerminal() && !c.Quiet {
		a.line("")
	}
	if err != nil {
		if !asked.Hash.IsZero() && a.ctx.Err() != nil {
			a.notef("carnet open %s prints the answer later\n", asked.Hash)
		}
		return inSQL(sql, later(err, asked.Hash)) // a division by zero shows only now
	}
	return c.print(a, ans, time.Since(start))
}

// snapshotFile keeps the product as it was when a query was asked.
func (a *app) snapshotFile(query carnet.Hash) string {
	return a.path(filepath.Join("queries", query.String()+".product"))
}

func (a *app) remember(asked *client.Asked) error {
	data, err := asked.Snapshot()
	if err != nil {
		return err
	}
	file := a.snapshotFile(asked.Hash)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}
