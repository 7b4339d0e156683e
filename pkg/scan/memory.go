package scan

import (
	"context"
	"fmt"
	"sync"

	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// Memory is a Chunks of columns in memory. It is safe for concurrent use once all
// blocks have been put.
type Memory struct {
	p      *he.Profile
	mu     sync.Mutex
	chunks map[ChunkID][][]uint64 // by limb
}

// NewMemory returns one without columns.
func NewMemory(p *he.Profile) *Memory {
	return &Memory{p: p, chunks: map[ChunkID][][]uint64{}}
}

// Put copies a block of a file of the given number of blocks into its places.
func (m *Memory) Put(id he.BlockID, blocks int, c0 he.Poly) {
	at := ChunkID{File: id.File, Column: id.Column, Chunk: id.Block / ChunkBlocks}
	first, g := chunkOf(uint32(blocks), at.Chunk)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.chunks[at] == nil {
		for range m.p.Limbs() {
			m.chunks[at] = append(m.chunks[at], make([]uint64, g*m.p.N()))
		}
	}
	for l, words := range m.chunks[at] {
		columnfile.Put(words, g, int(id.Block-first), c0[l])
	}
}

// Chunk implements Chunks.
func (m *Memory) Chunk(_ context.Context, id ChunkID, limb int) ([]uint64, func(), error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.chunks[id]
	if !ok {
		return nil, nil, fmt.Errorf("there is no chunk %d of column %d of %s", id.Chunk, id.Column, id.File)
	}
	return c[limb], func() {}, nil
}
