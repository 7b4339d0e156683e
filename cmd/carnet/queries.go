package main

import (
	"fmt"
)

type queriesCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (queriesCmd) Help() string {
	return `CHECKS are those that keyholders published of a private parameter, and how many must agree
before any of them answers; ANSWERS are given and keyholders there are.

Example:
  carnet queries`
}

func (c *queriesCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	qs, err := cl.Queries(a.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(qs)
	}
	var rows [][]string
	for _, q := range qs {
		state := string(q.State)
		if w := q.WaitsFor(); w != "" {
			state += " for " + w
		}
		checks := ""
		if q.Needed > 0 {
			checks = fmt.Sprintf("%d/%d", q.Checks, q.Needed)
		}
		rows = append(rows, []string{
			q.ID.String(), q.Query.Created.Format("2006-01-02 15:04"), state, checks,
			fmt.Sprintf("%d/%d", q.Answers, q.Keyholders), oneLine(q.Query.SQL),
		})
	}
	return a.table([]string{"QUERY", "ASKED", "STATE", "CHECKS", "ANSWERS", "SQL"}, rows)
}
