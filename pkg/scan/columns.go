package scan

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// columnSums keeps what whole columns add to linear sums in slot encoding: one scalar
// for each column and role, const(sum of c0 + a*w over its blocks). All such sums are made of
// these, so that a question about columns that were asked for before reads nothing. A nil
// *columnSums keeps none. It is safe for concurrent use.
type columnSums struct {
	mu    sync.Mutex
	limit int // columns
	items map[columnKey]*list.Element
	order *list.List // of *columnSum, newest first
}

type columnKey struct {
	params carnet.Hash
	role   Role
	key    carnet.KeyID
	file   carnet.Nonce
	column uint32
	blocks uint32
}

type columnSum struct {
	key columnKey
	sum he.Scalar
}

// columnBytes is about what a kept sum takes.
const columnBytes = 512

func newColumnSums(bytes int64) *columnSums {
	return &columnSums{limit: int(max(bytes, 0) / columnBytes), items: map[columnKey]*list.Element{}, order: list.New()}
}

func (c *columnSums) get(k columnKey) (he.Scalar, bool) {
	if c == nil {
		return he.Scalar{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[k]
	if !ok {
		return he.Scalar{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*columnSum).sum, true
}

// put keeps a sum; the one that was used longest ago gives way and is overwritten.
func (c *columnSums) put(k columnKey, sum he.Scalar) {
	if c == nil || c.limit == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items[k] != nil { // two calls made it
		return
	}
	if len(c.items) == c.limit {
		c.drop(c.order.Back())
	}
	c.items[k] = c.order.PushFront(&columnSum{k, sum})
}

func (c *columnSums) drop(e *list.Element) {
	s := c.order.Remove(e).(*columnSum)
	delete(c.items, s.key)
	clear(s.sum[:])
}

// forget forgets the sums whose file which names, and overwrites them.
func (c *columnSums) forget(which func(file carnet.Nonce) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.items {
		if which(k.file) {
			c.drop(e)
		}
	}
}

// wholeColumns are the distinct columns of linear functionals in slot encoding, in order
// of first use.
type wholeColumns struct {
	kept   *columnSums
	keys   []columnKey
	sums   []he.Scalar
	uses   [][]use
	count  int                      // of functionals
	fs     []*functional.Functional // one for each column whose sum is not kept
	number []int                    // of that column
}

// columns finds the columns of validated functionals and the sums of them that are kept.
func (c *columnSums) columns(p *he.Profile, role Role, fs []*functional.Functional) *wholeColumns {
	w := &wholeColumns{kept: c, count: len(fs)}
	at := map[columnKey]int{}
	for f := range fs {
		for i := range fs[f].Keys {
			k := &fs[f].Keys[i]
			for j := range k.Linear {
				t := &k.Linear[j]
				name := columnKey{p.ID(), role, k.Key, t.File, t.Column, t.Blocks}
				n, ok := at[name]
				if !ok {
					n = len(w.keys)
					at[name] = n
					w.enter(name)
				}
				w.uses[n] = append(w.uses[n], use{f, t.Minus})
			}
		}
	}
	return w
}

func (w *wholeColumns) enter(k columnKey) {
	sum, ok := w.kept.get(k)
	if !ok {
		w.number = append(w.number, len(w.keys))
		w.fs = append(w.fs, &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: k.key,
			Linear: []functional.Linear{{File: k.file, Column: k.column, Blocks: k.blocks}}}}})
	}
	w.keys, w.sums, w.uses = append(w.keys, k), append(w.sums, sum), append(w.uses, nil)
}

// evaluate makes the sums that are missing, with the jobs of w.fs, and returns those of
// the functionals.
func (w *wholeColumns) evaluate(ctx context.Context, r *he.Ring, jobs []job, weights map[carnet.KeyID]he.Poly, c0 Chunks, opt Options, m *meter) ([]he.Scalar, error) {
	for _, k := range w.keys {
		if _, ok := weights[k.key]; !ok {
			return nil, missingKey(k.key)
		}
	}
	made, err := w.make(ctx, r, jobs, weights, c0, opt, m)
	if err != nil {
		return nil, err
	}
	for i, n := range w.number {
		w.sums[n] = made[i]
		w.kept.put(w.keys[n], made[i])
	}
	out := make([]he.Scalar, w.count)
	for n, uses := range w.uses {
		for _, u := range uses {
			if u.minus {
				out[u.f] = r.ScalarSub(out[u.f], w.sums[n])
			} else {
				out[u.f] = r.ScalarAdd(out[u.f], w.sums[n])
			}
		}
	}
	return out, nil
}

// make makes the sums that are missing, without the words of stored halves where their
// sums are known.
func (w *wholeColumns) make(ctx context.Context, r *he.Ring, jobs []job, weights map[carnet.KeyID]he.Poly, c0 Chunks, opt Options, m *meter) ([]he.Scalar, error) {
	stored, ok := c0.(Constants)
	if !ok {
		return linear(ctx, r, len(w.fs), jobs, weights, c0, opt, m)
	}
	made, err := linear(ctx, r, len(w.fs), jobs, weights, nil, opt, m)
	if err != nil {
		return nil, err
	}
	p := r.Profile()
	for i, n := range w.number {
		k := &w.keys[n]
		sums, err := stored.Constants(ctx, k.file, k.column)
		if err != nil {
			return nil, err
		}
		if len(sums) != p.Limbs() {
			return nil, fmt.Errorf("column %d of %s has sums of %d limbs, want %d", k.column, k.file, len(sums), p.Limbs())
		}
		var c he.Scalar
		for l, v := range sums {
			if v >= p.Prime(l) {
				return nil, fmt.Errorf("the sum of limb %d of column %d of %s is no residue", l, k.column, k.file)
			}
			c[l] = r.OverN(l, v)
		}
		made[i] = r.ScalarAdd(made[i], c)
	}
	return made, nil
}
