package monitor

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/plan"
)

// maxAsked is how many different questions are kept to judge later ones by, a kilobyte or two
// each. With more the oldest are forgotten, and what is found then is to be asked about.
const maxAsked = 4096

// asked are the queries that what later ones tell is judged by: a monitor that goes on has
// them judged again in their order, as a keyholder does that starts.
type asked struct {
	most      int
	queries   []kept // ascending
	plans     map[carnet.Hash]bool
	forgotten int64
}

// together judges what a query tells with those before it, and keeps it if it adds something.
// It is called for every query that its buyer signed, whether it has an effect or not: so do
// keyholders.
func (m *Monitor) together(e *evidence.Entry, c *history.Case) error {
	a := &m.asked
	if len(c.Inputs) == 0 {
		return nil // of no dataset
	}
	err := m.state.OverlapOf(c)
	if carnet.KindOf(err) == carnet.Refused {
		return err // nothing is released
	}
	if p, err := c.Plan(); err == nil {
		id := question(c, p)
		if a.plans[id] {
			return nil // its numbers are known
		}
		a.plans[id] = true
	}
	if a.queries = append(a.queries, kept{e.Seq, e.Envelope}); len(a.queries) > a.most {
		a.queries = slices.Delete(a.queries, 0, 1)
		a.forgotten++
	}
	return err
}

// question is the same for queries that open the same numbers. A shared selection counts as
// all choices.
func question(c *history.Case, p *plan.Plan) carnet.Hash {
	h, private := p.Hash(), []byte{0}
	if c.Query.Private != nil {
		private[0] = 1
	}
	return carnet.Digest("carnet/monitor/question/1", h[:], private)
}

// weigh takes in a query whose effect is not judged: one that is in the log again, or whose id
// belongs to a query that is over.
func (m *Monitor) weigh(e *evidence.Entry) []Finding {
	if e.Envelope.PayloadType != carnet.TypeQuery {
		return nil
	}
	if c := m.state.Weigh(e.Seq, e.Envelope); c != nil {
		defer c.Rest()
		return faulty(e.Seq, m.together(e, c))
	}
	return nil
}

// faulty is the finding of a verdict that there is none of.
func faulty(seq int64, err error) []Finding {
	if err == nil || carnet.KindOf(err) == carnet.Refused {
		return nil
	}
	return []Finding{because(Company, seq, "", err)}
}
