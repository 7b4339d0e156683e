package history

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/overlap"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/terms"
)

// JudgeOverlaps has a State without entries judge what the queries of the log tell
// together about few owners, as keyholders do: with it what nobody answers for that costs no
// budget, and Overlap tells. The seed has to be random and is told nobody.
//
// It is the rule that is not written a second time: judges that draw for themselves come to
// the same verdict, and the audit's tests compare it with plain elimination.
func (s *State) JudgeOverlaps(seed [32]byte) { s.docket = overlap.NewDocket(seed) }

// Overlap is why nobody answers a query for what it tells together with those before it: an
// error of kind Refused. It is nil for others, and without JudgeOverlaps; of kind Internal if
// this program could not find it out.
func (s *State) Overlap(query carnet.Hash) error {
	if c := s.cases[query]; c != nil {
		return s.overlap(c)
	}
	return nil
}

// overlap is the verdict. That a fault of the audit refuses is so for the judge that met it: who
// reads a log learns nothing of others' verdict from its own fault, and accuses nobody of another.
// The error is of kind Internal then.
func (s *State) overlap(c *Case) error {
	if s.docket == nil {
		return nil
	}
	err := s.docket.Verdict(c.Seq)
	if carnet.ReasonOf(err) == overlap.Fault {
		return carnet.E(carnet.Internal, overlap.Fault, "a fault of this program met the query, or one about owners that are linked with it: what they tell together was not found out").
			Fix("report the fault, and use a version of this program without it")
	}
	return err
}

// OverlapOf is Overlap of a query that was only weighed.
func (s *State) OverlapOf(c *Case) error { return s.overlap(c) }

// note takes in a query that its buyer signed.
func (s *State) note(c *Case) {
	if s.docket == nil {
		return
	}
	var datasets []overlap.Dataset
	for _, in := range c.Inputs {
		datasets = append(datasets, overlap.Dataset{ID: in.Manifest.Body.ID, Need: in.Manifest.Body.Terms.MinOwners})
	}
	s.docket.Note(c.Seq, datasets, func() (*plan.Plan, error) { return c.counted(), nil })
}

// counted is the plan of a query that counts as released, nil if all keyholders refuse it by
// what is in the log.
func (c *Case) counted() *plan.Plan {
	if !c.whole() || oneCommittee(c) != nil {
		return nil
	}
	rest := c.plan == nil && c.planErr == nil // nobody else needs it
	p, err := c.Plan()
	if rest {
		defer c.Rest()
	}
	if err != nil || len(p.Openings) == 0 || p.Across && terms.Unlisted(p) != nil || p.Private != nil && c.Query.Private == nil || terms.Grouped(p) != nil {
		return nil
	}
	return p
}

// DemandsCompany reports whether the terms of some dataset demand more owners than one. Only
// then does JudgeOverlaps make a difference: without it what was refused for overlaps is in
// the accounts, which then are larger than keyholders' are.
func (s *State) DemandsCompany() bool {
	for _, m := range s.manifests {
		if m.Body.Terms.MinOwners > 1 {
			return true
		}
	}
	return false
}
