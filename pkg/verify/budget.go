package verify

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/share"
)

// Whole reads all entries of the log up to a size, in order.
type Whole interface {
	// ReadLog calls do with every entry from the first one on and returns the state that
	// they make.
	ReadLog(ctx context.Context, size int64, do func(*evidence.Entry) error) (carnet.Checkpoint, error)
}

// budget replays the charges to privacy budgets. Of the bundle's entries alone that is what
// the query and those in the bundle cost; with the whole log it is what everybody spent.
func (v *verifier) budget() {
	check := v.checks[CheckBudget]
	v.payments(check, v.c.Payments)
	if len(v.c.Payments) == 0 {
		check.idle("no dataset of the query has a privacy budget")
		return
	}
	check.found("counted over the queries in the bundle; what others spent takes the whole log (--log)")
	check.done()
}

// payments judges what a query took from budgets.
func (v *verifier) payments(check *Check, list []history.Payment) {
	for _, p := range list {
		check.found("dataset %s: the query costs %s, %s of %s were spent before", p.Dataset, privacy.Format(p.Cost), privacy.Format(p.Before), privacy.Format(p.Budget))
		if privacy.Add(p.Before, p.Cost) > p.Budget && len(v.c.Answers) > 0 {
			check.fault(v.queryPart(), "BUDGET_SPENT", "the query was answered, and dataset %s can't pay %s for it: %s of %s were spent before", p.Dataset,
				privacy.Format(p.Cost), privacy.Format(p.Before), privacy.Format(p.Budget))
		}
	}
}

// whole reads the log that the bundle is from and counts what all queries before this one
// opened and spent.
func (v *verifier) whole() {
	check := v.checks[CheckWhole]
	if v.Log == nil {
		check.idle("a bundle is about one query; with --log the whole log is read and all queries before are counted")
		return
	}
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	keys := map[carnet.KeyID]map[carnet.Hash]bool{}
	across := map[carnet.KeyID]map[carnet.Hash]bool{}
	for _, key := range p.Cost.Keys() {
		keys[key], across[key] = map[carnet.Hash]bool{}, map[carnet.Hash]bool{}
	}
	dealt := map[carnet.KeyID]int64{} // opened before the log's redealings say, beyond what is counted
	state := history.New(v.Registrar)
	state.JudgeOverlaps(v.Seed)
	at, err := v.Log.ReadLog(v.ctx, v.bundle.Checkpoint.Size, func(e *evidence.Entry) error {
		if e.Seq > v.c.Seq {
			return nil // it is there for the root: nothing that came later counts
		}
		ev, err := state.Apply(e.Seq, e.Envelope)
		if err == nil && ev.Redealt != nil && e.Seq < v.c.Seq {
			key := ev.Redealt.Key
			dealt[key] = max(dealt[key], ev.Redealt.Released-int64(len(keys[key])))
		}
		if err != nil || ev.Type != carnet.TypeQuery {
			return nil //nolint:nilerr // what has no effect opens nothing
		}
		defer ev.Case.Rest()
		charges, err := ev.Case.Charges()
		if err != nil {
			return nil //nolint:nilerr // nor does what can't be compiled
		}
		for _, c := range charges {
			if keys[c.Key] != nil {
				keys[c.Key][c.Opened] = true
				if c.Across {
					across[c.Key][c.Opened] = true
				}
			}
		}
		return nil
	})
	switch {
	case err != nil:
		check.failed("the log", err)
		return
	case at != v.bundle.Checkpoint.Checkpoint:
		check.fault("the log", "SPLIT_VIEW", "its first %d entries have root %s, the bundle's log has %s: two histories were shown", at.Size, at.Head, v.bundle.Checkpoint.Head)
		return
	}
	check.found("%d entries of the log, root %s: the bundle's", at.Size, at.Head)
	for _, key := range p.Cost.Keys() {
		n := int64(len(keys[key])) + dealt[key]
		check.found("%d of %d numbers of key %s, all queries so far together", n, p.Cost.MaxReleases, key)
		if len(v.c.Answers) > 0 && (n > p.Cost.MaxReleases || int64(len(across[key])) > share.MaxCrossReleases) {
			check.fault(v.queryPart(), "RELEASES_EXHAUSTED", "with this query %d numbers of key %s were asked for, and %d may be opened", n, key, p.Cost.MaxReleases)
		}
	}
	err = state.Overlap(v.bundle.Query)
	if carnet.KindOf(err) == carnet.Refused && len(v.c.Answers) > 0 {
		check.fault(v.queryPart(), carnet.ReasonOf(err), "the query was answered, and its numbers tell something about too few owners, together with what was asked before")
	}
	if c := state.Case(v.bundle.Query); c != nil {
		v.payments(check, c.Payments)
	}
	if check.done(); err != nil && carnet.KindOf(err) == carnet.Internal {
		check.skip("%v", err)
	}
}
