package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Effect is what a finding means for the flow.
type Effect string

const (
	EffectAllow  Effect = "allow"  // a rule that the flow may rest on
	EffectDeny   Effect = "deny"   // a rule that is not kept
	EffectRuling Effect = "ruling" // not known; denied until somebody who may has ruled on it
)

// Finding is what one rule said about one dataset.
type Finding struct {
	Effect     Effect              `json:"effect"`
	Rule       string              `json:"rule"`       // identifier, such as cn.middle-volume
	Dataset    carnet.DatasetID    `json:"dataset"`    // what it is about
	By         carnet.PartyID      `json:"by"`         // whose dataset that is
	From       carnet.Jurisdiction `json:"from"`       // the border; To is empty if none is crossed
	To         carnet.Jurisdiction `json:"to"`         //
	Message    string              `json:"message"`    // one sentence
	Remedy     string              `json:"remedy"`     // the smallest change that would pass; empty for allow
	Law        string              `json:"law"`        // what the rule comes from
	Source     string              `json:"source"`     // where that can be read
	InForce    string              `json:"in_force"`   // since when, a date
	Until      string              `json:"until"`      // when it ended; empty: it has not
	Status     string              `json:"status"`     // in_force, draft, repealed
	Confidence string              `json:"confidence"` // how sure the pack's authors are: high, medium, low
}

// Blocks reports whether the finding keeps the flow from happening.
func (f *Finding) Blocks() bool { return f.Effect != EffectAllow }

// Decision is the answer of a bundle to an input.
type Decision struct {
	Allow       bool        `json:"allow"`
	Findings    []Finding   `json:"findings"` // every rule that spoke, in canonical order
	Changes     []string    `json:"changes"`  // all of these together would pass; empty if allowed
	Obligations Obligations `json:"obligations"`
}

// Bytes is the canonical form. Equal decisions have equal bytes.
func (d *Decision) Bytes() ([]byte, error) { return json.Marshal(d) }

// Blocking lists the findings that keep the flow from happening.
func (d *Decision) Blocking() (out []Finding) {
	for _, f := range d.Findings {
		if f.Blocks() {
			out = append(out, f)
		}
	}
	return out
}

// noRounding says why an obligation to round is none: decision 27.
const noRounding = "rounding, which protects nobody: a buyer opens the exact number first; oblige to noise or a minimum group instead"

// raw is what rules return.
type raw struct {
	Allow       bool      `json:"allow"`
	Findings    []Finding `json:"findings"`
	Obligations struct {
		Obligations
		Rounding *ast.Term `json:"rounding"` // what nobody can keep: refused by name
	} `json:"obligations"`
}

// decisionOf checks what rules returned and brings it into canonical form. Rules that
// contradict themselves, refuse without a remedy, or make up effects decide nothing.
func decisionOf(t *ast.Term) (*Decision, error) {
	var r raw
	if err := readTerm(t, reflect.ValueOf(&r).Elem()); err != nil {
		return nil, fmt.Errorf("the decision has another form: %w", err)
	}
	if r.Obligations.Rounding != nil {
		return nil, fmt.Errorf("it obliges to %s", noRounding)
	}
	d := &Decision{Allow: r.Allow, Findings: list(r.Findings), Changes: []string{}, Obligations: r.Obligations.Obligations}
	slices.SortFunc(d.Findings, compare)
	d.Findings = slices.Compact(d.Findings)
	blocked := false
	for i := range d.Findings {
		f := &d.Findings[i]
		switch {
		case f.Effect != EffectAllow && f.Effect != EffectDeny && f.Effect != EffectRuling:
			return nil, fmt.Errorf("rule %s has the unknown effect %q", f.Rule, f.Effect)
		case f.Rule == "" || f.Message == "" || f.Law == "" || f.Source == "" || f.InForce == "" || f.Status == "" || f.Confidence == "":
			return nil, fmt.Errorf("rule %q does not say all of what it says and where that comes from", f.Rule)
		case f.Blocks() && f.Remedy == "":
			return nil, fmt.Errorf("rule %s refuses without a remedy", f.Rule)
		}
		if f.Blocks() {
			blocked = true
			d.Changes = append(d.Changes, f.Remedy)
		}
	}
	slices.Sort(d.Changes)
	d.Changes = slices.Compact(d.Changes)
	switch {
	case d.Allow && blocked:
		return nil, fmt.Errorf("it allows what one of its rules refuses")
	case !d.Allow && !blocked:
		return nil, fmt.Errorf("it refuses and no rule says why")
	case d.Allow && len(d.Findings) == 0:
		return nil, fmt.Errorf("it allows and no rule says why")
	}
	return d, d.Obligations.canonical()
}

// compare orders findings: what blocks first, then by border, dataset and rule.
func compare(a, b Finding) int {
	rank := map[Effect]int{EffectDeny: 0, EffectRuling: 1, EffectAllow: 2}
	return cmp.Or(cmp.Compare(rank[a.Effect], rank[b.Effect]),
		strings.Compare(string(a.From), string(b.From)), strings.Compare(string(a.To), string(b.To)),
		strings.Compare(string(a.Dataset), string(b.Dataset)), strings.Compare(a.Rule, b.Rule),
		strings.Compare(a.Message, b.Message), strings.Compare(a.Remedy, b.Remedy))
}
