package policy

import (
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Reasons of refusals by a bundle.
const (
	ReasonDenied = "POLICY_DENIED"
	ReasonRuling = "NEEDS_LEGAL_RULING"
)

// Reason is the stable identifier of a finding that blocks.
func (f *Finding) Reason() string {
	if f.Effect == EffectRuling {
		return ReasonRuling
	}
	return ReasonDenied
}

// Text is the finding for whoever is refused: what is wrong, by which rule, and where
// that can be read.
func (f *Finding) Text(flow Flow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, %s): %s. Rule %s: %s; ", f.Dataset, flow, f.Border(), f.Message, f.Rule, f.Law)
	if f.Status != "in_force" {
		fmt.Fprintf(&b, "%s, ", f.Status)
	}
	fmt.Fprintf(&b, "since %s", f.InForce)
	if f.Until != "" {
		fmt.Fprintf(&b, " until %s", f.Until)
	}
	fmt.Fprintf(&b, ", confidence %s, %s", f.Confidence, f.Source)
	return b.String()
}

// Border is where the data would go from where.
func (f *Finding) Border() string {
	if f.To == "" {
		return string(f.From)
	}
	return string(f.From) + " to " + string(f.To)
}

// ByOwner reports whether the finding is about an owner's terms, which are judged in Go
// as well.
func (f *Finding) ByOwner() bool { return strings.HasPrefix(f.Rule, "terms.") }

// Denied is a refusal by a bundle as an error: the first finding is the reason, the
// others follow, and the records of what was decided go into the signed decision.
type Denied struct {
	err     *carnet.Error
	records []carnet.Judged
}

func (d *Denied) Error() string { return d.err.Error() }

// Unwrap shows the error to errors.As.
func (d *Denied) Unwrap() error { return d.err }

// Judged returns the records.
func (d *Denied) Judged() []carnet.Judged { return d.records }

// Blocked is a finding that keeps a flow from happening.
type Blocked struct {
	Flow Flow
	Finding
}

// Refusal makes an error of kind Refused from findings that block and obligations that
// are not kept; nil if there are none.
func Refusal(findings []Blocked, unmet []Unmet, records []carnet.Judged) error {
	if len(findings) == 0 && len(unmet) == 0 {
		return nil
	}
	if len(findings) == 0 {
		e := carnet.E(carnet.Refused, ReasonUnmet, "%s", unmet[0].Message)
		e.Remedy = unmet[0].Remedy
		return &Denied{withUnmet(e, unmet[1:]), records}
	}
	first := &findings[0]
	e := carnet.E(carnet.Refused, first.Reason(), "%s", first.Text(first.Flow))
	e.Remedy = first.Remedy
	for i := range findings[1:] {
		f := &findings[1+i]
		e = e.With(f.Rule, "%s; %s", f.Text(f.Flow), f.Remedy)
	}
	return &Denied{withUnmet(e, unmet), records}
}

func withUnmet(e *carnet.Error, unmet []Unmet) *carnet.Error {
	for _, u := range unmet {
		e = e.With("obligation", "%s; %s", u.Message, u.Remedy)
	}
	return e
}
