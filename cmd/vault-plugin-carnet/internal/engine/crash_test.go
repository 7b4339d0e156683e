package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
)

// A write of the mount's storage goes wrong in one of these ways.
const (
	refused = "refused" // not done, and said so
	unheard = "unheard" // done, and said not to be
	stopped = "stopped" // not done, and nothing after it: Vault stopped, another process goes on
)

var errDisk = errors.New("no space left on device")

// faulty is storage whose write number at goes wrong.
type faulty struct {
	*storage
	at   int
	how  string
	done int
}

func (f *faulty) write(do func() error) error {
	f.done++
	switch {
	case f.done == f.at && f.how == unheard:
		return errors.Join(do(), errDisk)
	case f.done == f.at, f.done > f.at && f.how == stopped:
		return errDisk
	}
	return do()
}

func (f *faulty) Put(ctx context.Context, e *logical.StorageEntry) error {
	return f.write(func() error { return f.storage.Put(ctx, e) })
}

func (f *faulty) Delete(ctx context.Context, key string) error {
	return f.write(func() error { return f.storage.Delete(ctx, key) })
}

// contents are the entries below a path.
func contents(t testing.TB, s logical.Storage, under string) map[string][]byte {
	names, err := logical.CollectKeys(t.Context(), s)
	require.NoError(t, err)
	out := map[string][]byte{}
	for _, name := range names {
		if !strings.HasPrefix(name, under) {
			continue
		}
		e, err := s.Get(t.Context(), name)
		require.NoError(t, err)
		out[name] = e.Value
	}
	return out
}

// operation is one that writes; it is repeated after it was interrupted.
type operation struct {
	writes int // at least
	do     func(t *testing.T, s keys.Sharer) (string, error)
	// halfway looks at what a repetition will find.
	halfway func(t *testing.T, s keys.Sharer, disk *storage)
	// finished looks at what is there afterwards.
	finished func(t *testing.T, s keys.Sharer, disk *storage)
}

// interrupted does an operation on copies of a disk, with each of its writes going wrong in each
// way, and repeats it: in the end all is as if nothing had happened, and it said the same.
func (o operation) interrupted(t *testing.T, base *storage) {
	on := func(s logical.Storage) keys.Sharer { return sharer(t, newEngine(t, s)) }
	fresh := func() *storage {
		disk := &storage{}
		for name, value := range contents(t, base, "") {
			require.NoError(t, disk.Put(t.Context(), &logical.StorageEntry{Key: name, Value: value}))
		}
		return disk
	}
	smooth := fresh()
	want, err := o.do(t, on(smooth))
	require.NoError(t, err)
	o.finished(t, on(smooth), smooth)
	for _, how := range []string{refused, unheard, stopped} {
		for k := 1; ; k++ {
			disk := fresh()
			f := &faulty{storage: disk, at: k, how: how}
			s := on(f)
			got, err := o.do(t, s)
			if f.done < k {
				require.NoError(t, err)
				require.GreaterOrEqual(t, k-1, o.writes, "writes")
				break
			}
			require.Error(t, err, "write %d %s", k, how)
			require.Empty(t, got, "write %d %s: it is told before it is written", k, how)
			if how == stopped {
				s = on(disk)
			}
			o.halfway(t, s, disk)
			got, err = o.do(t, s)
			require.NoError(t, err, "write %d %s", k, how)
			require.Equal(t, want, got, "write %d %s", k, how)
			o.finished(t, s, disk)
			require.Equal(t, contents(t, smooth, ""), contents(t, disk, ""), "write %d %s", k, how)
		}
	}
}

// heldOrNot requires that a key is held with its statements or not at all.
func heldOrNot(t *testing.T, s keys.Sharer, disk *storage, d *keys.Dealing) {
	t.Helper()
	err := s.Held(t.Context(), d)
	_, listed := contents(t, disk, storedDealings)[storedDealings+d.Key.String()]
	require.Equal(t, listed, err == nil, "%v", err)
	if err != nil {
		require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(err), "%v", err)
	}
}

