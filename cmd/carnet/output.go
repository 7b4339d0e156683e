package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/plan"
)

// outputFlags is how an answer is printed.
type outputFlags struct {
	JSON bool `name:"json" help:"Print result, keyholders, attestations, time and bytes as JSON." xor:"form"`
	CSV  bool `name:"csv" help:"Print the result as CSV." xor:"form"`

	Verbose bool `help:"Print digests of policy bundles in full, and the statements that name them."`
}

func (f *outputFlags) print(a *app, ans *client.Answer, elapsed time.Duration) error {
	switch {
	case f.JSON:
		return a.answerJSON(ans, elapsed)
	case f.CSV:
		if err := ans.Result.WriteCSV(a.raw); err != nil {
			return err
		}
	default:
		if err := ans.Result.WriteTable(a.out); err != nil {
			return err
		}
	}
	a.evidence(ans, elapsed, f.Verbose)
	return nil
}

func (a *app) answerJSON(ans *client.Answer, elapsed time.Duration) error {
	meta, err := json.Marshal(ans)
	if err != nil {
		return err
	}
	all := map[string]any{}
	if err := json.Unmarshal(meta, &all); err != nil {
		return err
	}
	if ans.Openings == 0 { // nobody was asked
		delete(all, "query")
		all["used"] = []any{}
	}
	all["result"] = ans.Result
	all["seconds"] = elapsed.Seconds()
	all["notes"] = lostNotes(ans.Result)
	return a.json(all)
}

// evidence says, beside the answer, how far it can be relied on.
func (a *app) evidence(ans *client.Answer, elapsed time.Duration, verbose bool) {
	if ans.Openings == 0 {
		a.notef("the query selects no file; nobody was asked\n")
		return
	}
	if ans.Result.Deviations != nil {
		a.notef("with noise: ± is one standard deviation of what owners' privacy terms add\n")
	}
	for _, n := range lostNotes(ans.Result) {
		a.notef("%s\n", n)
	}
	a.notef("%s from %s in %.1f s, %s\n", plural(ans.Openings, "number"), names(ans.Used), elapsed.Seconds(), size(ans.Bytes))
	switch {
	case ans.Unattested:
		a.notef("unattested: the gateway's part was recomputed by %s, and %d are needed\n", plural(ans.Attested, "keyholder"), ans.Needed)
	case ans.Attested > 0:
		a.notef("attested: the gateway's part was recomputed by %s, with the same result\n", plural(ans.Attested, "keyholder"))
	}
	if ans.Detectable > 0 {
		a.notef("checked: lies of up to %s would have been detected\n", plural(ans.Detectable, "keyholder"))
	} else {
		a.notef("unchecked: with %d answers a lying keyholder would not be detected\n", len(ans.Used))
	}
	for _, m := range ans.Liars {
		a.notef("LIED: keyholder %d (%s): %s\n", m.Number, m.Party, m.Reason)
	}
	for _, m := range ans.Disagreed {
		a.notef("disagreed: keyholder %d (%s) %s\n", m.Number, m.Party, m.Reason)
	}
	for _, m := range ans.Rejected {
		a.notef("set aside: keyholder %d (%s): %s\n", m.Number, m.Party, m.Reason)
	}
	for _, m := range ans.Homes {
		a.notef("home veto: keyholder %d (%s) took part and could have shifted the total\n", m.Number, m.Party)
	}
	a.decidedBy(ans, verbose)
	for _, r := range ans.Refusals {
		a.notef("refused: %s: %s [%s]\n", r.By, r.Message, r.Reason)
		if r.Remedy != "" {
			a.notef("  remedy: %s\n", r.Remedy)
		}
	}
	a.notef("query %s\n", ans.Query)
}

// lostNotes says where noise can have cost a value.
func lostNotes(r *plan.Result) []string {
	notes := []string{}
	for i, n := range r.Lost {
		if n > 0 {
			notes = append(notes, fmt.Sprintf("%s is NULL in %d of %s: noise can make a count of rows 0 or less, and there is no average over that", r.Columns[i].Name, n, plural(len(r.Rows), "row")))
		}
	}
	return notes
}

func names(ms []client.Member) string {
	var out []string
	for _, m := range ms {
		out = append(out, string(m.Party))
	}
	return fmt.Sprintf("%s (%s)", plural(len(ms), "keyholder"), strings.Join(out, ", "))
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
