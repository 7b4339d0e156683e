package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
)

type usageCmd struct {
	paperFlags
	Dataset string `arg:"" help:"Dataset, owner/name."`
	From    string `required:"" help:"First day, or exact time." placeholder:"DAY"`
	Until   string `required:"" help:"Last day, or exact time that is not included; past." placeholder:"DAY"`
}

func (usageCmd) Help() string {
	return `The gateway's operator certifies from the log how a dataset was used: released queries and
numbers, buyers, income, and what was refused. It is for the dataset's owner, keyholders, auditors
and operators. The statement is an entry of the log and names the state of the log that it was
worked out from, so that whoever can read the log can work it out again (carnet recompute).

Example:
  carnet usage kz-customs/trade --from 2026-10-01 --until 2026-10-31 --html october.html -o october.json`
}

func (c *usageCmd) Run(a *app) error {
	from, err := parseDate(c.From)
	if err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, c.From); err == nil {
		from = from.AddDate(0, 0, -1) // the day's beginning
	}
	until, err := parseDate(c.Until)
	if err != nil {
		return err
	}
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	env, u, ref, err := cl.CertifyUsage(a.ctx, carnet.DatasetID(c.Dataset), from, until)
	if err != nil {
		return err
	}
	p := &paper{Title: "Usage statement", Digest: env.Hash(), Of: "the statement (DSSE)",
		Lead: fmt.Sprintf("%s certifies how dataset %s of %s was used.", u.Operator, u.Dataset, u.Owner),
		Facts: [][2]string{
			{"From", u.From.Format(time.RFC3339)}, {"Until", u.Until.Format(time.RFC3339)},
			{"Queries released", fmt.Sprint(u.Queries)}, {"Groups", fmt.Sprint(u.Groups)}, {"Numbers", fmt.Sprint(u.Numbers)}, {"Rows read", fmt.Sprint(u.Rows)}, {"Privacy budget", privacy.Format(u.Budget)},
			{"Queries not released", fmt.Sprint(u.Unreleased)}, {"Income", incomeText(u.Income)},
			{"Log", fmt.Sprintf("%d entries, root %s", u.Size, u.Head)}, {"Entry of this statement", fmt.Sprint(ref.Seq)}, {"Made", u.Created.Format(time.RFC3339)},
		}}
	var buyers, refused [][]string
	for _, b := range u.Buyers {
		buyers = append(buyers, []string{string(b.Buyer), fmt.Sprint(b.Queries), fmt.Sprint(b.Groups), fmt.Sprint(b.Numbers)})
	}
	if len(buyers) > 0 {
		p.Tables = append(p.Tables, paperTable{"Buyers", []string{"BUYER", "QUERIES", "GROUPS", "NUMBERS"}, buyers})
	}
	for _, r := range u.Refused {
		refused = append(refused, []string{r.Reason, fmt.Sprint(r.Queries)})
	}
	if len(refused) > 0 {
		p.Tables = append(p.Tables, paperTable{"Refused, of the queries in the log", []string{"REASON", "QUERIES"}, refused})
	}
	p.Notes = []string{"What the gateway refused before it was in the log is not counted."}
	d, err := c.document(a, cl, &signed{kind: bundle.Usage, statement: env, entry: ref.Seq, at: &carnet.Checkpoint{Size: u.Size, Head: u.Head}})
	if err != nil {
		return err
	}
	return c.print(a, d, p.provedBy(d))
}

func incomeText(in []carnet.Money) string {
	if len(in) == 0 {
		return "none"
	}
	totals := map[string]carnet.Amount{}
	for _, m := range in {
		totals[m.Currency] = m.Amount
	}
	return money(totals)
}

// digestOf is the SHA-256 of a document's canonical JSON.
func digestOf(v any) (carnet.Hash, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return carnet.Hash{}, err
	}
	return carnet.Hash(sha256.Sum256(data)), nil
}
