package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/terms"
)

// Whose approval an obligation can demand.
const (
	ApprovalOwner = "owner" // of every owner of the datasets
	ApprovalJudge = "judge" // of somebody of whoever decides by the bundle
)

// Obligations are what an allowed flow has to keep. Of several decisions the strictest
// count, see Stricter. A judge keeps them or refuses, see Unmet.
type Obligations struct {
	MinOwners  int       `json:"min_owners"`  // least number of owners in every released number
	MinGroup   int64     `json:"min_group"`   // least number of records behind every released number; 0: any
	Noise      bool      `json:"noise"`       // every released number has noise
	Purposes   []string  `json:"purposes"`    // what results may be used for; empty: anything
	Approval   []string  `json:"approval"`    // ApprovalOwner, ApprovalJudge
	ValidUntil time.Time `json:"valid_until"` // when the decision is not relied on any more
}

// Stricter returns the obligations that keep both. Purposes that have nothing in common
// leave one that nobody can state.
func (o Obligations) Stricter(p Obligations) Obligations {
	o.MinOwners = max(o.MinOwners, p.MinOwners)
	o.MinGroup = max(o.MinGroup, p.MinGroup)
	o.Noise = o.Noise || p.Noise
	o.Approval = ascending(append(slices.Clone(o.Approval), p.Approval...))
	switch {
	case len(o.Purposes) == 0:
		o.Purposes = p.Purposes
	case len(p.Purposes) > 0:
		o.Purposes = slices.DeleteFunc(slices.Clone(o.Purposes), func(s string) bool { return !slices.Contains(p.Purposes, s) })
		if len(o.Purposes) == 0 {
			o.Purposes = []string{"none"}
		}
	}
	if o.ValidUntil.IsZero() || !p.ValidUntil.IsZero() && p.ValidUntil.Before(o.ValidUntil) {
		o.ValidUntil = p.ValidUntil
	}
	return o
}

// canonical brings the obligations into one form, or says what is wrong with them.
func (o *Obligations) canonical() error {
	switch {
	case o.MinOwners < 1 || o.ValidUntil.IsZero():
		return fmt.Errorf("its obligations are incomplete")
	case o.MinGroup < 0:
		return fmt.Errorf("it obliges to a negative minimum group")
	case slices.ContainsFunc(o.Approval, func(a string) bool { return a != ApprovalOwner && a != ApprovalJudge }):
		return fmt.Errorf("it obliges to an approval other than %s and %s", ApprovalOwner, ApprovalJudge)
	case slices.Contains(o.Purposes, ""):
		return fmt.Errorf("it obliges to a purpose without a name")
	}
	o.Purposes, o.Approval, o.ValidUntil = ascending(o.Purposes), ascending(o.Approval), o.ValidUntil.UTC()
	return nil
}

func ascending(l []string) []string {
	l = list(l)
	slices.Sort(l)
	return slices.Compact(l)
}

// Unmet is an obligation that a query does not keep.
type Unmet struct {
	Dataset carnet.DatasetID // empty: of the query as a whole
	Message string
	Remedy  string
}

// ReasonUnmet is the reason of refusals by an obligation.
const ReasonUnmet = "OBLIGATION_UNMET"

// Unmet lists the obligations that a query does not keep: what its datasets' terms give
// is compared with what is demanded. Approval is not among them: a query waits for it.
func (o *Obligations) Unmet(p *plan.Plan, purpose string, now time.Time) (out []Unmet) {
	add := func(d carnet.DatasetID, remedy, format string, args ...any) {
		out = append(out, Unmet{d, fmt.Sprintf(format, args...), remedy})
	}
	if !now.Before(o.ValidUntil) {
		add("", "ask the judge to review what the decision rests on: an instrument, terms or a ruling has ended",
			"the decision holds until %s, which has passed", o.ValidUntil.Format(time.RFC3339))
	}
	if len(o.Purposes) > 0 && !slices.Contains(o.Purposes, purpose) {
		add("", fmt.Sprintf("needs one of the purposes %v", o.Purposes), "the result may not be used for %q", purpose)
	}
	fewest := terms.FewestOwners(p)
	for i := range p.Datasets {
		d := &p.Datasets[i].Manifest
		has := terms.Provided(&d.Terms)
		if fewest[i] < o.MinOwners {
			add(d.ID, fmt.Sprintf("needs at least %d owners in every number: do not tell them apart by owner, jurisdiction or partitions", o.MinOwners),
				"numbers of %s must combine at least %d owners, and one of this query combines %d", d.ID, o.MinOwners, fewest[i])
		}
		if o.MinGroup > 1 && has.MinGroup < o.MinGroup {
			add(d.ID, fmt.Sprintf("needs terms of %s with a minimum group of at least %d: ask %s to publish them, or leave its data out", d.ID, o.MinGroup, d.Owner),
				"numbers of %s must be over at least %d records, and its terms guarantee %d", d.ID, o.MinGroup, has.MinGroup)
		}
		if o.Noise && !has.Noise {
			add(d.ID, fmt.Sprintf("needs terms of %s with noise: ask %s to publish them, or leave its data out", d.ID, d.Owner),
				"numbers of %s must be released with noise, and its terms have none", d.ID)
		}
	}
	return out
}

// Words are the obligations in a sentence.
func (o Obligations) Words() string {
	var out []string
	if o.MinOwners > 1 {
		out = append(out, fmt.Sprintf("at least %d owners in every number", o.MinOwners))
	}
	if o.MinGroup > 1 {
		out = append(out, fmt.Sprintf("at least %d records behind it", o.MinGroup))
	}
	if o.Noise {
		out = append(out, "with noise")
	}
	if len(o.Purposes) > 0 {
		out = append(out, "for "+strings.Join(o.Purposes, " or ")+" only")
	}
	for _, a := range o.Approval {
		out = append(out, map[string]string{ApprovalOwner: "approved by the owners", ApprovalJudge: "approved by whoever decides"}[a])
	}
	return strings.Join(append(out, "decided until "+o.ValidUntil.Format(time.DateOnly)), "; ")
}
