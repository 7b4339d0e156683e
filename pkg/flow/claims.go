package flow

import (
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// claims keeps two streams from writing different contents to one place before the
// index knows of either.
type claims struct {
	mu   sync.Mutex
	held map[claimKey]*claim
}

type claimKey struct {
	file  carnet.Nonce
	index int64
}

type claim struct {
	hash  carnet.Hash
	users int
}

// take claims a place for contents of a hash; false if others are on their way there.
func (c *claims) take(k claimKey, h carnet.Hash) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.held[k]; x != nil {
		if x.hash != h {
			return false
		}
		x.users++
		return true
	}
	if c.held == nil {
		c.held = map[claimKey]*claim{}
	}
	c.held[k] = &claim{h, 1}
	return true
}

// give gives a claim up.
func (c *claims) give(k claimKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.held[k]; x != nil {
		if x.users--; x.users == 0 {
			delete(c.held, k)
		}
	}
}
