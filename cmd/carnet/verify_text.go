package main

import (
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/verify"
)

// marks stand before the lines of a checklist.
var marks = map[verify.Status]string{verify.Passed: "[x]", verify.Failed: "[!]", verify.NotChecked: "[ ]", verify.NotNeeded: "[-]"}

// verdicts say a verdict in a sentence.
var verdicts = map[verify.Verdict]string{
	verify.Verified:   "VERIFIED: every check passed.",
	verify.Incomplete: "NOTHING FAILED, but not everything was checked; see the lines marked [ ].",
	verify.Broken:     "FAILED: do not rely on this file; see the lines marked [!].",
}

// report prints a checklist.
func (a *app) report(file string, r *verify.Report) {
	a.printf("%s\nSHA-256 %s\n", file, r.Bundle)
	if o := r.Registrar; o != nil {
		a.printf("\nTHE REGISTRAR'S KEY IS PROBABLY NOT THE RIGHT ONE FOR THIS FILE.\n%s\n\n  given:  %s\n  named:  %s\n\nfix: %s\n", o.Message, o.Given, o.Named, o.Remedy)
	}
	if q := r.Query; q != nil {
		a.printf("\nquery      %s, entry %d of the log\nasked by   %s (%s) on %s\npurpose    %s\nproducts   %s\ndatasets   %s\n", q.Hash, q.Entry, q.Buyer, q.From,
			q.Created.UTC().Format("2006-01-02 15:04:05 MST"), q.Purpose, text(q.Products), text(q.Datasets))
		for i, line := range strings.Split(strings.TrimSpace(q.SQL), "\n") {
			label := "text"
			if i > 0 {
				label = ""
			}
			a.printf("%-10s %s\n", label, line)
		}
		released := "no: too few keyholders answered"
		if q.Released {
			released = "yes: the buyer could open the answer"
		}
		a.printf("released   %s\n", released)
	}
	if d := r.Document; d != nil {
		a.printf("\n%-10s %s\nsigned by  %s\nstatement  %s%s\ncommittee  %s\n", d.Kind, d.Subject, d.By, d.Statement, entryOf(d), d.Committee)
	}
	a.printf("\n")
	for _, c := range r.Checks {
		a.printf("%s %s (%s)\n", marks[c.Status], c.Title, c.ID)
		if c.Status == verify.Passed {
			a.printf("      %s\n", c.Meaning)
		}
		if c.Why != "" {
			a.printf("      %s: %s\n", c.Status, c.Why)
		}
		for _, f := range c.Faults {
			a.printf("      %s: %s [%s]\n", f.Part, f.Message, f.Reason)
		}
		for _, f := range c.Found {
			a.printf("      - %s\n", f)
		}
	}
	a.printf("\n%s\n", verdicts[r.Verdict])
}

// text lists identifiers.
func text[T ~string](ids []T) string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return strings.Join(out, ", ")
}

// entryOf says where a document's statement is.
func entryOf(d *verify.Paper) string {
	if d.Entry < 0 {
		return ", not in the log"
	}
	return fmt.Sprintf(", entry %d of the log", d.Entry)
}
