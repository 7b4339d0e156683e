package scan

import (
	"container/list"
	"context"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// setupKey names the cells of a block in a role.
type setupKey struct {
	key  carnet.KeyID
	id   he.BlockID
	role Role
}

// setup is the cells of one block. words do not change once ready is closed, until the
// last user has released an entry that was dropped.
type setup struct {
	key        setupKey
	words      []uint64
	ready      chan struct{}
	failed     bool // set before ready is closed
	users      int
	dropped    bool
	generation int64 // of the newest call that used it
	at         *list.Element
}

// setups keeps set-ups up to a number of bytes.
type setups struct {
	mu         sync.Mutex
	limit      int64
	used       int64
	generation int64
	items      map[setupKey]*setup
	order      *list.List // of *setup, newest first
}

func newSetups(limit int64) *setups {
	return &setups{limit: limit, items: map[setupKey]*setup{}, order: list.New()}
}

// next begins a call: what it uses stays while it runs, so that a table larger than the
// memory is kept in part instead of being replaced block by block.
func (c *setups) next() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	return c.generation
}

// get returns the set-up of a block, which the caller releases, making it unless it is
// there or somebody else is making it. It returns nil if there is no room for it.
func (c *setups) get(ctx context.Context, k setupKey, size int, generation int64, build func(out []uint64) error) (*setup, error) {
	for {
		e, mine := c.claim(k, size, generation)
		if e == nil {
			return nil, nil
		}
		if mine {
			return c.make(e, build)
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			c.release(e)
			return nil, context.Cause(ctx)
		}
		if !e.failed {
			return e, nil
		}
		c.release(e) // whoever made it failed, perhaps because it was stopped
	}
}

// make fills a set-up that the caller claimed. One that fails, also by a fault of this
// program, is dropped, so that nobody waits for it.
func (c *setups) make(e *setup, build func(out []uint64) error) (*setup, error) {
	done := false
	defer func() {
		if !done {
			c.made(e, true)
			c.release(e)
		}
	}()
	if err := build(e.words); err != nil {
		return nil, err
	}
	done = true
	c.made(e, false)
	return e, nil
}

// claim finds or enters a set-up and counts the caller as a user of it. mine says that
// the caller has to make it.
func (c *setups) claim(k setupKey, size int, generation int64) (e *setup, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.items[k]; e != nil {
		e.users++
		e.generation = max(e.generation, generation)
		c.order.MoveToFront(e.at)
		return e, false
	}
	if !c.room(int64(8*size), generation) {
		return nil, false
	}
	e = &setup{key: k, words: make([]uint64, size), ready: make(chan struct{}), users: 1, generation: generation}
	e.at = c.order.PushFront(e)
	c.items[k] = e
	c.used += int64(8 * size)
	return e, true
}

// room drops the oldest set-ups that nobody uses and no call as new as this one has
// used, until there is room.
func (c *setups) room(bytes, generation int64) bool {
	if bytes > c.limit {
		return false
	}
	for at := c.order.Back(); at != nil && c.used+bytes > c.limit; {
		e, before := at.Value.(*setup), at.Prev()
		if e.users == 0 && e.generation < generation {
			c.drop(e)
		}
		at = before
	}
	return c.used+bytes <= c.limit
}

// drop forgets a set-up; its memory counts until the last user is done.
func (c *setups) drop(e *setup) {
	if e.dropped {
		return
	}
	e.dropped = true
	delete(c.items, e.key)
	c.order.Remove(e.at)
	if e.users == 0 {
		c.end(e)
	}
}

func (c *setups) end(e *setup) {
	c.used -= int64(8 * len(e.words))
	if e.key.role.secret() {
		clear(e.words)
	}
}

func (c *setups) made(e *setup, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.failed = failed; failed {
		c.drop(e)
	}
	close(e.ready)
}

func (c *setups) release(e *setup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.users--; e.users == 0 && e.dropped {
		c.end(e)
	}
}

// forget drops the set-ups of files that which names.
func (c *setups) forget(which func(file carnet.Nonce) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.items {
		if which(k.id.File) {
			c.drop(e)
		}
	}
}
