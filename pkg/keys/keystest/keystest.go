// Package keystest is the contract of keys.Store as tests. An implementation calls
// Run with a function that makes an empty store; Run needs nothing else.
package keystest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

// Fixture is one store under test.
type Fixture struct {
	Store keys.Store
	// Reopen closes the store and opens it again from what it made durable.
	Reopen func(t *testing.T) keys.Store
	// BeforeDraw does what somebody else has to before a signing key can be drawn; nil:
	// nothing.
	BeforeDraw func(t *testing.T)
}

// Run checks an implementation. make returns a fresh, empty store each time.
func Run(t *testing.T, make func(t *testing.T) Fixture) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, f Fixture)
	}{
		{"bundles are kept and listed in order", keepAndList},
		{"same bytes again are fine, other bytes are not", putTwice},
		{"unknown keys are not found", unknown},
		{"odd bundles are refused", oddBundles},
		{"destruction is final", destroy},
		{"everything survives reopening", reopen},
		{"callers get copies", copies},
		{"the signer signs", signs},
		{"sealed messages open", unseals},
		{"concurrent use is safe", concurrent},
		{"a closed store refuses", closed},
		{"errors hold no secrets", quiet},
		{"marks only go forward", marks},
		{"keys are replaced", rotates},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, make(t)) })
	}
}

func key(i byte) (k carnet.KeyID) { k[0], k[31] = i, 0xee; return }

func bundle(i byte) []byte { return bytes.Repeat([]byte{0xa5, i}, 50) }

func wants(t *testing.T, err error, kind carnet.Kind, reason string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, carnet.KindOf(err), err)
	require.Equal(t, reason, carnet.ReasonOf(err))
}

func keepAndList(t *testing.T, f Fixture) {
	ctx := context.Background()
	none, err := f.Store.List(ctx)
	require.NoError(t, err)
	require.Empty(t, none)
	for _, i := range []byte{3, 1, 2} {
		require.NoError(t, f.Store.Put(ctx, key(i), bundle(i)))
	}
	got, err := f.Store.List(ctx)
	require.NoError(t, err)
	require.Equal(t, []carnet.KeyID{key(1), key(2), key(3)}, got)
	for _, i := range []byte{1, 2, 3} {
		b, err := f.Store.Get(ctx, key(i))
		require.NoError(t, err)
		require.Equal(t, bundle(i), b)
	}
}

func putTwice(t *testing.T, f Fixture) {
	ctx := context.Background()
	require.NoError(t, f.Store.Put(ctx, key(1), bundle(1)))
	require.NoError(t, f.Store.Put(ctx, key(1), bundle(1)))
	wants(t, f.Store.Put(ctx, key(1), bundle(2)), carnet.Exists, "BUNDLE_DIFFERS")
	b, err := f.Store.Get(ctx, key(1))
	require.NoError(t, err)
	require.Equal(t, bundle(1), b)
}

func unknown(t *testing.T, f Fixture) {
	_, err := f.Store.Get(context.Background(), key(9))
	wants(t, err, carnet.NotFound, "KEY_NOT_HELD")
}

func oddBundles(t *testing.T, f Fixture) {
	ctx := context.Background()
	wants(t, f.Store.Put(ctx, key(1), nil), carnet.Invalid, "BAD_BUNDLE")
	wants(t, f.Store.Put(ctx, key(1), bytes.Repeat([]byte{1}, keys.MaxBundle+1)), carnet.Invalid, "BAD_BUNDLE")
	require.NoError(t, f.Store.Put(ctx, key(1), bytes.Repeat([]byte{1}, keys.MaxBundle)))
}

func destroy(t *testing.T, f Fixture) {
	ctx := context.Background()
	require.NoError(t, f.Store.Put(ctx, key(1), bundle(1)))
	require.NoError(t, f.Store.Put(ctx, key(2), bundle(2)))
	for range 2 {
		require.NoError(t, f.Store.Destroy(ctx, key(1)))
	}
	require.NoError(t, f.Store.Destroy(ctx, key(7)), "never held")
	for _, s := range []keys.Store{f.Store, nil} {
		if s == nil {
			s = f.Reopen(t)
		}
		for _, i := range []byte{1, 7} {
			_, err := s.Get(ctx, key(i))
			wants(t, err, carnet.Precondition, "KEY_DESTROYED")
			wants(t, s.Put(ctx, key(i), bundle(i)), carnet.Precondition, "KEY_DESTROYED")
		}
		got, err := s.List(ctx)
		require.NoError(t, err)
		require.Equal(t, []carnet.KeyID{key(2)}, got)
	}
}

