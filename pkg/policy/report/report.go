// Package report writes assessments for people: as text, and as a page for printing. It is
// what the CLI prints and what REST answers to who asks for text or HTML.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/policy"
)

// NotAdvice stands on every report.
const NotAdvice = "This is not legal advice. Rules are facts as somebody read them; declarations are the owner's."

// Assessed is what would be decided about one thing.
type Assessed struct {
	Title    string
	Allow    bool
	Refusals []Refusal
	Rules    []*Ruled // by flow; empty if owners' terms alone decide
}

// Refusal is why not.
type Refusal struct{ By, Reason, Message, Remedy string }

// Ruled is what a bundle said about a flow.
type Ruled struct {
	Flow     policy.Flow
	Allow    bool
	Bundle   string // digest
	Name     string
	Version  int64
	Decision policy.Decision
}

// Read reads a decision as a gateway tells it.
func (r *Ruled) Read(decision []byte) error {
	if err := json.Unmarshal(decision, &r.Decision); err != nil {
		return carnet.E(carnet.Internal, "GATEWAY_WRONG", "the gateway's decision is not in the form that this version knows").Because(err)
	}
	return nil
}

// Others are the refusals that no finding tells about: all, if there are no rules.
func (x *Assessed) Others() (out []Refusal) {
	for _, r := range x.Refusals {
		switch r.Reason {
		case policy.ReasonUnmet, "POLICY_DEMANDED", "POLICY_STALE":
			out = append(out, r)
		default:
			if len(x.Rules) == 0 {
				out = append(out, r)
			}
		}
	}
	return out
}

// Said is what a rule says about a dataset, of all the borders that it says the same of.
type Said struct {
	policy.Finding
	Border   string   // such as "CN to CH, KZ"
	Remedies []string // one may be for one border only
}

// Said lists the findings of the decision, those that differ by where the data would go
// as one, in the order in which each was made first.
func (r *Ruled) Said() (out []Said) {
	at := map[policy.Finding]int{}
	for _, f := range r.Decision.Findings {
		key := f
		key.To, key.Remedy = "", ""
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, Said{Finding: f, Border: f.Border()})
			i = len(out) - 1
		} else if f.To != "" {
			out[i].Border += ", " + string(f.To)
		}
		if f.Remedy != "" && !slices.Contains(out[i].Remedies, f.Remedy) {
			out[i].Remedies = append(out[i].Remedies, f.Remedy)
		}
	}
	return out
}

// Text writes assessments for a terminal.
func Text(w io.Writer, all []Assessed) {
	for i := range all {
		all[i].text(w)
	}
}

func (x *Assessed) text(w io.Writer) {
	verdict := "would be accepted"
	if !x.Allow {
		verdict = "would be refused"
	}
	fmt.Fprintf(w, "%s: %s\n", x.Title, verdict)
	if len(x.Rules) == 0 {
		fmt.Fprintf(w, "  the gateway decides by owners' terms alone\n")
	}
	for _, r := range x.Others() {
		fmt.Fprintf(w, "  refused by %s: %s [%s]\n    remedy: %s\n", r.By, r.Message, r.Reason, r.Remedy)
	}
	for _, r := range x.Rules {
		fmt.Fprintf(w, "  %s, by %s version %d: %s\n", r.Flow, r.Name, r.Version, map[bool]string{true: "allowed", false: "refused"}[r.Allow])
		for _, f := range r.Said() {
			fmt.Fprintf(w, "    %-6s %s (%s): %s\n", f.Effect, f.Rule, f.Border, f.Message)
			if f.Blocks() {
				fmt.Fprintf(w, "           %s\n           since %s, confidence %s, %s\n", f.Law, f.InForce, f.Confidence, f.Source)
			}
			for _, remedy := range f.Remedies {
				fmt.Fprintf(w, "           remedy: %s\n", remedy)
			}
		}
		if r.Allow {
			fmt.Fprintf(w, "    %s\n", r.Decision.Obligations.Words())
		}
	}
}
