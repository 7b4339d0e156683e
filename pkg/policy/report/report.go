// Package report writes assessments for people: as text, and as a page for printing. It is
// what the CLI prints and what REST answers to who asks for text or HTML.
package report

import (
	"encoding/json"
	"fmt"
	"io"

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

// Findings are those of the decision, for the page.
func (r *Ruled) Findings() (out []*policy.Finding) {
	for i := range r.Decision.Findings {
		out = append(out, &r.Decision.Findings[i])
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
		for _, f := range r.Findings() {
			fmt.Fprintf(w, "    %-6s %s (%s): %s\n", f.Effect, f.Rule, f.Border(), f.Message)
			if f.Blocks() {
				fmt.Fprintf(w, "           %s\n           since %s, confidence %s, %s\n           remedy: %s\n", f.Law, f.InForce, f.Confidence, f.Source, f.Remedy)
			}
		}
		if r.Allow {
			fmt.Fprintf(w, "    %s\n", r.Decision.Obligations.Words())
		}
	}
}
