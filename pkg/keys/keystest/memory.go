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

	next   ed25519.PrivateKey // nil unless drawn
	nextTo *seal.PrivateKey
	old    []*seal.PrivateKey
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
func (m *Memory) Signer() evidence.Signer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.signer(m.signing)
}

func (m *Memory) signer(key ed25519.PrivateKey) memorySigner {
	return memorySigner{m, key.Public().(ed25519.PublicKey)}
}

type memorySigner struct {
	m   *Memory
	pub ed25519.PublicKey
}

func (s memorySigner) Public() ed25519.PublicKey { return s.pub }

func (s memorySigner) Sign(message []byte) ([]byte, error) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if err := s.m.open(); err != nil {
		return nil, err
	}
	for _, key := range []ed25519.PrivateKey{s.m.signing, s.m.next} {
		if key != nil && s.pub.Equal(key.Public()) {
			return ed25519.Sign(key, message), nil
		}
	}
	return nil, keys.SignerGone(s.pub)
}

// SealingKey implements keys.Store.
func (m *Memory) SealingKey() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sealing.Public()
}

// Unseal implements keys.Store.
func (m *Memory) Unseal(_ context.Context, info, sealed []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return nil, err
	}
	for _, key := range append([]*seal.PrivateKey{m.sealing, m.nextTo}, m.old...) {
		if key == nil {
			continue
		}
		if plain, err := key.Open(info, sealed); err == nil {
			return plain, nil
		}
	}
	return nil, keys.UnsealFailed()
}

// Close implements keys.Store.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
