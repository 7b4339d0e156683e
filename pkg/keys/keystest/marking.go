package keystest

import (
	"context"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
)

// Marking gives a store for tests a mark in memory.
type Marking struct {
	keys.Store
	mu     sync.Mutex
	marked carnet.Checkpoint
}

var _ keys.Marker = (*Marking)(nil)

// Mark implements keys.Marker.
func (m *Marking) Mark(_ context.Context, at carnet.Checkpoint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.marked != at && m.marked.Size >= at.Size {
		return keys.MarkBehind(at, m.marked)
	}
	m.marked = at
	return nil
}

// Marked implements keys.Marker.
func (m *Marking) Marked(context.Context) (carnet.Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.marked, nil
}
