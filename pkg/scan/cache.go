package scan

import (
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// PublicCache keeps expanded public halves of columns between scans, within a bound of
// memory. It is safe for concurrent use.
//
// A table that does not fit is read from end to end again and again, so what was used
// longest ago is needed next: a limb of a chunk that is kept gives way only when it was
// not used while several times as many others were asked for as there is room for.
type PublicCache struct {
	mu    sync.Mutex
	max   int64
	size  int64
	asked int64
	at    map[publicID]*publicEntry
}

type publicID struct {
	params carnet.Hash
	key    carnet.KeyID
	chunk  ChunkID
	limb   int
}

type publicEntry struct {
	words []uint64
	asked int64 // when it was used last
}

// staleAfter is after how many times as many uses of others, as are kept, one gives way.
const staleAfter = 4

// NewPublicCache returns an empty cache of at most maxBytes.
func NewPublicCache(maxBytes int64) *PublicCache {
	return &PublicCache{max: maxBytes, at: map[publicID]*publicEntry{}}
}

// kept is one limb of a chunk of a column's public half: complete, or being made to be
// kept, or not (nil).
type kept struct {
	id       publicID
	words    []uint64
	complete bool
}

// get sets k.words to what is kept, or, if there may be room for it, to new memory of
// so many words that the caller fills and passes to keep.
func (c *PublicCache) get(k *kept, words int) {
	if c == nil || int64(words)*8 > c.max {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if e := c.at[k.id]; e != nil {
		e.asked = c.asked
		k.words, k.complete = e.words, true
		return
	}
	if c.room(int64(words) * 8) {
		k.words = make([]uint64, words)
	}
}

// room says whether so many bytes fit, when stale entries have gone.
func (c *PublicCache) room(bytes int64) bool {
	if c.size+bytes <= c.max {
		return true
	}
	limit := c.asked - staleAfter*int64(len(c.at)+1)
	for id, e := range c.at {
		if e.asked < limit {
			delete(c.at, id)
			c.size -= int64(len(e.words)) * 8
		}
	}
	return c.size+bytes <= c.max
}

// keep enters what was made, as far as there is still room.
func (c *PublicCache) keep(made []kept) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range made {
		k := &made[i]
		bytes := int64(len(k.words)) * 8
		if k.words == nil || k.complete || c.at[k.id] != nil || c.size+bytes > c.max {
			continue
		}
		c.at[k.id] = &publicEntry{k.words, c.asked}
		c.size += bytes
	}
}

// kept asks for the public halves of all columns of a limb of a chunk.
func (r *runner) kept(p *pass, c *chunkPass, limb int) []kept {
	out := make([]kept, len(c.f.columns))
	for i, column := range c.f.columns {
		out[i].id = publicID{r.r.Profile().ID(), p.key, ChunkID{c.f.file, column, uint32(c.chunk)}, limb}
		r.opt.Public.get(&out[i], c.rows*r.r.Profile().N())
	}
	return out
}