// Rule: whatever is interrupted between any two writes, no key is half there, no count is lost,
// and nothing is answered that was not counted.
func TestCrashBetweenWrites(t *testing.T) {
	t.Run("import", func(t *testing.T) {
		a := newAttacker(t, carnet.LayoutCube)
		d, after := a.net.Redeal(0, a.sharer.SealingKey(), "imported")
		d.Again = nil
		operation{2, func(t *testing.T, s keys.Sharer) (string, error) {
			return "", s.Accept(t.Context(), d, after.Sealed(d.Key))
		}, func(t *testing.T, s keys.Sharer, disk *storage) { heldOrNot(t, s, disk, d) },
			func(t *testing.T, s keys.Sharer, _ *storage) { require.NoError(t, s.Held(t.Context(), d)) }}.interrupted(t, a.storage)
	})
	t.Run("a key dealt again", func(t *testing.T) {
		a := newAttacker(t, carnet.LayoutCube)
		_, err := a.net.Answer(t, a.sharer, a.net.Ask(january), 0)
		require.NoError(t, err)
		d, after := a.net.Redeal(0, a.sharer.SealingKey(), "again", func(r *carnet.Redealing) { r.Released = 100 })
		r := after.Ask(january)
		operation{4, func(t *testing.T, s keys.Sharer) (string, error) {
			if err := s.Accept(t.Context(), d, after.Sealed(d.Key)); err != nil {
				return "", err
			}
			b, err := after.Answer(t, s, r, 0)
			return string(b), err
		}, func(t *testing.T, _ keys.Sharer, disk *storage) {
			if _, named := contents(t, disk, storedAgain)[storedAgain+d.Key.String()]; !named {
				require.NotContains(t, contents(t, disk, storedReleases), storedReleases+d.Key.String()+"/000000", "it is never a key of its own")
			}
		}, func(t *testing.T, s keys.Sharer, disk *storage) {
			require.NoError(t, s.Held(t.Context(), d))
			require.Contains(t, string(contents(t, disk, storedAgain)[storedAgain+d.Key.String()]), `"carried":`)
		}}.interrupted(t, a.storage)
	})
	t.Run("answer", func(t *testing.T) {
		a := newAttacker(t, carnet.LayoutRecords)
		r := a.net.Ask(january)
		counted := func(disk *storage) (n int) {
			for _, at := range []string{storedReleases, storedProducts} {
				for _, v := range contents(t, disk, at) {
					n += len(v) / 32
				}
			}
			return n
		}
		before := -1
		operation{4, func(t *testing.T, s keys.Sharer) (string, error) {
			b, err := a.net.Answer(t, s, r, 0)
			return string(b), err
		}, func(_ *testing.T, _ keys.Sharer, disk *storage) { before = counted(disk) },
			func(t *testing.T, s keys.Sharer, disk *storage) {
				require.Positive(t, counted(disk))
				require.GreaterOrEqual(t, counted(disk), before, "a count is lost")
			}}.interrupted(t, a.storage)
	})
	t.Run("handing on", func(t *testing.T) {
		a := newAttacker(t, carnet.LayoutCube)
		h := a.net.Handing(0, "next")
		approve(t, a.engine, h.Committee, h.Recipients)
		operation{1, func(t *testing.T, s keys.Sharer) (string, error) {
			got, err := s.HandOver(t.Context(), a.net.Dealings[0], h)
			if err != nil {
				require.Nil(t, got)
				return "", err
			}
			return fmt.Sprint(got.Parts), nil
		}, func(t *testing.T, s keys.Sharer, disk *storage) {
			require.NoError(t, s.Held(t.Context(), a.net.Dealings[0]))
		}, func(t *testing.T, _ keys.Sharer, disk *storage) { require.Len(t, contents(t, disk, storedWord), 1) }}.interrupted(t, a.storage)
	})
	t.Run("taking over", func(t *testing.T) {
		a := newAttacker(t, carnet.LayoutCube)
		h := a.net.Handing(0, "next")
		m, _ := a.net.Move(0, h, a.sharer.SealingKey())
		operation{3, func(t *testing.T, s keys.Sharer) (string, error) {
			_, err := m.TakeOver(t, s, h, m.Sealed)
			return "", err
		}, func(t *testing.T, s keys.Sharer, disk *storage) { heldOrNot(t, s, disk, m.Dealing) },
			func(t *testing.T, s keys.Sharer, _ *storage) { require.NoError(t, s.Held(t.Context(), m.Dealing)) }}.interrupted(t, a.storage)
	})
	t.Run("destruction", func(t *testing.T) {
		a := newAttacker(t, carnet.LayoutCube)
		d := a.net.Dealings[0]
		operation{4, func(t *testing.T, s keys.Sharer) (string, error) { return "", s.Destroy(t.Context(), d.Key) },
			func(t *testing.T, s keys.Sharer, disk *storage) {
				_, marked := contents(t, disk, storedDestroyed)[storedDestroyed+d.Key.String()]
				err := s.Held(t.Context(), d)
				require.Equal(t, marked, err != nil, "the mark is the first thing that is written")
				if marked {
					require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
					require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(s.Accept(t.Context(), d, a.net.Sealed(d.Key))), "it never comes back")
				}
			}, func(t *testing.T, s keys.Sharer, disk *storage) {
				require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(s.Held(t.Context(), d)))
				for _, at := range []string{storedSeeds, storedDealings, storedAgain} {
					require.NotContains(t, contents(t, disk, at), at+d.Key.String())
				}
			}}.interrupted(t, a.storage)
	})
}
