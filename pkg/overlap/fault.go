package overlap

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// A panic in here would end whoever judges, and meet it again at every replay of the journal:
// nobody would be answered any more, about whatever data. So it is a refusal, recorded once
// like any other. What the audit remembers of these owners may be half written then, and if
// the fault hangs on the judge's own randomness others have released the numbers; so
// everything about owners who are linked with the query, by queries before or after it, is
// refused too, until a program without the fault reads the journal. Others are judged
// on.

// guarded runs a step about the query of an entry, or about one that was not noted (-1). ok is
// false if it panicked; then Fault heard of it.
func (d *Docket) guarded(entry int64, step func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			d.audit.last = nil // what was found harmless last may be half forgotten
			if d.Fault != nil {
				d.Fault(entry, r)
			}
		}
	}()
	step()
	return true
}

// admit loads and judges a query that was noted; err is of load.
func (d *Docket) admit(x *noted) (err error) {
	ok := d.guarded(x.entry, func() {
		var p *plan.Plan
		if p, err = x.load(); err != nil || p == nil {
			return
		}
		if refusal := d.audit.Admit(p); refusal != nil {
			d.refused[x.entry] = refusal
		}
	})
	if !ok {
		d.broken[d.root(x.owner)] = true
		d.refused[x.entry], err = faulty(), nil
	}
	return err
}

// Fault is the reason of refusals for a fault of the program.
const Fault = "OVERLAP_FAULT"

func faulty() error {
	return carnet.E(carnet.Refused, Fault, "a fault of the program met this query, or one about owners that are linked with it, and what they tell together was not found out").
		Fix("tell the operator, whose log has the fault, to report it; a version of the program without it judges all of them again")
}
