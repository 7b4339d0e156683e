package keystest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

// Memory is a keys.Store that forgets everything with the process; for tests.
type Memory struct {
	mu        sync.Mutex
	signing   ed25519.PrivateKey
	sealing   *seal.PrivateKey
	bundles   map[carnet.KeyID][]byte
	destroyed map[carnet.KeyID]bool
	closed    bool
}

var _ keys.Store = (*Memory)(nil)

// NewMemory makes an empty store with keys drawn from rand.
func NewMemory(rand io.Reader) (*Memory, error) {
	var seed [64]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return nil, err
	}
	sealing, err := seal.DeriveKey(seed[32:])
	if err != nil {
		return nil, err
	}
	return &Memory{signing: ed25519.NewKeyFromSeed(seed[:32]), sealing: sealing,
		bundles: map[carnet.KeyID][]byte{}, destroyed: map[carnet.KeyID]bool{}}, nil
}

// String keeps secrets out of careless logging.
func (m *Memory) String() string   { return "memory keystore" }
func (m *Memory) GoString() string { return m.String() }

func (m *Memory) open() error {
	if m.closed {
		return carnet.E(carnet.Precondition, "KEYSTORE_CLOSED", "the keystore is closed")
	}
	return nil
}

// Put implements keys.Store.
func (m *Memory) Put(_ context.Context, key carnet.KeyID, bundle []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return err
	}
	if err := keys.CheckBundle(bundle); err != nil {
		return err
	}
	if m.destroyed[key] {
		return keys.Destroyed(key)
	}
	if old, ok := m.bundles[key]; ok && !bytes.Equal(old, bundle) {
		return keys.Differs(key)
	}
	m.bundles[key] = bytes.Clone(bundle)
	return nil
}

// Get implements keys.Store.
func (m *Memory) Get(_ context.Context, key carnet.KeyID) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return nil, err
	}
	if m.destroyed[key] {
		return nil, keys.Destroyed(key)
	}
	b, ok := m.bundles[key]
	if !ok {
		return nil, keys.NotHeld(key)
	}
	return bytes.Clone(b), nil
}

// List implements keys.Store.
func (m *Memory) List(context.Context) ([]carnet.KeyID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Keys(m.bundles), func(a, b carnet.KeyID) int { return bytes.Compare(a[:], b[:]) }), nil
}

// Destroy implements keys.Store.
func (m *Memory) Destroy(_ context.Context, key carnet.KeyID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return err
	}
	delete(m.bundles, key)
	m.destroyed[key] = true
	return nil
}

// Signer implements keys.Store.
func (m *Memory) Signer() evidence.Signer { return memorySigner{m} }

type memorySigner struct{ m *Memory }

func (s memorySigner) Public() ed25519.PublicKey { return s.m.signing.Public().(ed25519.PublicKey) }

func (s memorySigner) Sign(message []byte) ([]byte, error) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if err := s.m.open(); err != nil {
		return nil, err
	}
	return ed25519.Sign(s.m.signing, message), nil
}

// SealingKey implements keys.Store.
func (m *Memory) SealingKey() []byte { return m.sealing.Public() }

// Unseal implements keys.Store.
func (m *Memory) Unseal(_ context.Context, info, sealed []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return nil, err
	}
	plain, err := m.sealing.Open(info, sealed)
	if err != nil {
		return nil, keys.UnsealFailed()
	}
	return plain, nil
}

// Close implements keys.Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
