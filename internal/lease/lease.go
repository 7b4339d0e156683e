// Package lease keeps values that are expensive to make, up to a bound, while others
// use them: a value that is in use stays whatever the bound says, an idle one goes
// when room is needed.
//
// What was used longest ago goes first, unless that was recently and there is a value
// that was asked for only once: whoever reads more than there is room for, from end to
// end and again, needs next what was used longest ago.
package lease

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// staleAfter is after how many uses of others, for each value that is there, one has
// no precedence any more over values that were asked for once.
const staleAfter = 4

// Cache is safe for concurrent use.
type Cache[K comparable, V any] struct {
	limit int64
	drop  func(V)

	mu    sync.Mutex
	used  int64
	asked int64      // uses so far
	idle  *list.List // of *entry, front: newest
	items map[K]*entry[K, V]
}

type entry[K comparable, V any] struct {
	key   K
	v     V
	err   error
	cost  int64
	ready chan struct{} // closed once v or err is there
	users int
	uses  int   // since it was made
	asked int64 // when it was used last
	gone  bool  // no longer in items
	place *list.Element
}

// New makes a cache of idle values whose costs add up to at most limit together with
// those in use. drop, which may be nil, is called for every value that leaves.
func New[K comparable, V any](limit int64, drop func(V)) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, drop: drop, idle: list.New(), items: map[K]*entry[K, V]{}}
}

// Get returns the value of a key, which load makes if it is not there; several Gets
// of one key share a load. release is called once, after the last use of the value.
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(context.Context) (v V, cost int64, err error)) (v V, release func(), err error) {
	for {
		e, mine := c.claim(key)
		if mine {
			c.fill(ctx, e, load)
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			c.release(e)
			return v, nil, ctx.Err()
		}
		if e.err == nil {
			return e.v, sync.OnceFunc(func() { c.release(e) }), nil
		}
		c.release(e)
		// Whoever loaded may have given up; that says nothing about the value.
		canceled := errors.Is(e.err, context.Canceled) || errors.Is(e.err, context.DeadlineExceeded)
		if mine || !canceled || ctx.Err() != nil {
			return v, nil, e.err
		}
	}
}

// claim returns the entry of a key with one more user, and whether the caller has to
// fill it.
func (c *Cache[K, V]) claim(key K) (e *entry[K, V], mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.items[key]; e == nil {
		e, mine = &entry[K, V]{key: key, ready: make(chan struct{})}, true
		c.items[key] = e
	}
	c.asked++
	e.users, e.uses, e.asked = e.users+1, e.uses+1, c.asked
	if e.place != nil {
		c.idle.Remove(e.place)
		e.place = nil
	}
	return e, mine
}

func (c *Cache[K, V]) fill(ctx context.Context, e *entry[K, V], load func(context.Context) (V, int64, error)) {
	e.err = errors.New("lease: the value was not made") // should load panic
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if e.err != nil {
			c.forget(e)
		} else {
			c.used += e.cost
			c.shrink()
		}
		close(e.ready)
	}()
	e.v, e.cost, e.err = load(ctx)
}

func (c *Cache[K, V]) release(e *entry[K, V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.users--; e.users > 0 {
		return
	}
	if e.gone {
		c.leave(e)
		return
	}
	e.place = c.idle.PushFront(e)
	c.shrink()
}

// shrink drops idle values until the rest fits.
func (c *Cache[K, V]) shrink() {
	for c.used > c.limit && c.idle.Len() > 0 {
		place := c.idle.Back()
		oldest, newest := place.Value.(*entry[K, V]), c.idle.Front().Value.(*entry[K, V])
		if newest.uses == 1 && c.asked-oldest.asked < staleAfter*int64(len(c.items)) {
			place = c.idle.Front()
		}
		e := c.idle.Remove(place).(*entry[K, V])
		e.place = nil
		c.forget(e)
		c.leave(e)
	}
}

func (c *Cache[K, V]) forget(e *entry[K, V]) {
	e.gone = true
	if c.items[e.key] == e {
		delete(c.items, e.key)
	}
}

// leave is called once for an entry that nobody uses and nobody can find.
func (c *Cache[K, V]) leave(e *entry[K, V]) {
	if e.err != nil {
		return
	}
	c.used -= e.cost
	if c.drop != nil {
		c.drop(e.v)
	}
}

// Forget takes out every value whose key matches; those in use leave with their last
// release. A load that runs at the time ends outside the cache.
func (c *Cache[K, V]) Forget(match func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.items {
		if !match(k) {
			continue
		}
		c.forget(e)
		if e.place != nil {
			c.idle.Remove(e.place)
			e.place = nil
			c.leave(e)
		}
	}
}

// Used returns the cost of all values that are there or in use.
func (c *Cache[K, V]) Used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}
