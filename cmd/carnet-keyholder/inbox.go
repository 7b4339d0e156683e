package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
)

// inboxCmd is where people of a keyholder see queries that wait for them, and decide.
type inboxCmd struct {
	List    inboxListCmd    `cmd:"" default:"withargs" help:"List the queries that wait for somebody here."`
	Show    inboxShowCmd    `cmd:"" help:"Show a query in words."`
	Approve inboxApproveCmd `cmd:"" help:"Approve a query."`
	Refuse  inboxRefuseCmd  `cmd:"" help:"Refuse a query."`
}

type inboxListCmd struct {
	dirFlag
	All  bool `help:"Also queries that waited, and those that wait for owners only."`
	JSON bool `name:"json" help:"Print JSON."`
}

func (inboxListCmd) Help() string {
	return `Reads the ledger, also while the keyholder runs. Which queries wait is said by approval.yaml
in the directory and by the policy bundle; see docs/howto/approvals.md.

Example:
  carnet-keyholder inbox --dir /var/lib/carnet`
}

func (c *inboxListCmd) Run(ctx context.Context, s streams) error {
	l, err := keyholder.ReadLedger(c.ledger())
	if err != nil {
		return err
	}
	defer l.Close()
	list, err := l.Consents(ctx, c.All)
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(s, list)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "QUERY\tBUYER\tFROM\tPURPOSE\tUNTIL\tSTATE")
	for _, x := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.Query, x.Asked.Buyer, x.Asked.Jurisdiction, command.Line(x.Asked.Purpose), x.Until.Format("2006-01-02 15:04"), standing(x))
	}
	return w.Flush()
}

// standing is how far a query has come.
func standing(x *keyholder.Consent) string {
	switch {
	case x.Outcome != "":
		return x.Outcome
	case x.Decision != "":
		return x.Decision
	case !x.Own:
		return "waits for owners"
	}
	return "waits"
}

