// Package scan evaluates functionals on ciphertext columns: the heavy arithmetic of
// gateways, keyholders and auditors. docs/design/scan.md explains it.
//
// A functional names columns; the stored half c0 of a column comes from the caller
// through Chunks, the public half a is expanded from the blocks' names. Linear gives
// sums of plain columns and cells, Products the polynomials D_0..D_d of sums of
// products of d factors, Cross those of products of columns of two keys, PublicValues
// what a buyer adds to the keyholders' answers. All functionals of a call share one pass:
// each column is read and expanded once per pass, not once per functional.
//
// All arithmetic is exact modulo Q, so results are the same bit for bit for any
// number of workers, any kernel, any batch size and any order of blocks; that is what
// lets others re-execute a query. Products are summed in 128-bit integers and reduced
// only when those are nearly full. The goroutines a call starts end before it returns.
package scan

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Progress is told how many of the blocks to be processed are done. Calls do not
// overlap and done never decreases.
type Progress func(done, total int64)

type meter struct {
	mu          sync.Mutex
	report      Progress
	done, total int64
}

func (m *meter) add(n int64) {
	if m == nil || m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	m.report(m.done, m.total)
}

// each calls fn for 0..n-1, from at most workers goroutines numbered from 0, until
// one call fails or the context ends.
func each(ctx context.Context, workers, n int, fn func(ctx context.Context, worker, i int) error) error {
	workers = max(1, min(workers, n))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := guarded(func() error { return fn(ctx, w, i) }); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// guarded makes a fault an error: a panic in a worker can't be recovered by whoever
// called scan, and would end a server for one query. Its text stays here, since it can
// show values. Words may lie in a mapped file, and a page that the disk does not give
// is a fault of memory.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if _, memory := r.(interface{ Addr() uintptr }); memory {
			err = carnet.E(carnet.Internal, "STORAGE_DAMAGED", "ciphertext can't be read from the disk")
		} else if r != nil {
			err = carnet.E(carnet.Internal, "PANIC", "a fault of this program met the query")
		}
	}()
	return fn()
}
