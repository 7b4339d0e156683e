package scan

import (
	"context"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// ChunkBlocks is the largest number of blocks of a chunk.
const ChunkBlocks = columnfile.ChunkBlocks

// ChunkID names up to ChunkBlocks consecutive blocks of one column: chunk i begins with
// block i*ChunkBlocks, and only the last one of a column is shorter.
type ChunkID struct {
	File          carnet.Nonce
	Column, Chunk uint32
}

// Chunks gives access to the stored halves c0 of columns, whose bytes were checked
// against the signed manifest. It must be safe for concurrent use.
type Chunks interface {
	// Chunk returns the words of one limb of a chunk in column-file order: of g blocks,
	// slot s of block b is words[((s/8)*g+b)*8 + s%8], a residue below the limb's prime.
	// They are read, not changed, until release is called, once; no copy is needed.
	Chunk(ctx context.Context, id ChunkID, limb int) (words []uint64, release func(), err error)
}

// Constants is what Chunks may offer besides: for every limb of a column the sum of all words,
// modulo the prime. In slot encoding that is all of the stored half that a linear sum needs, so
// that nothing else of it is read. Who promises to have evaluated from the words
// themselves, such as a keyholder that attests, does not offer it.
type Constants interface {
	Constants(ctx context.Context, file carnet.Nonce, column uint32) ([]uint64, error)
}

// Options are what a scan's results don't depend on.
type Options struct {
	Workers  int          // goroutines that compute; at least one
	MaxBytes int64        // memory for sums and kept results; at least one functional's
	Progress Progress     // may be nil
	Public   *PublicCache // expanded public halves kept between scans; may be nil
	Kernel   string       // by name, for tests and measurements; empty: the fastest here
}

// chunkOf describes a chunk of a file of the given number of blocks.
func chunkOf(blocks, chunk uint32) (first uint32, g int) {
	first = chunk * ChunkBlocks
	return first, int(min(ChunkBlocks, blocks-first))
}

func chunks(blocks uint32) uint32 { return (blocks + ChunkBlocks - 1) / ChunkBlocks }

// load gets a limb of a chunk of g blocks and holds the source to its promise of length.
func load(ctx context.Context, c Chunks, p *he.Profile, id ChunkID, limb, g int) ([]uint64, func(), error) {
	words, release, err := c.Chunk(ctx, id, limb)
	if err != nil {
		return nil, nil, err
	}
	if len(words) != g*p.N() {
		release()
		return nil, nil, fmt.Errorf("chunk %d of column %d of %s has %d words, want %d", id.Chunk, id.Column, id.File, len(words), g*p.N())
	}
	return words, release, nil
}
