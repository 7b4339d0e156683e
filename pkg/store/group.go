package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/carnet-network/carnet/pkg/flow"
)

// mostInGroup bounds how many changes wait for one commit.
const mostInGroup = 64

// groups lets changes that come at the same time share one commit, since forcing a
// transaction to disk takes longer than most changes do. Each runs alone, in the
// goroutine of its caller, between a savepoint and its release, and sees those before it.
// Who is last, or has nobody waiting behind, commits for all; until then all wait.
type groups struct {
	waiting atomic.Int64 // callers that wait for their turn
	turn    sync.Mutex   // held by the one whose change runs
	open    *group       // guarded by turn
}

// group is one transaction.
type group struct {
	tx   *bounded
	size int
	done chan struct{} // closed when the fate of all is known
	err  error         // why none of them counts; set before done is closed
}

// update runs one change.
func (s *Store) update(ctx context.Context, do func(flow.Tx) error) (err error) {
	// The statements of a change are not interrupted when its caller goes: SQLite and
	// PostgreSQL would undo those of all.
	calm := context.WithoutCancel(ctx)
	s.groups.waiting.Add(1)
	s.groups.turn.Lock()
	s.groups.waiting.Add(-1)
	g := s.groups.open
	if g == nil {
		t, err := s.begin(calm, s.write, nil)
		if err != nil {
			s.groups.turn.Unlock()
			return s.told(ctx, err, false)
		}
		g = &group{tx: t, done: make(chan struct{})}
		s.groups.open = g
	}
	g.size++
	returned := false
	work, done := calm, func() {}
	if s.limit > 0 {
		work, done = context.WithTimeout(calm, s.limit)
	}
	defer func() { // also when do panics
		if kept := g.end(work, returned && err == nil); kept != nil && returned && err == nil {
			err = kept
		}
		done()
		if g.err != nil || g.size >= mostInGroup || s.groups.waiting.Load() == 0 {
			s.groups.open = nil
			g.commit()
		}
		s.groups.turn.Unlock()
		<-g.done
		if returned && err == nil {
			err = g.err
		}
		err = s.told(ctx, err, true)
	}()
	if g.err = exec(work, g.tx.Tx, `SAVEPOINT change`); g.err != nil {
		returned = true
		return g.err
	}
	if err = ctx.Err(); err == nil {
		err = do(&tx{work, g.tx.Tx, 0})
	}
	if err == nil {
		err = ctx.Err() // whoever asked has gone; nothing has happened
	}
	returned = true
	return err
}

// end keeps or undoes the change that ran last. An error is of this change alone: one of
// its statements failed, after which PostgreSQL keeps none, and nobody looked.
func (g *group) end(ctx context.Context, keep bool) (failed error) {
	if g.err != nil {
		return nil
	}
	if keep {
		if failed = exec(ctx, g.tx.Tx, `RELEASE SAVEPOINT change`); failed == nil {
			return nil
		}
	}
	if g.err = exec(ctx, g.tx.Tx, `ROLLBACK TO SAVEPOINT change`); g.err == nil {
		g.err = exec(ctx, g.tx.Tx, `RELEASE SAVEPOINT change`)
	}
	return failed
}

// commit decides about all changes of the group. One that the server never answers about
// may have been made there: whoever repeats a change finds out.
func (g *group) commit() {
	if g.err == nil {
		g.err = g.tx.Commit()
	} else {
		g.err = errors.Join(g.err, g.tx.Rollback())
	}
	if g.err != nil {
		g.err = fmt.Errorf("commit: %w", g.err)
	}
	close(g.done)
}

func exec(ctx context.Context, t *sql.Tx, query string) error {
	_, err := t.ExecContext(ctx, query)
	return err
}
