package flow

import (
	"context"
	"sync"
)

// recent keeps the newest published checkpoints, since every follower asks for them
// whenever anything is published or co-signed.
type recent struct {
	mu    sync.Mutex
	list  []Published // nothing in it is changed
	known bool
	turn  int64 // how often it was forgotten
}

// forget is called after a change of what is published.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list, r.known = nil, false
	r.turn++
}

// published tells followers that a checkpoint or a co-signature was stored.
func (g *Gateway) published() {
	g.recent.forget()
	g.bus.wake(topicPublished)
}

// recentPublished lists the newest published checkpoints, largest first.
func (g *Gateway) recentPublished(ctx context.Context) ([]Published, error) {
	r := &g.recent
	r.mu.Lock()
	list, known, turn := r.list, r.known, r.turn
	r.mu.Unlock()
	if known {
		return list, nil
	}
	if err := g.Store.View(ctx, func(tx Tx) (err error) { list, err = tx.RecentPublished(recentPage); return err }); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.turn == turn { // else it may be of before the change
		r.list, r.known = list, true
	}
	return list, nil
}
