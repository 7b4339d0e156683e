package keyholder

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

// drawn is the statement with which a holder has the keys that it drew.
func (h *holder) drawn(t *testing.T) (*evidence.Envelope, keys.Next) {
	t.Helper()
	next, err := h.store.(keys.Rotator).Draw(t.Context(), true, true)
	require.NoError(t, err)
	s := stateOf(t, h.g.w)
	env := h.g.w.replacement(t, s, holderName(h.number), func(p *carnet.Party) {
		p.SigningKey, p.SealingKey = next.Signer.Public(), next.SealingKey
	}, h.store.Signer(), next.Signer)
	return env, next
}

// cosignedBy reports whether the newest state bears a keyholder's co-signature with a key.
func (g *gateway) cosignedBy(id carnet.PartyID, signer evidence.Signer) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.cosigned {
		if c.Size == g.tree.Size() {
			if sig, _ := c.CosignedBy(id, signer.Public()); sig != nil {
				return true
			}
		}
	}
	return false
}

// A rotation is complete whatever it is interrupted by: the keyholder co-signs and answers
// with the new keys, has destroyed the old ones, and opens nothing sealed to them.
func TestCrashesDuringARotation(t *testing.T) {
	w := cubeWorld(t)
	for _, at := range []string{"never", "party taken in", "adopted", "forgotten"} {
		t.Run(at, func(t *testing.T) {
			g := newGateway(t, w)
			h := g.prepare(t, 1, t.TempDir())
			died := errors.New("power cut")
			h.start(t)
			old := h.store.Signer()
			require.Eventually(t, func() bool { return g.cosignedBy("kh1", old) }, waitLimit, waitStep)
			require.Eventually(t, func() bool { return h.seedsHeld(t) }, waitLimit, waitStep)
			h.stop()

			h = h.again(t)
			h.crash = func(now string) error {
				if now == at {
					return died
				}
				return nil
			}
			h.start(t)
			kept, err := seal.Seal(h.store.SealingKey(), []byte("info"), []byte("seeds"))
			require.NoError(t, err)
			env, next := h.drawn(t)
			g.journal(t, env)
			if at != "never" {
				require.Eventually(t, func() bool { return errors.Is(h.stopIfDead(), died) }, waitLimit, waitStep)
				h = h.again(t).start(t)
			}
			require.Eventually(t, func() bool { return g.cosignedBy("kh1", next.Signer) }, waitLimit, waitStep)
			require.False(t, g.cosignedBy("kh1", old), "not with both")
			query := w.ask(t, monthly)
			g.journal(t, query)
			require.True(t, g.answered(t, query, 1)[0].env.SignedBy(next.Signer.Public()))
			r := h.store.(keys.Rotator)
			require.Eventually(t, func() bool { return r.Replaced() == 0 }, waitLimit, waitStep)
			_, err = old.Sign([]byte("m"))
			require.Error(t, err)
			_, err = h.store.Unseal(t.Context(), []byte("info"), kept)
			require.Error(t, err, "a gateway that kept what was sealed and steals the keystore now has nothing to open it with")
			_, pending := r.Next()
			require.False(t, pending)
		})
	}
}

func (h *holder) seedsHeld(t *testing.T) bool {
	all, err := h.ledger.Seeds(t.Context())
	require.NoError(t, err)
	for _, s := range all {
		if s.State != SeedsHeld {
			return false
		}
	}
	return len(all) > 0
}

// What was persisted before a rotation and is delivered after it bears the new signature; its
// hash and the sealed bytes stay.
func TestAnAnswerDeliveredAfterARotation(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.prepare(t, 1, t.TempDir())
	g.refuse = func() error { return status.Error(codes.PermissionDenied, "KEY_REPLACED") }
	h.start(t)
	query := w.ask(t, monthly)
	g.journal(t, query)
	var o *Outcome
	require.Eventually(t, func() bool {
		var err error
		o, err = h.ledger.Outcome(t.Context(), query.Hash())
		return err == nil && o != nil
	}, time.Minute, waitStep)
	require.True(t, o.Statement.SignedBy(h.store.Signer().Public()))
	env, next := h.drawn(t)
	g.journal(t, env)
	require.Eventually(t, func() bool { return h.store.Signer().Public().Equal(next.Signer.Public()) }, waitLimit, waitStep)
	g.mu.Lock()
	g.refuse = nil
	g.mu.Unlock()
	got := g.answered(t, query, 1)[0]
	require.True(t, got.env.SignedBy(next.Signer.Public()))
	require.Equal(t, o.Statement.Hash(), got.env.Hash())
	require.Equal(t, o.Sealed, got.sealed)
}

// Rule (rotation): a keyholder whose keystore does not have the registered keys, such as an
// old copy, signs nothing.
func TestAttackAnOldKeystoreSignsNothing(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.prepare(t, 1, t.TempDir())
	env, next := h.drawn(t)
	require.NoError(t, h.store.(keys.Rotator).Discard(t.Context()), "as in a copy from before")
	g.journal(t, env)
	h.start(t)
	require.Eventually(t, func() bool { return bytes.Contains([]byte(h.logs.String()), []byte("KEYS_NOT_HELD")) }, waitLimit, waitStep)
	require.False(t, g.cosignedBy("kh1", next.Signer) || g.cosignedBy("kh1", h.store.Signer()))
}
