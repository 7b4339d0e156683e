package main

import (
	"strings"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

type inboxCmd struct {
	Query string `arg:"" optional:"" help:"Query to show in words: its id, or the first 8 or more digits."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

func (inboxCmd) Help() string {
	return `Queries wait here if the terms of one of your datasets say approval: owner, or if rules of the
gateway or of a keyholder want your approval. What is shown of a query is compiled here from what
its buyer signed.

Examples:
  carnet inbox
  carnet inbox 5f0c93b1`
}

func (c *inboxCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	if c.Query != "" {
		return c.show(a, cl)
	}
	list, err := cl.Inbox(a.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(list)
	}
	var rows [][]string
	for _, s := range list {
		rows = append(rows, []string{s.ID.String(), string(s.Query.Buyer), command.Line(s.Query.Purpose), s.Query.Expires.UTC().Format("2006-01-02 15:04"), oneLine(s.Query.SQL)})
	}
	return a.table([]string{"QUERY", "BUYER", "PURPOSE", "EXPIRES", "SQL"}, rows)
}

func (c *inboxCmd) show(a *app, cl *client.Client) error {
	id, err := a.findQuery(cl, c.Query)
	if err != nil {
		return err
	}
	s, err := cl.Status(a.ctx, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(s)
	}
	buyer, err := cl.Party(a.ctx, s.Query.Buyer)
	if err != nil {
		return err
	}
	a.printf("query    %s\nbuyer    %s (%s), %s\npurpose  %s\nexpires  %s\nstate    %s\n", s.ID, buyer.ID, command.Line(buyer.Name), buyer.Jurisdiction,
		command.Line(s.Query.Purpose), s.Query.Expires.UTC().Format(time.RFC3339), s.State)
	if w := s.WaitsFor(); w != "" {
		a.printf("waits    for %s\n", w)
	}
	a.printf("\n  %s\n\n", strings.ReplaceAll(strings.TrimSpace(s.Query.SQL), "\n", "\n  "))
	p, err := cl.Recompile(a.ctx, &s.Query)
	if err != nil {
		return err
	}
	for _, step := range p.Describe() {
		a.printf("%s\n", step)
	}
	return nil
}

type approveCmd struct {
	command.Output
	Query string `arg:"" help:"Query, as carnet inbox names it; the whole id."`
	Note  string `help:"Sentence for the buyer." placeholder:"TEXT"`
}

func (approveCmd) Help() string {
	return `Signs that the query may be answered: this one, with its text, purpose, inputs and answer key.
Every keyholder checks the signature. It can't be taken back; revoking a dataset stops
what has not been answered. The id is not abbreviated here: it is what you sign, and the gateway
would say what an abbreviation stands for.

Example:
  carnet approve 5f0c...e1`
}

func (c *approveCmd) Run(a *app) error { return decideQuery(a, c.Output, c.Query, true, c.Note) }

type refuseCmd struct {
	command.Output
	Query  string `arg:"" help:"Query, as carnet inbox names it; the whole id."`
	Reason string `required:"" help:"Why; the buyer is told." placeholder:"TEXT"`
}

func (refuseCmd) Help() string {
	return `Signs that the query may not be answered, and why. Every keyholder then refuses it, whoever else
approved it. You may refuse any open query over your data, also one that did not wait for you.

Example:
  carnet refuse 5f0c...e1 --reason "we answer this for official statistics only"`
}

func (c *refuseCmd) Run(a *app) error {
	if strings.TrimSpace(c.Reason) == "" {
		return usage("a refusal needs a reason").Fix("say in a sentence why, with --reason")
	}
	return decideQuery(a, c.Output, c.Query, false, c.Reason)
}

func decideQuery(a *app, o command.Output, query string, allow bool, reason string) error {
	shows := "carnet inbox"
	if command.Abbreviates(query) {
		shows += " " + query
	}
	id, err := command.WholeID[carnet.Hash]("query", query, shows)
	if err != nil {
		return err
	}
	cl, _, me, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	ref, err := cl.Approve(a.ctx, me, id, allow, reason)
	if err != nil {
		return err
	}
	decision := map[bool]string{true: "approved", false: "refused"}[allow]
	return o.Report(a.out, map[string]any{"query": id, "decision": decision, "reason": reason, "statement": ref.Hash, "entry": ref.Seq}, "%s %s; entry %d\n", decision, id, ref.Seq)
}

// oneLine is a text cut at what fits a table.
func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 60 {
		r = append(r[:59], '…')
	}
	return string(r)
}
