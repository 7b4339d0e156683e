package keystest

import (
	"context"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

// rotates: keys are drawn, adopted and forgotten; after every step the store is opened
// again, as after a crash, and every step is repeated. A store whose signing key is made
// elsewhere draws one through Fixture.BeforeDraw.
func rotates(t *testing.T, f Fixture) {
	ctx := context.Background()
	r, ok := f.Store.(keys.Rotator)
	if !ok {
		t.Skip("this store does not replace its keys")
	}
	store := f.Store
	reopen := func() {
		store = f.Reopen(t)
		r = store.(keys.Rotator)
	}
	info := []byte("info")
	sealed := func(to []byte) []byte {
		b, err := seal.Seal(to, info, []byte("seeds"))
		require.NoError(t, err)
		return b
	}
	opens := func(b []byte) bool {
		plain, err := store.Unseal(ctx, info, b)
		return err == nil && string(plain) == "seeds"
	}
	require.NoError(t, store.Put(ctx, key(1), bundle(1)))
	oldSigner, oldTo := store.Signer(), store.SealingKey()
	before := sealed(oldTo)
	_, drawn := r.Next()
	require.False(t, drawn)
	require.Zero(t, r.Replaced())
	require.NoError(t, r.Adopt(ctx, oldSigner.Public(), oldTo), "what is present may be adopted again")

	if f.BeforeDraw != nil {
		f.BeforeDraw(t)
	}
	only, err := r.Draw(ctx, false, true)
	require.NoError(t, err)
	require.Equal(t, oldSigner.Public(), only.Signer.Public())
	require.NotEqual(t, oldTo, only.SealingKey)
	reopen()
	next, err := r.Draw(ctx, true, true)
	require.NoError(t, err)
	require.Equal(t, only.SealingKey, next.SealingKey, "what was drawn stays")
	require.NotEqual(t, oldSigner.Public(), next.Signer.Public())
	reopen()
	again, drawn := r.Next()
	require.True(t, drawn)
	require.Equal(t, next.Signer.Public(), again.Signer.Public())
	for _, s := range []interface {
		Public() ed25519.PublicKey
		Sign([]byte) ([]byte, error)
	}{store.Signer(), again.Signer} {
		sig, err := s.Sign([]byte("m"))
		require.NoError(t, err)
		require.True(t, ed25519.Verify(s.Public(), []byte("m"), sig))
	}
	require.Equal(t, oldSigner.Public(), store.Signer().Public(), "the present key signs until the next one is adopted")
	require.Equal(t, oldTo, store.SealingKey())
	wants(t, r.Adopt(ctx, make(ed25519.PublicKey, ed25519.PublicKeySize), oldTo), carnet.Precondition, "KEYS_NOT_HELD")

	stale := store.Signer()
	for range 2 {
		require.NoError(t, r.Adopt(ctx, next.Signer.Public(), next.SealingKey))
		require.Equal(t, next.Signer.Public(), store.Signer().Public())
		require.Equal(t, next.SealingKey, store.SealingKey())
		require.Equal(t, 1, r.Replaced())
		require.True(t, opens(before), "the old sealing key opens what is pending")
		require.True(t, opens(sealed(next.SealingKey)))
		_, err = stale.Sign([]byte("m"))
		require.Error(t, err, "the old key signs nothing any more")
		reopen()
	}
	wants(t, r.Adopt(ctx, oldSigner.Public(), oldTo), carnet.Precondition, "KEYS_NOT_HELD")

	for range 2 {
		require.NoError(t, r.Forget(ctx))
		require.Zero(t, r.Replaced())
		require.False(t, opens(before), "a sealing key that was forgotten opens nothing")
		require.True(t, opens(sealed(next.SealingKey)))
		reopen()
	}
	third, err := r.Draw(ctx, false, true)
	require.NoError(t, err)
	require.NoError(t, r.Discard(ctx))
	reopen()
	_, drawn = r.Next()
	require.False(t, drawn)
	require.False(t, opens(sealed(third.SealingKey)))
	b, err := store.Get(ctx, key(1))
	require.NoError(t, err)
	require.Equal(t, bundle(1), b, "seeds stay")
}
