package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
)

type reshareCmd struct {
	dirFlag
	JSON bool `name:"json" help:"Print JSON."`
}

func (reshareCmd) Help() string {
	return `Lists the keys that their owners let other committees have, of which this keyholder
holds parts or is to hold some, and how far each is on its way. Reads the ledger, also
while the keyholder runs.

Parts are handed on by a running keyholder whose operator lets it, with
carnet-keyholder run --reshare-to COMMITTEE. From then on the members of that committee
can open the key together, whether or not the rest follows. The key is opened by the new
committee from the entry of the journal on in which all its members signed; the old
parts are destroyed when the queries that came before are answered.

Example:
  carnet-keyholder reshare --dir /var/lib/carnet`
}

func (c *reshareCmd) Run(ctx context.Context, s streams) error {
	l, err := keyholder.ReadLedger(c.ledger())
	if err != nil {
		return err
	}
	defer l.Close()
	all, err := l.Resharings(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	if len(all) == 0 {
		fmt.Fprintln(s.out, "no key may move to another committee")
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, r := range all {
		fmt.Fprintf(w, "key %s\tto %s\n", r.Key, r.Committee)
		fmt.Fprintf(w, "  handed on by\t%v, needed are %d that say the same\n", r.Handed, r.Needed)
		if r.Number > 0 {
			fmt.Fprintf(w, "  holds parts\tas keyholder %d\n", r.Number)
		}
		if r.NewNumber > 0 {
			fmt.Fprintf(w, "  is to hold parts\tas keyholder %d\n", r.NewNumber)
		}
		if r.Agreed {
			fmt.Fprintf(w, "  agreed\twaits for the signatures of the new committee\n")
		}
		if len(r.Liars) > 0 {
			fmt.Fprintf(w, "  LIARS\t%v\n", r.Liars)
		}
		for _, x := range r.Split {
			fmt.Fprintf(w, "  DIFFERENT\tpart %03x: %s\n", x.Part, sides(x.Sides))
		}
	}
	return w.Flush()
}

func sides(all [][]carnet.PartyID) string {
	out := ""
	for i, s := range all {
		if i > 0 {
			out += " against "
		}
		out += fmt.Sprint(s)
	}
	return out
}
