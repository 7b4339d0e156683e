package flow

import (
	"context"
	"errors"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// publishPage is how many entries go to the log at a time.
const publishPage = 256

// Origin is the name of the log.
func (g *Gateway) Origin() string { return evidence.Origin(g.Registrar) }

// publishLoop feeds the log until ctx is done. While the log can't be written nothing is
// published, so nothing is co-signed and nothing is released.
func (g *Gateway) publishLoop(ctx context.Context) {
	for ctx.Err() == nil {
		more := g.bus.next(topicEntries)
		added, err := g.Publish(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := rereadAfter
		switch {
		case err != nil:
			g.Logger.Error("the log can't be written; nothing is released meanwhile", "error", err, "reason", carnet.ReasonOf(err))
			more, wait = nil, g.RetryAfter // new entries make it no better
		case added:
			continue
		}
		select {
		case <-ctx.Done():
		case <-more:
		case <-time.After(wait):
		}
	}
}

// Publish brings the log as far as the journal, at most one page, and signs a checkpoint
// of it; added says that there may be more. The order is: entries are durable in the
// store, then in the log; what the log holds is compared with the store; then the
// checkpoint is signed and stored. Stopped anywhere, it goes on from what the log holds.
func (g *Gateway) Publish(ctx context.Context) (added bool, err error) {
	g.publishing.Lock()
	defer g.publishing.Unlock()
	added, err = g.publish(ctx)
	if err == nil {
		g.unwritten.Store(nil)
		return added, nil
	}
	if ctx.Err() != nil {
		return false, err // whoever fed the log stops; that says nothing about the log
	}
	var e *carnet.Error
	if !errors.As(err, &e) || e.Kind != carnet.Unavailable {
		e = carnet.E(carnet.Unavailable, "LOG_UNAVAILABLE", "the gateway's transparency log can't be written").Because(err).
			Fix("the gateway's operator finds the cause in its log; try again later")
	}
	g.unwritten.Store(e)
	return false, err
}

func (g *Gateway) publish(ctx context.Context) (bool, error) {
	held, err := g.Log.Tree(ctx)
	if err != nil {
		return false, err
	}
	var entries []evidence.Entry
	var newest int64
	if err := g.Store.View(ctx, func(tx Tx) error {
		if err := sameTree(tx, held); err != nil {
			return err
		}
		list, err := tx.RecentPublished(1)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			newest = list[0].Size
		}
		entries, err = tx.Entries(held.Size(), publishPage)
		return err
	}); err != nil {
		return false, err
	}
	if len(entries) > 0 {
		leaves := make([]carnet.Hash, len(entries))
		for i := range entries {
			leaves[i] = entries[i].Leaf()
		}
		if err := g.Log.Append(ctx, held.Size(), leaves); carnet.ReasonOf(err) == "LOG_MOVED" {
			return true, nil
		} else if err != nil {
			return false, err
		}
		if held, err = g.Log.Tree(ctx); err != nil {
			return false, err
		}
	}
	if held.Size() <= newest {
		return len(entries) > 0, nil // made anew from the store, not yet as far as before
	}
	if err := g.Store.Update(ctx, func(tx Tx) error {
		if err := sameTree(tx, held); err != nil {
			return err
		}
		return g.putCheckpoint(tx, held.Checkpoint())
	}); err != nil {
		return false, err
	}
	g.published()
	return len(entries) > 0, nil
}

// putCheckpoint signs a state in the log's name and stores it. Signatures are
// deterministic, so a state has one.
func (g *Gateway) putCheckpoint(tx Tx, cp carnet.Checkpoint) error {
	s, err := g.logSigner(tx)
	if err != nil {
		return err
	}
	c, err := evidence.SignCheckpoint(g.Origin(), cp, s)
	if err != nil {
		return err
	}
	return tx.PutCheckpoint(c)
}

// sameTree compares what the log holds with the store. The log's key signs nothing that
// is not the tree of the stored entries.
func sameTree(tx Tx, held evidence.Tree) error {
	stored, err := tx.Tree()
	if err != nil {
		return err
	}
	if held.Size() > stored.Size() {
		return carnet.E(carnet.Precondition, "LOG_AHEAD", "the log has %d entries, the database only %d", held.Size(), stored.Size()).
			Fix("the database was restored from an old backup: restore a newer one; entries that were published must not be lost")
	}
	if stored, err = tx.TreeAt(held.Size()); err != nil {
		return err
	}
	if stored.Root() != held.Root() {
		return carnet.E(carnet.Precondition, "LOG_DIFFERS", "the log of %d entries is not that of the database", held.Size()).
			Fix("if the database is right, move the log's folder away: the log is made again from the database, with the roots it had")
	}
	return nil
}

// LogFault is why the log can't be written, nil if it can.
func (g *Gateway) LogFault() error {
	if e := g.unwritten.Load(); e != nil {
		return e
	}
	return nil
}

// awaitPublished waits until the log has published entry number seq, or fails if the log
// can't be written.
func (g *Gateway) awaitPublished(ctx context.Context, seq int64) error {
	for {
		changed := g.bus.next(topicPublished)
		size, err := g.publishedSize(ctx)
		if err != nil || size > seq {
			return err
		}
		if err := g.LogFault(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-time.After(g.RetryAfter):
			g.recent.forget() // another process may have published
		}
	}
}

// publishedSize is the size of the newest published checkpoint, 0 if there is none.
func (g *Gateway) publishedSize(ctx context.Context) (size int64, err error) {
	list, err := g.recentPublished(ctx)
	if err == nil && len(list) > 0 {
		size = list[0].Size
	}
	return size, err
}
