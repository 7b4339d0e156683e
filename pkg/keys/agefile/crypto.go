package agefile

import (
	"bytes"
	"context"
	"crypto/ed25519"

	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

// signer signs with the key in the store, as long as the store is open.
type signer struct {
	s   *Store
	pub ed25519.PublicKey
}

// Signer implements keys.Store.
func (s *Store) Signer() evidence.Signer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.c == nil {
		return signer{s: s}
	}
	return signer{s, bytes.Clone(s.signing.Public().(ed25519.PublicKey))}
}

func (g signer) Public() ed25519.PublicKey { return g.pub }

func (g signer) Sign(message []byte) ([]byte, error) {
	g.s.mu.RLock()
	defer g.s.mu.RUnlock()
	if g.s.c == nil {
		return nil, errClosed()
	}
	for _, key := range []ed25519.PrivateKey{g.s.signing, g.s.next} {
		if key != nil && g.pub.Equal(key.Public()) {
			return ed25519.Sign(key, message), nil
		}
	}
	return nil, keys.SignerGone(g.pub)
}

// SealingKey implements keys.Store.
func (s *Store) SealingKey() []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.c == nil {
		return nil
	}
	return bytes.Clone(s.sealing.Public())
}

// Unseal implements keys.Store.
func (s *Store) Unseal(_ context.Context, info, sealed []byte) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.c == nil {
		return nil, errClosed()
	}
	for _, key := range append([]*seal.PrivateKey{s.sealing, s.nextTo}, s.old...) {
		if key == nil {
			continue
		}
		if plain, err := key.Open(info, sealed); err == nil {
			return plain, nil
		}
	}
	return nil, keys.UnsealFailed()
}
