package flow

import (
	"context"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// QueryStatus is a query as its buyer sees it.
type QueryStatus struct {
	QueryRecord
	Answers  int
	Checked  int       // keyholders that published their check of a private parameter
	Refusals []Refusal // by keyholders, and by parties that did not approve
	Pending  []Pending // approvals that have not come
	Over     bool      // nothing will change any more
	Decided  []Decided // by which policy bundles the query passed; not in lists
}

// GetQuery returns the status of a query to its buyer, to keyholders, auditors and
// operators. To others it looks absent.
func (g *Gateway) GetQuery(ctx context.Context, as *carnet.Party, id carnet.Hash) (s QueryStatus, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		q, err := visibleQuery(tx, as, id)
		if err != nil {
			return err
		}
		if s, err = g.status(tx, q); err != nil {
			return err
		}
		s.Decided, err = decidedBy(tx, &q)
		return err
	})
	return s, err
}

// seesAll: who may see queries that are not its own.
func seesAll(as *carnet.Party) bool {
	return hasRole(as, carnet.RoleKeyholder, carnet.RoleAuditor, carnet.RoleOperator)
}

func visibleQuery(tx Tx, as *carnet.Party, id carnet.Hash) (QueryRecord, error) {
	q, err := tx.GetQuery(id)
	if err == nil && q.Buyer != as.ID && !seesAll(as) && !asked(tx, id, as.ID) {
		err = carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such query")
	}
	return q, err
}

func (g *Gateway) status(tx Tx, q QueryRecord) (QueryStatus, error) {
	s := QueryStatus{QueryRecord: q}
	f, decisions, err := g.facts(tx, &q)
	if err != nil {
		return s, err
	}
	s.Answers, s.Checked, s.Over = f.answers, f.checked, over(q.State, f)
	for _, d := range decisions {
		var body carnet.Decision
		if err := d.Statement.Envelope.Decode(carnet.TypeDecision, &body); err != nil {
			return s, err
		}
		s.Refusals = append(s.Refusals, Refusal{By: body.By, Reason: body.Reason, Message: body.Message, Remedy: body.Remedy})
	}
	if s.Pending, err = pending(tx, &q, decisions); err != nil {
		return s, err
	}
	if err := s.addDeclined(tx); err != nil {
		return s, err
	}
	if p, ok := g.progress.Load(q.Statement.Hash); ok && q.State == QueryComputing {
		s.BlocksDone = p.(*progress).done.Load()
	}
	return s, nil
}

// facts collects what a query's state depends on, and the refusals that count.
func (g *Gateway) facts(tx Tx, q *QueryRecord) (f facts, refusals []DecisionRecord, err error) {
	answers, err := tx.Answers(q.Statement.Hash)
	if err != nil {
		return f, nil, err
	}
	decisions, err := tx.Decisions(q.Statement.Hash)
	if err != nil {
		return f, nil, err
	}
	checks, err := tx.Checks(q.Statement.Hash)
	if err != nil {
		return f, nil, err
	}
	unchecked := 0
	for _, d := range decisions {
		if !slices.ContainsFunc(answers, func(a AnswerRecord) bool { return a.By == d.By }) {
			refusals = append(refusals, d)
			if !slices.ContainsFunc(checks, func(c CheckRecord) bool { return c.By == d.By }) {
				unchecked++
			}
		}
	}
	unapproved, declined, err := g.approvals(tx, q.Statement.Hash)
	if err != nil {
		return f, nil, err
	}
	return facts{
		unapproved: unapproved, declined: declined,
		values: !q.Values.IsZero(), failed: q.Failure != "", expired: !g.now().Before(q.Expires),
		answers: len(answers), checked: len(checks), refusals: len(refusals), unchecked: unchecked, threshold: q.Threshold, checks: q.Checks, keyholders: q.Keyholders,
	}, refusals, nil
}

// settle moves a query to the state its facts demand and stores it.
func (g *Gateway) settle(tx Tx, q QueryRecord) error {
	f, _, err := g.facts(tx, &q)
	if err != nil {
		return err
	}
	q.State, q.Updated = next(q.State, f), g.now()
	return tx.SetQuery(q)
}

// watchPace is how often at most a watcher hears of progress.
const watchPace = 300 * time.Millisecond

// WatchQuery calls send with the status now and whenever it changes, until it is
// over or ctx is done.
func (g *Gateway) WatchQuery(ctx context.Context, as *carnet.Party, id carnet.Hash, send func(QueryStatus) error) error {
	type seen struct {
		state                      QueryState
		answers, refusals, checked int
		done                       int64
		pending                    int
		over                       bool
	}
	var last seen
	for {
		changed := g.bus.next(topicQuery(id))
		s, err := g.GetQuery(ctx, as, id)
		if err != nil {
			return err
		}
		if now := (seen{s.State, s.Answers, len(s.Refusals), s.Checked, s.BlocksDone, len(s.Pending), s.Over}); now != last {
			if err := send(s); err != nil {
				return err
			}
			last = now
		}
		if s.Over {
			return nil
		}
		wait := rereadAfter
		if until := s.Expires.Sub(g.now()); until < wait {
			wait = max(until, watchPace)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-time.After(wait):
		}
	}
}

// ListQueries lists the caller's queries, newest first, before a place in the
// journal (0: from the newest); keyholders, auditors and operators see all.
func (g *Gateway) ListQueries(ctx context.Context, as *carnet.Party, before int64, limit int) (out []QueryStatus, err error) {
	if before <= 0 {
		before = 1 << 62
	}
	buyer := as.ID
	if seesAll(as) {
		buyer = ""
	}
	err = g.Store.View(ctx, func(tx Tx) error {
		list, err := tx.ListQueries(buyer, before, limit)
		if err != nil {
			return err
		}
		for _, q := range list {
			s, err := g.status(tx, q)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// expire moves queries on whose expiry has passed.
func (g *Gateway) expire(ctx context.Context) error {
	var due []carnet.Hash
	err := g.Store.View(ctx, func(tx Tx) error {
		list, err := tx.QueriesIn(open...)
		for i := range list {
			if !g.now().Before(list[i].Expires) {
				due = append(due, list[i].Statement.Hash)
			}
		}
		return err
	})
	for _, h := range due {
		if err := g.change(ctx, h, func(*QueryRecord) {}); err != nil {
			return err
		}
	}
	return err
}

// change changes an open query, settles it and wakes its watchers.
func (g *Gateway) change(ctx context.Context, id carnet.Hash, do func(*QueryRecord)) error {
	err := g.Store.Update(ctx, func(tx Tx) error {
		q, err := tx.GetQuery(id)
		if err != nil {
			return err
		}
		if !slices.Contains(open, q.State) {
			return nil
		}
		do(&q)
		return g.settle(tx, q)
	})
	g.bus.wake(topicQuery(id))
	return err
}
