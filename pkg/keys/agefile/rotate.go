package agefile

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"slices"

	"github.com/carnet-network/carnet/pkg/keys"
)

var _ keys.Rotator = (*Store)(nil)

// rekey is change for edits of the keys themselves.
func (s *Store) rekey(edit func(*contents)) error {
	if err := s.change(edit); err != nil {
		return err
	}
	was := [][]byte{s.signing, s.next}
	if err := s.use(s.c); err != nil {
		return err
	}
	for _, key := range was { // use made them anew from the seeds that are left
		clear(key)
	}
	return nil
}

// Draw implements keys.Rotator.
func (s *Store) Draw(_ context.Context, signing, sealing bool) (keys.Next, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return keys.Next{}, errClosed()
	}
	if signing = signing && s.c.NextSigning == nil; signing || sealing && s.c.NextSealing == nil {
		var seeds [64]byte
		if _, err := rand.Read(seeds[:]); err != nil {
			return keys.Next{}, err
		}
		if err := s.rekey(func(c *contents) {
			if signing {
				c.NextSigning = seeds[:32]
			}
			if sealing && c.NextSealing == nil {
				c.NextSealing = seeds[32:]
			}
		}); err != nil {
			return keys.Next{}, err
		}
	}
	n, _ := s.drawn()
	return n, nil
}

// Next implements keys.Rotator.
func (s *Store) Next() (keys.Next, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.drawn()
}

func (s *Store) drawn() (keys.Next, bool) {
	if s.c == nil || s.next == nil && s.nextTo == nil {
		return keys.Next{}, false
	}
	key, to := s.signing, s.sealing
	if s.next != nil {
		key = s.next
	}
	if s.nextTo != nil {
		to = s.nextTo
	}
	return keys.Next{Signer: signer{s, bytes.Clone(key.Public().(ed25519.PublicKey))}, SealingKey: bytes.Clone(to.Public())}, true
}

// Adopt implements keys.Rotator. The replaced signing key leaves the file in the same step.
func (s *Store) Adopt(_ context.Context, signing ed25519.PublicKey, sealing []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return errClosed()
	}
	sign := !signing.Equal(s.signing.Public())
	to := !bytes.Equal(sealing, s.sealing.Public())
	if sign && (s.next == nil || !signing.Equal(s.next.Public())) || to && (s.nextTo == nil || !bytes.Equal(sealing, s.nextTo.Public())) {
		return keys.NotOurs(signing)
	}
	if !sign && !to {
		return nil
	}
	gone := s.c.Signing
	if err := s.rekey(func(c *contents) {
		if sign {
			c.Signing, c.NextSigning = c.NextSigning, nil
		}
		if to {
			c.OldSealing = append(slices.Clone(c.OldSealing), c.Sealing)
			c.Sealing, c.NextSealing = c.NextSealing, nil
		}
	}); err != nil {
		return err
	}
	if sign {
		clear(gone)
	}
	return nil
}

// Replaced implements keys.Rotator.
func (s *Store) Replaced() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.old)
}

// Forget implements keys.Rotator.
func (s *Store) Forget(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return errClosed()
	}
	old := s.c.OldSealing
	if len(old) == 0 {
		return nil
	}
	if err := s.rekey(func(c *contents) { c.OldSealing = nil }); err != nil {
		return err
	}
	for _, b := range old {
		clear(b)
	}
	return nil
}

// Discard implements keys.Rotator.
func (s *Store) Discard(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return errClosed()
	}
	gone := [][]byte{s.c.NextSigning, s.c.NextSealing}
	if gone[0] == nil && gone[1] == nil {
		return nil
	}
	if err := s.rekey(func(c *contents) { c.NextSigning, c.NextSealing = nil, nil }); err != nil {
		return err
	}
	for _, seed := range gone {
		clear(seed)
	}
	return nil
}
