package main

import (
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

type datasetsCmd struct {
	Owner  string `help:"Only those of this owner." placeholder:"ID"`
	Schema string `help:"Only those of this schema (name@version)." placeholder:"SCHEMA"`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (datasetsCmd) Help() string {
	return `BYTES is what the gateway stores, and A VALUE what it takes for each slot or cell of each
column, empty ones included. BUDGET is how much of its privacy budget all queries together
have spent, at most, if the dataset has one.

Example:
  carnet datasets --owner kz-customs`
}

func (c *datasetsCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	ds, err := cl.Datasets(a.ctx, carnet.PartyID(c.Owner), c.Schema)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(ds)
	}
	var rows [][]string
	for _, d := range ds {
		var n, blocks int64
		for _, f := range d.Manifest.Files {
			n += f.Rows
			blocks += int64(f.Columns) * int64(f.Blocks)
		}
		value := "?" // a profile that only newer programs know
		if p, err := he.Lookup(d.Manifest.Profile); err == nil && blocks > 0 {
			value = fmt.Sprintf("%.1f B", float64(d.Bytes)/float64(blocks)/float64(p.N()))
		}
		state := "in use"
		if d.Revoked {
			state = "revoked"
		}
		if d.Retired {
			state = "retired"
		}
		budget := ""
		if x := d.Privacy; x != nil {
			budget = x.Spent + " of " + x.Budget
		}
		rows = append(rows, []string{
			string(d.Manifest.ID), string(d.Manifest.Layout), fmt.Sprint(n), size(d.Bytes), value, state,
			lastDay(d.Manifest.Terms.Expires), budget, d.Manifest.Title,
		})
	}
	return a.table([]string{"DATASET", "LAYOUT", "ROWS", "BYTES", "A VALUE", "STATE", "UNTIL", "BUDGET", "TITLE"}, rows)
}

// size prints bytes for people.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/unit, 0
	for v >= unit && i < 3 {
		v, i = v/unit, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGT"[i])
}
