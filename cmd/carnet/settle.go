package main

import (
	"fmt"
	"time"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/meter"
)

type settleCmd struct {
	paperFlags
	Month string `arg:"" help:"Month, such as 2026-11."`
	All   bool   `help:"That of all parties; for auditors and operators."`
}

func (settleCmd) Help() string {
	return `Shows what you owe and are owed for the answers that were released in a month (UTC), line by
line, from the log. What two parties are told about each other agrees, and all balances add up to
zero. Carnet moves no money: the file is what banks and clearing systems get.

Examples:
  carnet settle 2026-11 -o november.carnet.json
  carnet settle 2026-11 --all --json > 2026-11.json`
}

func (c *settleCmd) Run(a *app) error {
	month, err := meter.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	s, statement, err := cl.Settlement(a.ctx, month, c.All)
	if err != nil {
		return err
	}
	digest, err := digestOf(s)
	if err != nil {
		return err
	}
	who := "all parties"
	if s.Party != "" {
		who = string(s.Party)
	}
	p := &paper{Title: "Settlement of " + string(s.Month), Digest: digest, Of: "the settlement as JSON", Lead: fmt.Sprintf("What %s owe and are owed for answers released in the month.", who),
		Facts: [][2]string{{"Of", who}, {"Month", string(s.Month)}, {"Lines", fmt.Sprint(len(s.Lines))}, {"Log", fmt.Sprintf("%d entries, root %s", s.Size, s.Head)}}}
	if s.Party != "" {
		p.Lead = fmt.Sprintf("What %s owes and is owed for answers released in the month.", who)
	}
	var balances, payments, lines [][]string
	for _, b := range s.Balances {
		balances = append(balances, []string{string(b.Party), b.Amount.String(), b.Currency})
	}
	for _, x := range s.Payments {
		payments = append(payments, []string{string(x.From), string(x.To), x.Amount.String(), x.Currency})
	}
	for i := range s.Lines {
		l := &s.Lines[i]
		lines = append(lines, []string{fmt.Sprint(l.Entry), l.At.Format(time.DateOnly), string(l.Buyer), string(l.Payee), string(l.Dataset),
			fmt.Sprintf("%d x %s %s", l.Quantity, l.Price, l.Item), l.Amount.String(), l.Currency})
	}
	p.Tables = []paperTable{
		{"Balances", []string{"PARTY", "AMOUNT", "CURRENCY"}, balances},
		{"Payments", []string{"FROM", "TO", "AMOUNT", "CURRENCY"}, payments},
		{"Lines", []string{"ENTRY", "DAY", "BUYER", "TO", "DATASET", "FOR", "AMOUNT", "CURRENCY"}, lines},
	}
	if month >= meter.MonthOf(time.Now()) {
		p.Notes = []string{"The month is not over."}
	}
	d, err := c.sheet(a, cl, bundle.Settlement, s, statement, carnet.Checkpoint{Size: s.Size, Head: s.Head})
	if err != nil {
		return err
	}
	return c.print(a, s, p.provedBy(d))
}
