package flow

import (
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	topicEntries   = "entries"   // of the journal
	topicPublished = "published" // checkpoints and co-signatures
	topicWork      = "work"      // a query waits to be computed
)

func topicQuery(h carnet.Hash) string { return "query/" + h.String() }

// bus tells waiting goroutines that something about a topic changed. What changed
// is read from the store: a message that is lost or repeated does no harm.
type bus struct {
	mu     sync.Mutex
	topics map[string]chan struct{}
}

func newBus() *bus { return &bus{topics: map[string]chan struct{}{}} }

// next returns a channel that is closed by the next wake of the topic. Get it
// before reading the store.
func (b *bus) next(topic string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.topics[topic]
	if c == nil {
		c = make(chan struct{})
		b.topics[topic] = c
	}
	return c
}

func (b *bus) wake(topics ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range topics {
		if c := b.topics[t]; c != nil {
			close(c)
			delete(b.topics, t)
		}
	}
}
