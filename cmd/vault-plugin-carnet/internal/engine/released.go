package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	// segmentIDs is how many functional ids one storage entry has: 128 KiB, since raft
	// storage takes at most 1 MiB.
	segmentIDs = 4096
	// maxCounted bounds the keys whose released ids are kept in memory.
	maxCounted = 16
)

// counter remembers which functionals were released under a key, so that a repetition,
// whose answer is the same, is counted once. What it adds is durable before it returns.
type counter struct {
	view logical.Storage
	at   string // prefix of what it stores
	what string // it counts
	mu   sync.Mutex
	keys map[carnet.KeyID]*released
}

// released are the ids of one key as storage had them when they were read.
type released struct {
	seen map[carnet.Hash]struct{}
	last []byte // the last segment
	at   int    // its number
}

func newCounter(view logical.Storage, at, what string) *counter {
	return &counter{view: view, at: at, what: what, keys: map[carnet.KeyID]*released{}}
}

func (c *counter) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.keys)
}

func (c *counter) path(key carnet.KeyID, at int) string {
	return fmt.Sprintf("%s%s/%06d", c.at, key, at)
}

// room refuses functionals that would be more than is allowed with what was released under a
// key, as add does, and counts nothing.
func (c *counter) room(ctx context.Context, key carnet.KeyID, ids []carnet.Hash, a allowance) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _, err := c.fresh(ctx, key, ids, a)
	return err
}

// fresh lists the functionals that were not released yet.
func (c *counter) fresh(ctx context.Context, key carnet.KeyID, ids []carnet.Hash, a allowance) (r *released, fresh []carnet.Hash, err error) {
	if r, err = c.read(ctx, key); err != nil {
		return nil, nil, err
	}
	listed := map[carnet.Hash]bool{}
	for _, f := range ids {
		if _, ok := r.seen[f]; !ok && !listed[f] {
			fresh, listed[f] = append(fresh, f), true
		}
	}
	if n := int64(len(r.seen) + len(fresh)); n > a.limit-a.carried && len(fresh) > 0 {
		return nil, nil, c.exhausted(key, len(r.seen), len(fresh), a)
	}
	return r, fresh, nil
}

// add counts functionals under a key, unless more than is allowed would be released in all.
func (c *counter) add(ctx context.Context, key carnet.KeyID, ids []carnet.Hash, a allowance) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, fresh, err := c.fresh(ctx, key, ids, a)
	if err != nil {
		return err
	}
	for len(fresh) > 0 {
		if len(r.last) >= 32*segmentIDs {
			r.at, r.last = r.at+1, nil
		}
		n := min(len(fresh), segmentIDs-len(r.last)/32)
		next := append([]byte(nil), r.last...)
		for _, f := range fresh[:n] {
			next = append(next, f[:]...)
		}
		if err := c.view.Put(ctx, &logical.StorageEntry{Key: c.path(key, r.at), Value: next}); err != nil {
			delete(c.keys, key) // who knows what was written
			return err
		}
		r.last = next
		for _, f := range fresh[:n] {
			r.seen[f] = struct{}{}
		}
		fresh = fresh[n:]
	}
	return nil
}

// count returns how many distinct functionals were released.
func (c *counter) count(ctx context.Context, key carnet.KeyID) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.read(ctx, key)
	if err != nil {
		return 0, err
	}
	return len(r.seen), nil
}

// read returns what is in memory if storage still has no more than that.
func (c *counter) read(ctx context.Context, key carnet.KeyID) (*released, error) {
	if r := c.keys[key]; r != nil {
		last, err := c.segment(ctx, key, r.at)
		if err != nil {
			return nil, err
		}
		more := []byte(nil) // another node may have gone on after a full segment
		if len(last) >= 32*segmentIDs {
			if more, err = c.segment(ctx, key, r.at+1); err != nil {
				return nil, err
			}
		}
		if string(last) == string(r.last) && more == nil {
			return r, nil
		}
		delete(c.keys, key)
	}
	r := &released{seen: map[carnet.Hash]struct{}{}}
	for at := 0; ; at++ {
		b, err := c.segment(ctx, key, at)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		r.at, r.last = at, b
		for ; len(b) > 0; b = b[32:] {
			r.seen[carnet.Hash(b[:32])] = struct{}{}
		}
	}
	if len(c.keys) >= maxCounted {
		for k := range c.keys {
			delete(c.keys, k)
			break
		}
	}
	c.keys[key] = r
	return r, nil
}

func (c *counter) segment(ctx context.Context, key carnet.KeyID, at int) ([]byte, error) {
	e, err := c.view.Get(ctx, c.path(key, at))
	if err != nil || e == nil {
		return nil, err
	}
	if len(e.Value)%32 != 0 || len(e.Value) > 32*segmentIDs {
		return nil, fmt.Errorf("the count of %s of key %s is damaged", c.what, key)
	}
	return e.Value, nil
}
