package keyholder

import (
	"bytes"
	"context"
	"crypto/ed25519"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

// The journal is the switch between old and new keys: they are drawn in the keystore before,
// and adopted when the entry that names them was taken in. A stop at any point before or
// after leaves a keystore that has both, or the new ones.

// signer signs with the present key of the keystore.
func (k *Keyholder) signer() evidence.Signer { return k.cfg.Keys.Signer() }

// adopt brings the keystore to the keys that the journal has for this keyholder now.
func (k *Keyholder) adopt(ctx context.Context) error {
	want := k.state.party(k.cfg.Party)
	if want == nil {
		return nil // not registered yet, or revoked
	}
	present := k.signer().Public()
	if present.Equal(ed25519.PublicKey(want.SigningKey)) && bytes.Equal(k.cfg.Keys.SealingKey(), want.SealingKey) {
		return nil
	}
	r, ok := k.cfg.Keys.(keys.Rotator)
	if !ok {
		return keys.NotOurs(want.SigningKey)
	}
	if err := r.Adopt(ctx, want.SigningKey, want.SealingKey); err != nil {
		return err
	}
	if err := k.crash("adopted"); err != nil {
		return &fatalError{err} // tests only
	}
	k.log.Info("the keys that the journal has now are in use", "old", evidence.KeyHint(present), "signing", evidence.KeyHint(want.SigningKey), "replaced_sealing_keys", r.Replaced())
	k.seeds.raise() // to forget the old ones in time
	k.outbox.raise()
	return nil
}

// adoptNow is adopt as far as it matters where it is called: while the ledger is replayed the
// keystore may be ahead of it, and what can't be adopted is found out again when something
// is to be signed.
func (k *Keyholder) adoptNow(ctx context.Context) error {
	err := k.adopt(ctx)
	if err == nil || isFatal(err) {
		return err
	}
	if carnet.ReasonOf(err) == "KEYS_NOT_HELD" && !k.caughtUp() {
		return nil
	}
	k.log.Error("the keys of the newest party statement are not in use yet", "reason", carnet.ReasonOf(err), "error", err, "remedy", remedy(err))
	return nil
}

// cosigner returns who signs a checkpoint of a size: the key in force there. It is nil if
// this keyholder has that key no more, or is revoked there; a later checkpoint will do then.
func (k *Keyholder) cosigner(ctx context.Context, size int64) (evidence.Signer, error) {
	want, newest := k.state.cosignKey(size)
	if want == nil {
		return nil, nil
	}
	s := k.signer()
	if s.Public().Equal(ed25519.PublicKey(want.SigningKey)) {
		return s, nil
	}
	if !newest {
		return nil, nil
	}
	if err := k.adopt(ctx); err != nil {
		if isFatal(err) {
			return nil, err
		}
		return nil, &laterError{err}
	}
	return k.signer(), nil
}

// renew returns a statement of this keyholder under its present key. Its hash stays: the
// signature is no part of it.
func (k *Keyholder) renew(ctx context.Context, env *evidence.Envelope) (*evidence.Envelope, error) {
	want := k.state.party(k.cfg.Party)
	if want == nil || env.SignedBy(want.SigningKey) {
		return env, nil
	}
	if err := k.adopt(ctx); err != nil {
		return nil, err
	}
	again := &evidence.Envelope{PayloadType: env.PayloadType, Payload: env.Payload}
	return again, again.Countersign(k.signer())
}

// forget destroys sealing keys that were replaced, once everything that may be sealed to
// them was opened. Whoever kept what was sealed can't have it opened from then on.
func (k *Keyholder) forget(ctx context.Context, all []SeedsState) error {
	r, ok := k.cfg.Keys.(keys.Rotator)
	if !ok || r.Replaced() == 0 || !k.caughtUp() {
		return nil
	}
	for _, s := range all {
		if s.State == SeedsWanted && !k.doomed(s.Key) && !k.state.isOver(s.Key) {
			return nil
		}
	}
	if k.selectionWaits() || k.state.handedToMe() {
		return nil
	}
	n := r.Replaced()
	if err := r.Forget(ctx); err != nil {
		return err
	}
	if err := k.crash("forgotten"); err != nil {
		return &fatalError{err} // tests only
	}
	k.log.Info("replaced sealing keys are destroyed: what was sealed to them is not opened any more", "keys", n)
	return k.noteKeys(ctx)
}

// oldSealing is how many replaced sealing keys wait to be forgotten.
func (k *Keyholder) oldSealing() int {
	if r, ok := k.cfg.Keys.(keys.Rotator); ok {
		return r.Replaced()
	}
	return 0
}

// selectionWaits reports whether a query with a private parameter has no outcome yet: its
// selection is sealed to the key of then.
func (k *Keyholder) selectionWaits() bool {
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.pending {
		if c.Query.Private != nil && !c.expired(now) {
			return true
		}
	}
	return false
}

// handedToMe reports whether somebody handed on parts to this keyholder for a resharing
// that may still go on.
func (s *state) handedToMe() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, list := range s.contributions {
		c := s.committees[id.committee]
		if c == nil || c.number == 0 {
			continue
		}
		for _, b := range list {
			if _, err := s.movable(b.body.Key, b.body.From, b.body.Committee); err == nil {
				return true
			}
		}
	}
	return false
}
