package vault

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

var _ keys.Rotator = (*Store)(nil)

// wrappedKey is a sealing key: the input of its derivation, wrapped, and its public half.
type wrappedKey struct {
	Wrapped string `json:"wrapped"`
	Sealing []byte `json:"sealing_public"`
}

// signingVersion is a version of the transit key that Vault signs with.
type signingVersion struct {
	Signing ed25519.PublicKey `json:"signing_public"`
	Version int               `json:"signing_version"`
}

func (e *sealingEntry) fields() map[string]any {
	m := map[string]any{"format": e.Format, "wrapped": e.Wrapped, "sealing_public": e.Sealing, "signing_public": []byte(e.Signing), "signing_version": e.Version}
	if e.NextSigning != nil {
		m["next_signing"] = e.NextSigning
	}
	if e.NextSealing != nil {
		m["next_sealing"] = e.NextSealing
	}
	if len(e.Old) > 0 {
		m["old_sealing"] = e.Old
	}
	return m
}

func (e *sealingEntry) wellFormed() bool {
	good := len(e.Signing) == ed25519.PublicKeySize && len(e.Sealing) == seal.PublicKeySize && e.Version >= 1
	if n := e.NextSigning; n != nil {
		good = good && len(n.Signing) == ed25519.PublicKeySize && n.Version > e.Version
	}
	return good && (e.NextSealing == nil || len(e.NextSealing.Sealing) == seal.PublicKeySize)
}

// load reads the entry of the keyholder's own keys.
func (s *Store) load(ctx context.Context) (e sealingEntry, version int, err error) {
	version, err = s.kv.Get(ctx, s.cfg.Path("sealing"), &e)
	if err == nil && version > 0 && (e.Format != format || !e.wellFormed()) {
		err = vaultsecret.Damaged(s.cfg.Path("sealing"))
	}
	return e, version, err
}

func (s *Store) present() sealingEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.own
}

// rekey changes the entry by check-and-set and takes it over. edit reports whether there is
// something to change. Earlier versions of the entry, which have keys that may be gone now,
// are erased.
func (s *Store) rekey(ctx context.Context, edit func(context.Context, *sealingEntry) (bool, error)) error {
	ctx, end, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	place := s.cfg.Path("sealing")
	for range attempts {
		e, version, err := s.load(ctx)
		if err == nil && version == 0 {
			err = vaultsecret.Damaged(place)
		}
		if err != nil {
			return err
		}
		changed, err := edit(ctx, &e)
		if err != nil {
			return err
		}
		if changed {
			err = s.kv.Put(ctx, place, version, e.fields())
			if carnet.ReasonOf(err) == "VAULT_CHANGED" {
				continue
			}
			if err != nil {
				return err
			}
			version++
		}
		// Only then: until earlier versions are gone this store says that it keeps what they
		// have, and is asked again.
		if err := s.kv.Erase(ctx, place, version-1); err != nil {
			return err
		}
		s.mu.Lock()
		s.own = e
		s.mu.Unlock()
		return nil
	}
	return busy(place)
}

// Draw implements keys.Rotator. A signing key is the newest version of the transit key, which
// Vault's administrator makes. Error: Precondition (VAULT_NOT_ROTATED) if there is no newer
// one than that in use.
func (s *Store) Draw(ctx context.Context, signing, sealing bool) (keys.Next, error) {
	err := s.rekey(ctx, func(ctx context.Context, e *sealingEntry) (changed bool, err error) {
		if signing && e.NextSigning == nil {
			if e.NextSigning, err = s.newerVersion(ctx, e.Version); err != nil {
				return false, err
			}
			changed = true
		}
		if sealing && e.NextSealing == nil {
			if e.NextSealing, err = s.drawSealing(ctx); err != nil {
				return false, err
			}
			changed = true
		}
		return changed, nil
	})
	n, _ := s.Next()
	return n, err
}

func (s *Store) newerVersion(ctx context.Context, than int) (*signingVersion, error) {
	key := s.cfg.SignKey()
	info, err := s.transit.Inspect(ctx, key, "ed25519")
	if err != nil {
		return nil, err
	}
	if info.Latest <= than {
		return nil, carnet.E(carnet.Precondition, "VAULT_NOT_ROTATED", "the newest version of Vault's key %s is the one in use", key).
			Fix("have Vault's administrator make a new version: vault write -f %s/keys/%s/rotate", s.cfg.Transit, key)
	}
	pub, ok := info.Public(info.Latest)
	if !ok {
		return nil, vaultsecret.Malformed("read", key)
	}
	return &signingVersion{pub, info.Latest}, nil
}

func (s *Store) drawSealing(ctx context.Context) (*wrappedKey, error) {
	seed := make([]byte, 32)
	defer clear(seed)
	if _, err := rand.Read(seed); err != nil {
		return nil, err
	}
	key, err := seal.DeriveKey(seed)
	if err != nil {
		return nil, err
	}
	wrapped, err := s.transit.Encrypt(ctx, s.cfg.WrapKey(), s.cfg.Path("sealing"), seed)
	return &wrappedKey{wrapped, key.Public()}, err
}

// Next implements keys.Rotator.
func (s *Store) Next() (keys.Next, bool) {
	e := s.present()
	if e.NextSigning == nil && e.NextSealing == nil {
		return keys.Next{}, false
	}
	n := keys.Next{Signer: signer{s, signingVersion{e.Signing, e.Version}}, SealingKey: bytes.Clone(e.Sealing)}
	if e.NextSigning != nil {
		n.Signer = signer{s, *e.NextSigning}
	}
	if e.NextSealing != nil {
		n.SealingKey = bytes.Clone(e.NextSealing.Sealing)
	}
	return n, true
}

// Adopt implements keys.Rotator. Vault keeps the old version of the signing key until its
// administrator forbids or trims it; this store does not sign with it any more.
func (s *Store) Adopt(ctx context.Context, signing ed25519.PublicKey, sealing []byte) error {
	return s.rekey(ctx, func(_ context.Context, e *sealingEntry) (bool, error) {
		sign, to := !signing.Equal(e.Signing), !bytes.Equal(sealing, e.Sealing)
		if sign && (e.NextSigning == nil || !signing.Equal(e.NextSigning.Signing)) || to && (e.NextSealing == nil || !bytes.Equal(sealing, e.NextSealing.Sealing)) {
			return false, keys.NotOurs(signing)
		}
		if sign {
			e.Signing, e.Version, e.NextSigning = e.NextSigning.Signing, e.NextSigning.Version, nil
		}
		if to {
			e.Old = append(slices.Clone(e.Old), wrappedKey{e.Wrapped, e.Sealing})
			e.Wrapped, e.Sealing, e.NextSealing = e.NextSealing.Wrapped, e.NextSealing.Sealing, nil
		}
		return sign || to, nil
	})
}

// Replaced implements keys.Rotator.
func (s *Store) Replaced() int { return len(s.present().Old) }

// Forget implements keys.Rotator.
func (s *Store) Forget(ctx context.Context) error {
	return s.rekey(ctx, func(_ context.Context, e *sealingEntry) (bool, error) {
		had := len(e.Old) > 0
		e.Old = nil
		return had, nil
	})
}

// Discard implements keys.Rotator.
func (s *Store) Discard(ctx context.Context) error {
	return s.rekey(ctx, func(_ context.Context, e *sealingEntry) (bool, error) {
		had := e.NextSigning != nil || e.NextSealing != nil
		e.NextSigning, e.NextSealing = nil, nil
		return had, nil
	})
}
