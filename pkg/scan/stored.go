package scan

import (
	"context"
	"sync"
)

// stored is the stored halves of a chunk of a column: fetched when the first of its
// blocks has to be set up, for all of them, and let go after the last task.
type stored struct {
	p      *cubePass
	column *cellColumn
	chunk  uint32

	mu      sync.Mutex
	tasks   int // to come
	limbs   [][]uint64
	release []func()
	err     error
}

// words returns the chunk's words by limb, nil in a role without stored halves.
func (s *stored) words(ctx context.Context) ([][]uint64, error) {
	if s.p.c0 == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limbs != nil || s.err != nil {
		return s.limbs, s.err
	}
	p := s.p.r.Profile()
	_, g := chunkOf(s.column.blocks, s.chunk)
	id := ChunkID{File: s.column.file, Column: s.column.column, Chunk: s.chunk}
	var limbs [][]uint64
	for l := range p.Limbs() {
		words, release, err := load(ctx, s.p.c0, p, id, l, g)
		if err != nil {
			s.err = err
			return nil, err
		}
		limbs, s.release = append(limbs, words), append(s.release, release)
	}
	s.limbs = limbs
	return limbs, nil
}

// done says that a task has ended.
func (s *stored) done() {
	s.mu.Lock()
	s.tasks--
	last := s.tasks == 0
	s.mu.Unlock()
	if last {
		s.free()
	}
}

// free lets go of the words.
func (s *stored) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, release := range s.release {
		release()
	}
	s.release, s.limbs = nil, nil
}
