package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
)

type statusCmd struct {
	dirFlag
	JSON bool `name:"json" help:"Print JSON."`
}

func (statusCmd) Help() string {
	return `Reads the ledger, also while the keyholder runs. Needs no passphrase: the ledger
holds nothing secret.

Example:
  carnet-keyholder status --dir /var/lib/carnet --json`
}

func (c *statusCmd) Run(ctx context.Context, s streams) error {
	l, err := keyholder.ReadLedger(c.ledger())
	if err != nil {
		return err
	}
	defer l.Close()
	st, err := l.Status(ctx)
	if err != nil {
		return err
	}
	mark, err := agefile.ReadMark(agefile.MarkFile(c.keystore()))
	if err != nil {
		return err
	}
	st.Marked = mark.Size
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(st)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "party\t%s\n", st.Party)
	c.ownKeys(w, st.Own)
	fmt.Fprintf(w, "journal\t%d entries, head %s\n", st.Size, st.Head)
	fmt.Fprintf(w, "co-signed\tup to %d\n", st.Cosigned)
	if mark.Size > st.Size {
		fmt.Fprintf(w, "REPLAY\tup to %d: the ledger is older than what was signed; until then nothing is answered\n", mark.Size)
	}
	for _, c := range slices.Sorted(maps.Keys(st.Quorums)) {
		fmt.Fprintf(w, "quorum\t%d entries by committee %.16s\n", st.Quorums[c], c)
	}
	for _, kind := range slices.Sorted(maps.Keys(st.Outcomes)) {
		fmt.Fprintf(w, "queries\t%d with outcome %s\n", st.Outcomes[kind], kind)
	}
	if st.Unsent > 0 {
		fmt.Fprintf(w, "unsent\t%d\n", st.Unsent)
	}
	if st.Halted != "" {
		fmt.Fprintf(w, "HALTED\t%s\n", st.Halted)
	}
	fmt.Fprintf(w, "keys\t%d\n", len(st.Keys))
	for _, k := range st.Keys {
		fmt.Fprintf(w, "  %s\t%s\t%d numbers charged\t%s\n", k.Key, k.State, k.Charged, strings.TrimSpace(k.Reason+" "+fate(k)))
	}
	for _, x := range st.Privacy {
		budget(w, x)
	}
	return w.Flush()
}

// budget prints what was taken from the privacy budget of a dataset.
func budget(w io.Writer, x keyholder.BudgetStatus) {
	text := x.Spent + " spent"
	if x.Budget != "" {
		text = x.Spent + " of " + x.Budget + " spent"
	}
	if x.Refused > 0 {
		text += fmt.Sprintf(", %d queries did not fit", x.Refused)
	}
	fmt.Fprintf(w, "privacy\t%s\t%s\n", x.Dataset, text)
}

// fate says what became of a key elsewhere, as far as statements in the journal say.
func fate(k keyholder.KeyStatus) string {
	var out []string
	if k.Retired {
		out = append(out, "retired by its owner")
	}
	if len(k.Destroyed) > 0 {
		out = append(out, fmt.Sprintf("destroyed by %d of %d keyholders", len(k.Destroyed), k.Members))
	}
	if !k.Opens {
		out = append(out, "nothing opens any more")
	}
	return strings.Join(out, ", ")
}
