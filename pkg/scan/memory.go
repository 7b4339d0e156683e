package scan

import (
	"context"
	"fmt"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
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

// Blocks gives access to stored halves block by block. It must be safe for concurrent
// use.
type Blocks interface {
	// Block sets out, which comes from Ring.NewPoly, to c0 of the block.
	Block(ctx context.Context, id he.BlockID, out he.Poly) error
}

// FromBlocks makes chunks of blocks. A chunk is read whole and kept until every limb of
// it has been used once. blocks tells how many blocks a file has.
func FromBlocks(r *he.Ring, source Blocks, blocks func(carnet.Nonce) int) Chunks {
	return &blockChunks{r: r, source: source, blocks: blocks, kept: map[ChunkID]*keptChunk{}}
}

type blockChunks struct {
	r      *he.Ring
	source Blocks
	blocks func(carnet.Nonce) int
	mu     sync.Mutex
	kept   map[ChunkID]*keptChunk
}

type keptChunk struct {
	once  sync.Once
	limbs [][]uint64
	err   error
	used  int
}

func (c *blockChunks) Chunk(ctx context.Context, id ChunkID, limb int) ([]uint64, func(), error) {
	c.mu.Lock()
	k := c.kept[id]
	if k == nil {
		k = &keptChunk{}
		c.kept[id] = k
	}
	c.mu.Unlock()
	k.once.Do(func() { k.limbs, k.err = c.read(ctx, id) })
	done := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if k.used++; (k.used == c.r.Profile().Limbs() || k.err != nil) && c.kept[id] == k {
			delete(c.kept, id)
		}
	}
	if k.err != nil {
		done()
		return nil, nil, k.err
	}
	return k.limbs[limb], done, nil
}

func (c *blockChunks) read(ctx context.Context, id ChunkID) ([][]uint64, error) {
	n := c.blocks(id.File)
	if int64(id.Chunk)*ChunkBlocks >= int64(n) {
		return nil, fmt.Errorf("there is no chunk %d of file %s", id.Chunk, id.File)
	}
	first, g := chunkOf(uint32(n), id.Chunk)
	limbs := make([][]uint64, c.r.Profile().Limbs())
	for l := range limbs {
		limbs[l] = make([]uint64, g*c.r.Profile().N())
	}
	block := c.r.NewPoly()
	for b := range g {
		if err := c.source.Block(ctx, he.BlockID{File: id.File, Column: id.Column, Block: first + uint32(b)}, block); err != nil {
			return nil, err
		}
		for l := range limbs {
			columnfile.Put(limbs[l], g, b, block[l])
		}
	}
	return limbs, nil
}
