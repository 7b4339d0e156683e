package keyholder

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/overlap"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/terms"
)

// overlaps judges what the queries of the journal tell together, in its order. Like
// charges, that depends on the journal alone: a query counts as released whether it was
// answered or not, unless every keyholder refuses it by what is in the journal.
type overlaps struct {
	mu     sync.Mutex
	docket *overlap.Docket
	judged *Case // whose plan is needed afterwards
}

// newOverlaps draws what nobody else knows, see package overlap.
func newOverlaps(log *slog.Logger) *overlaps {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	d := overlap.NewDocket(seed)
	d.Fault = func(entry int64, panicked any) {
		log.Error("a fault of this program; report it: queries about owners linked with this one are refused", "entry", entry, "panic", fmt.Sprint(panicked))
	}
	return &overlaps{docket: d}
}

// note takes in a query of the journal, nil for other statements.
func (o *overlaps) note(c *Case) {
	if c == nil || c.invalid != nil || c.buyer == nil {
		return
	}
	var datasets []overlap.Dataset
	for _, in := range c.inputs {
		datasets = append(datasets, overlap.Dataset{ID: in.manifest.body.ID, Need: in.manifest.body.Terms.MinOwners})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.docket.Note(c.Seq, datasets, func() (*plan.Plan, error) {
		if c != o.judged {
			defer c.rest()
		}
		return c.counted()
	})
}

// refuses reports whether nobody answers a query of the journal for what it tells together
// with those before it. It costs no budget then, as with one that does not fit in.
func (o *overlaps) refuses(c *Case) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return carnet.KindOf(o.docket.Verdict(c.Seq)) == carnet.Refused
}

// counted is the plan of a query that counts as released, nil if all keyholders refuse it.
func (c *Case) counted() (*plan.Plan, error) {
	if !c.signed() || checkOneCommittee(c) != nil {
		return nil, nil
	}
	p, err := c.compile()
	if err != nil || len(p.Openings) == 0 || p.Across && terms.Unlisted(p) != nil || p.Private != nil && c.Query.Private == nil || terms.Grouped(p) != nil {
		return nil, nil
	}
	return p, nil
}

// checkOverlap: the numbers of the query and those of queries before it in the journal tell
// nothing about fewer owners than terms demand. It does not depend on this keyholder's
// policy. A refused query counts as never asked for those after it.
func checkOverlap(_ context.Context, k *Keyholder, c *Case) error {
	k.overlaps.mu.Lock()
	defer k.overlaps.mu.Unlock()
	k.overlaps.judged = c
	return k.overlaps.docket.Verdict(c.Seq)
}
