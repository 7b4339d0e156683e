package main

import (
	"fmt"
	"strings"
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
		sql := []rune(strings.Join(strings.Fields(q.Query.SQL), " "))
		if len(sql) > 60 {
			sql = append(sql[:59], '…')
		}
		checks := ""
		if q.Needed > 0 {
			checks = fmt.Sprintf("%d/%d", q.Checks, q.Needed)
		}
		rows = append(rows, []string{
			q.ID.String(), q.Query.Created.Format("2006-01-02 15:04"), string(q.State), checks,
			fmt.Sprintf("%d/%d", q.Answers, q.Keyholders), string(sql),
		})
	}
	return a.table([]string{"QUERY", "ASKED", "STATE", "CHECKS", "ANSWERS", "SQL"}, rows)
}