func reopen(t *testing.T, f Fixture) {
	ctx := context.Background()
	require.NoError(t, f.Store.Put(ctx, key(1), bundle(1)))
	pub, sealing := f.Store.Signer().Public(), f.Store.SealingKey()
	s := f.Reopen(t)
	require.Equal(t, pub, s.Signer().Public())
	require.Equal(t, sealing, s.SealingKey())
	b, err := s.Get(ctx, key(1))
	require.NoError(t, err)
	require.Equal(t, bundle(1), b)
}

func copies(t *testing.T, f Fixture) {
	ctx := context.Background()
	in := bundle(1)
	require.NoError(t, f.Store.Put(ctx, key(1), in))
	clear(in)
	out, err := f.Store.Get(ctx, key(1))
	require.NoError(t, err)
	require.Equal(t, bundle(1), out)
	clear(out)
	again, err := f.Store.Get(ctx, key(1))
	require.NoError(t, err)
	require.Equal(t, bundle(1), again)
}

func signs(t *testing.T, f Fixture) {
	s := f.Store.Signer()
	sig, err := s.Sign([]byte("message"))
	require.NoError(t, err)
	require.True(t, ed25519.Verify(s.Public(), []byte("message"), sig))
}

func unseals(t *testing.T, f Fixture) {
	ctx := context.Background()
	info := []byte("info")
	sealed, err := seal.Seal(f.Store.SealingKey(), info, []byte("seeds"))
	require.NoError(t, err)
	plain, err := f.Store.Unseal(ctx, info, sealed)
	require.NoError(t, err)
	require.Equal(t, []byte("seeds"), plain)

	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, bad := range map[string][]byte{"flipped": flipped, "short": sealed[:10], "empty": nil} {
		_, err := f.Store.Unseal(ctx, info, bad)
		require.Error(t, err, name)
		wants(t, err, carnet.Invalid, "UNSEAL_FAILED")
	}
	_, err = f.Store.Unseal(ctx, []byte("other"), sealed)
	wants(t, err, carnet.Invalid, "UNSEAL_FAILED")
}

func concurrent(t *testing.T, f Fixture) {
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range byte(4) {
		wg.Go(func() {
			if err := f.Store.Put(ctx, key(i), bundle(i)); err != nil {
				t.Error(err)
			}
			if _, err := f.Store.Get(ctx, key(i)); err != nil {
				t.Error(err)
			}
			if _, err := f.Store.List(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := f.Store.List(ctx)
	require.NoError(t, err)
	require.Len(t, got, 4)
}

func closed(t *testing.T, f Fixture) {
	ctx := context.Background()
	require.NoError(t, f.Store.Put(ctx, key(1), bundle(1)))
	require.NoError(t, f.Store.Close())
	_, err := f.Store.Get(ctx, key(1))
	require.Error(t, err)
	require.Error(t, f.Store.Put(ctx, key(2), bundle(2)))
	_, err = f.Store.Signer().Sign([]byte("m"))
	require.Error(t, err)
}

func quiet(t *testing.T, f Fixture) {
	ctx := context.Background()
	require.NoError(t, f.Store.Put(ctx, key(1), bundle(1)))
	err := f.Store.Put(ctx, key(1), bundle(2))
	require.Error(t, err)
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, b := range [][]byte{bundle(1), bundle(2)} {
		require.NotContains(t, text, string(b))
		require.NotContains(t, text, fmt.Sprintf("%x", b))
	}
	require.NotContains(t, fmt.Sprintf("%v %+v", f.Store, f.Store), fmt.Sprintf("%x", bundle(1)[:8]))
}

// marks is for stores that are a keys.Marker.
func marks(t *testing.T, f Fixture) {
	m, ok := f.Store.(keys.Marker)
	if !ok {
		t.Skip("this store keeps no mark")
	}
	ctx := context.Background()
	at, err := m.Marked(ctx)
	require.NoError(t, err)
	require.Zero(t, at)
	five := carnet.Checkpoint{Size: 5, Head: carnet.Hash{5}}
	require.NoError(t, m.Mark(ctx, carnet.Checkpoint{Size: 2, Head: carnet.Hash{2}}))
	require.NoError(t, m.Mark(ctx, five))
	require.NoError(t, m.Mark(ctx, five), "again")
	for name, bad := range map[string]carnet.Checkpoint{"shorter": {Size: 2, Head: carnet.Hash{2}}, "another": {Size: 5, Head: carnet.Hash{6}}} {
		err := m.Mark(ctx, bad)
		require.Error(t, err, name)
		wants(t, err, carnet.Precondition, "MARK_BEHIND")
	}
	at, err = f.Reopen(t).(keys.Marker).Marked(ctx)
	require.NoError(t, err)
	require.Equal(t, five, at)
}
