package agefile

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/carnet-network/carnet/internal/filelock"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

// Store is a keys.Store in one file.
type Store struct {
	path     string
	protect  Protection
	release  func()
	readOnly bool

	mu      sync.RWMutex
	c       *contents // nil once closed
	signing ed25519.PrivateKey
	sealing *seal.PrivateKey
	next    ed25519.PrivateKey // nil unless drawn
	nextTo  *seal.PrivateKey
	old     []*seal.PrivateKey // replaced
}

var _ keys.Store = (*Store)(nil)

// String keeps secrets out of careless logging.
func (s *Store) String() string   { return "agefile " + s.path }
func (s *Store) GoString() string { return s.String() }

// Create makes a new keystore with fresh signing and sealing keys drawn from rand.
// Error: Exists (KEYSTORE_EXISTS); nothing is ever overwritten.
func Create(path string, p Protection, rand io.Reader) (*Store, error) {
	release, err := take(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); err == nil {
		release()
		return nil, carnet.E(carnet.Exists, "KEYSTORE_EXISTS", "there is already a file at %s", path).
			Fix("choose another directory; losing a keystore can make datasets unreadable for ever")
	}
	c := &contents{Format: format, Signing: make([]byte, 32), Sealing: make([]byte, 32),
		Bundles: map[carnet.KeyID][]byte{}, Destroyed: map[carnet.KeyID]bool{}}
	for _, b := range [][]byte{c.Signing, c.Sealing} {
		if _, err := io.ReadFull(rand, b); err != nil {
			release()
			return nil, err
		}
	}
	if err := save(path, p, c); err != nil {
		release()
		return nil, err
	}
	return newStore(path, p, c, release)
}

// Open opens a keystore for use by one process at a time. Errors: NotFound
// (NO_KEYSTORE), Forbidden (WRONG_PASSPHRASE), Precondition (KEYSTORE_DAMAGED,
// KEYSTORE_LOCKED, KEYSTORE_UNKNOWN_FORMAT). A failed Open changes nothing.
func Open(path string, p Protection) (*Store, error) {
	release, err := take(path)
	if err != nil {
		return nil, err
	}
	c, err := load(path, p)
	if err != nil {
		release()
		return nil, err
	}
	return newStore(path, p, c, release)
}

// OpenReadOnly opens a snapshot without taking the lock; Put and Destroy fail.
func OpenReadOnly(path string, p Protection) (*Store, error) {
	c, err := load(path, p)
	if err != nil {
		return nil, err
	}
	s, err := newStore(path, p, c, func() {})
	if err == nil {
		s.readOnly = true
	}
	return s, err
}

func take(path string) (func(), error) {
	release, err := filelock.Take(path + ".lock")
	if errors.Is(err, filelock.ErrLocked) {
		return nil, carnet.E(carnet.Precondition, "KEYSTORE_LOCKED", "the keystore %s is in use by another process", path).
			Fix("stop the running keyholder first")
	}
	if err != nil {
		return nil, carnet.E(carnet.Precondition, "KEYSTORE_UNREADABLE", "the keystore's directory can't be used").Because(err).
			Fix("check --dir and that the directory is yours; carnet-keyholder init makes it")
	}
	return release, nil
}

func newStore(path string, p Protection, c *contents, release func()) (*Store, error) {
	s := &Store{path: path, protect: p, release: release}
	if err := s.use(c); err != nil {
		release()
		return nil, err
	}
	return s, nil
}

// use takes contents over with the keys that follow from them.
func (s *Store) use(c *contents) error {
	sealing, err := seal.DeriveKey(c.Sealing)
	if err != nil {
		return err
	}
	var nextTo *seal.PrivateKey
	if c.NextSealing != nil {
		if nextTo, err = seal.DeriveKey(c.NextSealing); err != nil {
			return err
		}
	}
	var old []*seal.PrivateKey
	for _, seed := range c.OldSealing {
		k, err := seal.DeriveKey(seed)
		if err != nil {
			return err
		}
		old = append(old, k)
	}
	s.c, s.signing, s.sealing, s.nextTo, s.old = c, ed25519.NewKeyFromSeed(c.Signing), sealing, nextTo, old
	if s.next = nil; c.NextSigning != nil {
		s.next = ed25519.NewKeyFromSeed(c.NextSigning)
	}
	return nil
}

func errClosed() error {
	return carnet.E(carnet.Precondition, "KEYSTORE_CLOSED", "the keystore is closed")
}

func errReadOnly() error {
	return carnet.E(carnet.Precondition, "KEYSTORE_READ_ONLY", "the keystore was opened for reading only")
}

// change applies edit to a copy of the contents, writes the copy and only then
// takes it over, so that memory never runs ahead of the file.
func (s *Store) change(edit func(*contents)) error {
	if s.readOnly {
		return errReadOnly()
	}
	next := *s.c
	next.Bundles, next.Destroyed = maps.Clone(s.c.Bundles), maps.Clone(s.c.Destroyed)
	edit(&next)
	if err := save(s.path, s.protect, &next); err != nil {
		return err
	}
	s.c = &next
	return nil
}

// Put implements keys.Store.
func (s *Store) Put(_ context.Context, key carnet.KeyID, bundle []byte) error {
	if err := keys.CheckBundle(bundle); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return errClosed()
	}
	if s.c.Destroyed[key] {
		return keys.Destroyed(key)
	}
	if old, ok := s.c.Bundles[key]; ok {
		if bytes.Equal(old, bundle) {
			return nil
		}
		return keys.Differs(key)
	}
	return s.change(func(c *contents) { c.Bundles[key] = bytes.Clone(bundle) })
}

// Get implements keys.Store.
func (s *Store) Get(_ context.Context, key carnet.KeyID) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.c == nil {
		return nil, errClosed()
	}
	if s.c.Destroyed[key] {
		return nil, keys.Destroyed(key)
	}
	b, ok := s.c.Bundles[key]
	if !ok {
		return nil, keys.NotHeld(key)
	}
	return bytes.Clone(b), nil
}

// List implements keys.Store.
func (s *Store) List(context.Context) ([]carnet.KeyID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.c == nil {
		return nil, errClosed()
	}
	return slices.SortedFunc(maps.Keys(s.c.Bundles), func(a, b carnet.KeyID) int { return bytes.Compare(a[:], b[:]) }), nil
}

// Destroy implements keys.Store.
func (s *Store) Destroy(_ context.Context, key carnet.KeyID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return errClosed()
	}
	if s.c.Destroyed[key] {
		return nil
	}
	old := s.c.Bundles[key]
	if err := s.change(func(c *contents) { delete(c.Bundles, key); c.Destroyed[key] = true }); err != nil {
		return err
	}
	clear(old)
	return nil
}

// Close implements keys.Store. It clears the secrets in memory and releases the lock.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return nil
	}
	for _, b := range s.c.Bundles {
		clear(b)
	}
	for _, b := range append([][]byte{s.c.Signing, s.c.Sealing, s.c.NextSigning, s.c.NextSealing, s.signing, s.next}, s.c.OldSealing...) {
		clear(b)
	}
	s.c, s.signing, s.sealing, s.next, s.nextTo, s.old = nil, nil, nil, nil, nil, nil
	s.release()
	return nil
}
