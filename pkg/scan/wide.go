package scan

import (
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/functional"
)

// narrowFactor is how many columns a factor may have whose sum workers make tile by tile
// from columns that are read side by side. The sum of more, such as a range of hundreds
// of codes, is made before they begin: one column is in memory at a time, and all terms
// find the sum ready.
const narrowFactor = 4

// wideFactor is a sum of many columns of a file.
type wideFactor struct {
	columns []uint32
	minus   int // the columns from this place on are subtracted
}

func newWideFactor(t *functional.Factor) wideFactor {
	return wideFactor{slices.Concat(t.Plus, t.Minus), len(t.Plus)}
}

// wideSum is both halves of a wide factor in one limb of a chunk, in column-file order.
type wideSum struct{ c0, a []uint64 }

// wideSums sets the sums of the step's wide factors.
func (r *runner) wideSums(ctx context.Context, s *step) error {
	for i := range s.f.wide {
		sum := wideSum{r.buffer(s.c.rows), r.buffer(s.c.rows)}
		s.wide = append(s.wide, sum)
		for j := range s.f.wide[i].columns {
			if err := r.addWide(ctx, s, i, j, sum); err != nil {
				return err
			}
		}
	}
	return nil
}

// addWide adds or subtracts column j of wide factor i; the slots are divided among
// goroutines.
func (r *runner) addWide(ctx context.Context, s *step, i, j int, sum wideSum) error {
	f, rows := &s.f.wide[i], s.c.rows
	id := ChunkID{File: s.f.file, Column: f.columns[j], Chunk: uint32(s.chunk)}
	stored, release, err := load(ctx, r.c0, r.r.Profile(), id, s.limb, rows)
	if err != nil {
		return err
	}
	defer release()
	combine := r.kernel.AddMod
	if j >= f.minus {
		combine = r.kernel.SubMod
	}
	prime := r.r.Profile().Primes()[s.limb]
	tile, n := tile(r.r.Profile(), rows), len(r.workers)
	return each(ctx, n, n, func(_ context.Context, _, w int) error {
		x, public := s.c.wide[id.Column].Fork(), make([]uint64, tile*rows)
		for from, to := r.part(w); from < to; from += tile {
			lo, hi := from*rows, min(from+tile, to)*rows
			x.Words(s.limb, from, public[:hi-lo], stored[lo:hi])
			combine(sum.c0[lo:hi], stored[lo:hi], prime)
			combine(sum.a[lo:hi], public[:hi-lo], prime)
		}
		return nil
	})
}

// buffer returns zeros for one limb of a chunk.
func (r *runner) buffer(rows int) []uint64 {
	words := rows * r.r.Profile().N()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.spare) - 1; n >= 0 && cap(r.spare[n]) >= words {
		b := r.spare[n][:words]
		r.spare = r.spare[:n]
		clear(b)
		return b
	}
	return make([]uint64, words)
}

// recycle takes the buffers of a step back.
func (r *runner) recycle(s *step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range s.wide {
		r.spare = append(r.spare, s.wide[i].c0, s.wide[i].a)
	}
	s.wide = nil
}
