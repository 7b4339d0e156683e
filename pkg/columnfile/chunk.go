package columnfile

import "github.com/carnet-network/carnet/pkg/he"

// Chunk collects the blocks of one chunk, all limbs of it, in file order. It is not
// safe for concurrent use.
type Chunk struct {
	f     *File
	chunk int
	limbs [][]uint64
}

// NewChunk has room for any chunk of the file.
func (f *File) NewChunk() *Chunk {
	c := &Chunk{f: f, limbs: make([][]uint64, f.profile.Limbs())}
	for l := range c.limbs {
		c.limbs[l] = make([]uint64, min(ChunkBlocks, f.blocks)*f.profile.N())
	}
	return c
}

// Begin starts a chunk; every block of it has to be put before its words are used.
func (c *Chunk) Begin(chunk int) { c.chunk = chunk }

// Put takes the stored half of block b of the chunk, counted from its first one.
func (c *Chunk) Put(b int, c0 he.Poly) {
	g := c.f.ChunkBlocks(c.chunk)
	for l := range c0 {
		Put(c.limbs[l][:c.f.ChunkWords(c.chunk)], g, b, c0[l])
	}
}

// Piece returns the words of a piece of this chunk; they are valid until Begin.
func (c *Chunk) Piece(limb, piece int) []uint64 {
	n := c.f.PieceWords(c.chunk)
	return c.limbs[limb][piece*n : (piece+1)*n]
}

// Pack returns the packed form of words of the file.
func (f *File) Pack(words []uint64) []byte {
	return AppendPacked(make([]byte, 0, len(words)/group*f.profile.LimbBits()), f.profile.LimbBits(), words)
}
