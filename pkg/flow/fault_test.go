//go:build unix

package flow_test

import (
	"context"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/flow"
)

// lostPages are columns whose words can't be read, until they are doubted.
type lostPages struct {
	flow.Columns
	mem []byte

	mu      sync.Mutex
	doubted map[carnet.Nonce]bool
}

func (l *lostPages) Doubt(nonce carnet.Nonce) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubted[nonce] = true
	l.Columns.Doubt(nonce)
}

func (l *lostPages) Chunk(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32, chunk, limb int) ([]uint64, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.doubted[f.Nonce()] {
		return l.Columns.Chunk(ctx, f, root, column, chunk, limb)
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(&l.mem[0])), f.ChunkWords(chunk)), func() {}, nil
}

// A page of verified ciphertext that the disk does not give ends one attempt; the next
// one reads the files anew.
func TestLostPageIsReadAnew(t *testing.T) {
	n, tables := twoOwners(t)
	mem, err := unix.Mmap(-1, 0, 16<<20, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Munmap(mem) })
	lost := &lostPages{Columns: n.Config.Columns, mem: mem, doubted: map[carnet.Nonce]bool{}}
	c := n.Config
	c.Columns = lost
	g, err := flow.New(c)
	require.NoError(t, err)
	n.G = g
	run(t, g)
	ref, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		n.Advance(time.Second) // past the pause between attempts
		s, err := g.GetQuery(ctx, n.Parties["bank"], ref.Hash)
		require.NoError(t, err)
		return s.State == flow.QueryReleasing
	}, 20*time.Second, 20*time.Millisecond)
	lost.mu.Lock()
	defer lost.mu.Unlock()
	require.Len(t, lost.doubted, 2, "a file of each owner")
}