type inboxShowCmd struct {
	dirFlag
	Query string `arg:"" help:"Query as the list names it, or the first 8 or more digits."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

func (inboxShowCmd) Help() string {
	return `Shows who asks what for what, why it waits, what would be computed, the terms of every dataset,
and what the rules of this keyholder said. The texts were made by the keyholder from signed
statements; all of it is public.

Example:
  carnet-keyholder inbox show --dir /var/lib/carnet 5f0c93b1`
}

func (c *inboxShowCmd) Run(ctx context.Context, s streams) error {
	l, err := keyholder.ReadLedger(c.ledger())
	if err != nil {
		return err
	}
	defer l.Close()
	id, err := queryID(ctx, l, c.Query)
	if err != nil {
		return err
	}
	x, err := l.Consent(ctx, id)
	if err != nil {
		return err
	}
	if x == nil {
		return carnet.E(carnet.NotFound, "NOT_ASKED", "no query %s waits here", id).Fix("carnet-keyholder inbox lists those that do")
	}
	if c.JSON {
		return encode(s, x)
	}
	show(s.out, x)
	return nil
}

// show writes a query for who decides about it. Buyers choose its purpose and text, and
// could make them look like the rest.
func show(w io.Writer, x *keyholder.Consent) {
	a := &x.Asked
	w = command.PlainWriter{W: w}
	fmt.Fprintf(w, "query    %s\nbuyer    %s (%s), %s\npurpose  %s\nexpires  %s\nstate    %s, until %s\n", x.Query, a.Buyer, command.Line(a.BuyerName), a.Jurisdiction,
		command.Line(a.Purpose), a.Expires.Format(time.RFC3339), standing(x), x.Until.Format(time.RFC3339))
	if x.Decision != "" {
		fmt.Fprintf(w, "decided  %s by %s at %s %s\n", x.Decision, x.By, x.At.Format(time.RFC3339), command.Line(x.Reason))
	}
	if len(a.Owners) > 0 {
		fmt.Fprintf(w, "owners   %v have to approve it, too\n", a.Owners)
	}
	fmt.Fprintf(w, "\n  %s\n", strings.ReplaceAll(strings.TrimSpace(a.SQL), "\n", "\n  "))
	for _, part := range []struct {
		title string
		lines []string
	}{{"it waits because of", a.Why}, {"what would be computed", a.Plan}, {"terms", a.Terms}, {"what the rules said", a.Policy}} {
		if len(part.lines) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", part.title)
		for _, line := range part.lines {
			fmt.Fprintf(w, "  %s\n", command.Line(line))
		}
	}
}

type inboxApproveCmd struct {
	dirFlag
	command.Output
	Query string `arg:"" help:"Query as the list names it; the whole id."`
	Note  string `help:"For the ledger." placeholder:"TEXT"`
}

func (inboxApproveCmd) Help() string {
	return `Writes down that you approve the query; the keyholder that runs, or runs next, goes on with it.
It checks everything else again before it answers. The first decision counts. Whoever may
write the ledger's file may decide. The id is not abbreviated here: a buyer can make two
queries that begin alike, and have you told of the one and asked about the other.

Example:
  carnet-keyholder inbox approve --dir /var/lib/carnet 5f0c...e1`
}

func (c *inboxApproveCmd) Run(ctx context.Context, s streams) error {
	return decide(ctx, s, c.Output, c.dirFlag, c.Query, true, c.Note)
}

type inboxRefuseCmd struct {
	dirFlag
	command.Output
	Query  string `arg:"" help:"Query as the list names it; the whole id."`
	Reason string `required:"" help:"Why. It is signed and published, and the buyer is told." placeholder:"TEXT"`
}

func (inboxRefuseCmd) Help() string {
	return `The keyholder signs the refusal with the reason.

Example:
  carnet-keyholder inbox refuse --dir /var/lib/carnet 5f0c...e1 --reason "not for this purpose"`
}

func (c *inboxRefuseCmd) Run(ctx context.Context, s streams) error {
	return decide(ctx, s, c.Output, c.dirFlag, c.Query, false, c.Reason)
}

func decide(ctx context.Context, s streams, o command.Output, dir dirFlag, query string, allow bool, reason string) error {
	id, err := command.WholeID[carnet.Hash]("query", query, "carnet-keyholder inbox --all")
	if err != nil {
		return err
	}
	l, err := keyholder.WriteLedger(dir.ledger())
	if err != nil {
		return err
	}
	defer l.Close()
	by := "unknown"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	reason = strings.TrimSpace(reason)
	if err := l.Decide(ctx, id, allow, reason, by, time.Now().UTC()); err != nil {
		return err
	}
	decision := map[bool]string{true: "approved", false: "refused"}[allow]
	return o.Report(s.out, map[string]any{"query": id, "decision": decision, "reason": reason, "by": by}, "%s %s\n", decision, id)
}

// queryID reads the id of a query, or the beginning of one that waits or waited here. The
// ledger lists these, and this keyholder made it from what it checked.
func queryID(ctx context.Context, l *keyholder.Ledger, s string) (carnet.Hash, error) {
	return command.Find("query", s, "carnet-keyholder inbox --all", func() (out []command.Candidate[carnet.Hash], err error) {
		list, err := l.Consents(ctx, true)
		for _, x := range list {
			out = append(out, command.Candidate[carnet.Hash]{ID: x.Query, About: "by " + string(x.Asked.Buyer) + ", " + standing(x)})
		}
		return out, err
	})
}

func encode(s streams, v any) error { return command.JSON(s.out, v) }

// approvalRules reads which queries wait for somebody here; without a file, none do.
func approvalRules(path string, named bool) (r keyholder.ApprovalRules, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return r, nil
	}
	if err == nil {
		defer f.Close()
		d := yaml.NewDecoder(f)
		d.KnownFields(true)
		err = d.Decode(&r)
	}
	if err != nil {
		return r, carnet.E(carnet.Invalid, "BAD_APPROVAL_RULES", "%s can't be read", path).Because(err).
			Fix("correct the file; docs/howto/approvals.md shows one")
	}
	return r, r.Check()
}
