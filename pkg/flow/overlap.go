package flow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/overlap"
	"github.com/carnet-network/carnet/pkg/plan"
)

// overlaps is what the journal's queries tell together. It is made from the store when it
// is needed first, and follows what other nodes admit.
type overlaps struct {
	mu     sync.Mutex
	docket *overlap.Docket // nil before
	newest int64           // sequence number of the last query that was noted
}

// errOvertaken says that another node admitted a query in the meantime.
var errOvertaken = errors.New("another query was admitted")

// maxOvertaken is how often admission is tried again after that.
const maxOvertaken = 8

// alone admits a query if its numbers, with those of all queries that were admitted, tell
// nothing about too few owners. admit is called with a check to make in the transaction
// that admits it. Only one query is admitted at a time: two that are harmless each can tell
// something together. A refusal is returned, and nothing was admitted then.
func (g *Gateway) alone(ctx context.Context, in *inputs, sql string, p *plan.Plan, admit func(last func(tx Tx) error) (Ref, error)) (ref Ref, refusal, err error) {
	if g.AskKeyholders {
		ref, err = admit(func(Tx) error { return nil })
		return ref, nil, err
	}
	o := &g.overlaps
	o.mu.Lock()
	defer o.mu.Unlock()
	datasets := overlap.Datasets(in.products...)
	for range maxOvertaken {
		if err := g.noteQueries(ctx); err != nil {
			return ref, nil, err
		}
		if err := o.docket.Check(datasets, p); carnet.KindOf(err) == carnet.Refused {
			return ref, err, nil
		} else if err != nil {
			return ref, nil, err
		}
		ref, err = admit(func(tx Tx) error {
			newest, err := newestQuery(tx)
			if err == nil && newest != o.newest {
				return errOvertaken
			}
			return err
		})
		switch {
		case errors.Is(err, errOvertaken):
			continue
		case err != nil:
			return ref, nil, err
		}
		g.noteAdmitted(ref, in, sql, p)
		return ref, nil, nil
	}
	return ref, nil, carnet.E(carnet.Unavailable, "TOO_MANY_QUERIES", "others were admitted before this query again and again").Fix("try again later")
}

// noteAdmitted notes a query that this node admitted, and judges it while its plan is there.
func (g *Gateway) noteAdmitted(ref Ref, in *inputs, sql string, p *plan.Plan) {
	o := &g.overlaps
	products, manifests := in.statements, in.manifests
	o.docket.Note(ref.Seq, overlap.Datasets(in.products...), func() (*plan.Plan, error) {
		if p != nil {
			return p, nil
		}
		return g.admitted(sql, products, manifests, ref.Seq)
	})
	_ = o.docket.Verdict(ref.Seq) // it was checked; only what it tells is kept
	p = nil
	o.newest = max(o.newest, ref.Seq)
}

func newestQuery(tx Tx) (int64, error) {
	list, err := tx.ListQueries("", endOfJournal, 1)
	if err != nil || len(list) == 0 {
		return -1, err
	}
	return list[0].Statement.Seq, nil
}

// noteQueries notes the queries of the journal that are not noted yet.
func (g *Gateway) noteQueries(ctx context.Context) error {
	o := &g.overlaps
	if o.docket == nil {
		var seed [32]byte
		_, _ = rand.Read(seed[:]) // never fails
		o.docket, o.newest = overlap.NewDocket(seed), -1
		o.docket.Fault = func(entry int64, panicked any) {
			g.Logger.Error("a fault of this program; report it: queries about owners linked with this one are refused", "entry", entry, "panic", fmt.Sprint(panicked))
		}
	}
	return g.Store.View(ctx, func(tx Tx) error {
		var fresh []QueryRecord
		for page, before := 1, int64(endOfJournal); ; page = min(2*page, journalPage) {
			list, err := tx.ListQueries("", before, page)
			if err != nil {
				return err
			}
			for i := range list {
				if list[i].Statement.Seq > o.newest {
					fresh = append(fresh, list[i])
				}
			}
			if len(list) < page || list[len(list)-1].Statement.Seq <= o.newest {
				break
			}
			before = list[len(list)-1].Statement.Seq
		}
		for _, q := range slices.Backward(fresh) {
			var body carnet.Query
			if err := q.Statement.Envelope.Decode(carnet.TypeQuery, &body); err != nil {
				return err
			}
			in, err := g.pinnedInputs(tx, q.Published, body.Inputs, q.Statement.Seq)
			if err != nil {
				return err
			}
			o.docket.Note(q.Statement.Seq, overlap.Datasets(in.products...), func() (*plan.Plan, error) {
				return g.admitted(body.SQL, q.Published, body.Inputs, q.Statement.Seq)
			})
			o.newest = q.Statement.Seq
		}
		return nil
	})
}

// admitted compiles a query that was admitted before, nil if that can't be done any more.
func (g *Gateway) admitted(sql string, products, manifests []carnet.Hash, seq int64) (*plan.Plan, error) {
	ctx := context.Background() // the one of the request that noted it may have ended
	var in *inputs
	if err := g.Store.View(ctx, func(tx Tx) (err error) { in, err = g.pinnedInputs(tx, products, manifests, seq); return err }); err != nil {
		return nil, err
	}
	p, err := g.compile(ctx, sql, in.products)
	if err != nil {
		g.Logger.Error("compile a query that was admitted", "seq", seq, "error", err)
		return nil, nil
	}
	return p, nil
}
