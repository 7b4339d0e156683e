package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

// Where things are in the mount's storage, all of it encrypted by Vault's barrier.
const (
	storedIdentity  = "identity"   // sealing key and handle key
	storedSeeds     = "seeds/"     // seed bundles by key
	storedDealings  = "dealings/"  // signed statements that seeds were checked against
	storedDestroyed = "destroyed/" // keys that can never come back
	storedAgain     = "again/"     // what a dealing deals again, by dealing
	storedReleases  = "releases/"  // functional ids released, by the key's name
	storedProducts  = "products/"  // those of degree 2 or more
	storedAcross    = "across/"    // those across keys
	storedOwners    = "owners/"
	storedBuyers    = "buyers/"
	storedSuccessor = "successors/" // committees that parts may be handed on to, and the digest of their sealing keys
	storedWord      = "words/"      // when the newest succession seen of a key was signed
	storedConfig    = "config"
)

// identity is what the engine made for itself.
type identity struct {
	Sealing []byte `json:"sealing"` // HPKE private key, 32 bytes
	Handle  []byte `json:"handle"`  // encrypts handles, 32 bytes
}

// store keeps seeds in the mount's storage. It implements local.Seeds.
type store struct {
	view logical.Storage

	mu     sync.Mutex // orders putting and destroying
	public []byte
}

func (s *store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.public = nil
}

// get reads an entry; nil without one. What comes over the boundary to Vault's process is
// a copy, which the caller wipes if it is secret.
func (s *store) get(ctx context.Context, path string) ([]byte, error) {
	e, err := s.view.Get(ctx, path)
	if err != nil || e == nil {
		return nil, err
	}
	return e.Value, nil
}

func (s *store) put(ctx context.Context, path string, value []byte) error {
	return s.view.Put(ctx, &logical.StorageEntry{Key: path, Value: value, SealWrap: true})
}

// own reads the engine's identity and makes it when it is first needed. The caller wipes it.
func (s *store) own(ctx context.Context) (*identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.get(ctx, storedIdentity)
	if err != nil {
		return nil, err
	}
	id := &identity{}
	if b != nil {
		defer clear(b)
		return id, json.Unmarshal(b, id)
	}
	key, err := seal.GenerateKey()
	if err != nil {
		return nil, err
	}
	if id.Sealing, err = key.Bytes(); err != nil {
		return nil, err
	}
	id.Handle = make([]byte, 32)
	rand.Read(id.Handle)
	if b, err = json.Marshal(id); err != nil {
		return nil, err
	}
	defer clear(b)
	return id, s.put(ctx, storedIdentity, b)
}

func (id *identity) wipe() {
	clear(id.Sealing)
	clear(id.Handle)
}

// sealingKey returns the public key, which is made on the first call.
func (s *store) sealingKey(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	public := s.public
	s.mu.Unlock()
	if public != nil {
		return public, nil
	}
	id, err := s.own(ctx)
	if err != nil {
		return nil, err
	}
	defer id.wipe()
	key, err := seal.ParseKey(id.Sealing)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.public = key.Public()
	return s.public, nil
}

// SealingKey implements local.Seeds.
func (s *store) SealingKey() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.public
}

// Unseal implements local.Seeds. No path of the engine returns what it returns.
func (s *store) Unseal(ctx context.Context, info, sealed []byte) ([]byte, error) {
	id, err := s.own(ctx)
	if err != nil {
		return nil, err
	}
	defer id.wipe()
	key, err := seal.ParseKey(id.Sealing)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(info, sealed)
	if err != nil {
		return nil, keys.UnsealFailed()
	}
	return plain, nil
}

func (s *store) destroyed(ctx context.Context, key carnet.KeyID) error {
	b, err := s.get(ctx, storedDestroyed+key.String())
	if err == nil && b != nil {
		return keys.Destroyed(key)
	}
	return err
}

// Put implements local.Seeds.
func (s *store) Put(ctx context.Context, key carnet.KeyID, bundle []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := keys.CheckBundle(bundle); err != nil {
		return err
	}
	if err := s.destroyed(ctx, key); err != nil {
		return err
	}
	old, err := s.get(ctx, storedSeeds+key.String())
	if err != nil {
		return err
	}
	defer clear(old)
	if old != nil && !bytes.Equal(old, bundle) {
		return keys.Differs(key)
	}
	return s.put(ctx, storedSeeds+key.String(), bundle)
}

// Get implements local.Seeds.
func (s *store) Get(ctx context.Context, key carnet.KeyID) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.destroyed(ctx, key); err != nil {
		return nil, err
	}
	b, err := s.get(ctx, storedSeeds+key.String())
	if err == nil && b == nil {
		return nil, keys.NotHeld(key)
	}
	return b, err
}

// Destroy implements local.Seeds. The mark comes first: whatever fails after it, the key
// is gone.
func (s *store) Destroy(ctx context.Context, key carnet.KeyID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.put(ctx, storedDestroyed+key.String(), []byte{1}); err != nil {
		return err
	}
	if err := s.view.Delete(ctx, storedSeeds+key.String()); err != nil {
		return err
	}
	if err := s.view.Delete(ctx, storedAgain+key.String()); err != nil {
		return err
	}
	return s.view.Delete(ctx, storedDealings+key.String())
}
