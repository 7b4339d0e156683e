package keystest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"

	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

var _ keys.Rotator = (*Memory)(nil)

// Draw implements keys.Rotator.
func (m *Memory) Draw(_ context.Context, signing, sealing bool) (keys.Next, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return keys.Next{}, err
	}
	var err error
	if signing && m.next == nil {
		if _, m.next, err = ed25519.GenerateKey(rand.Reader); err != nil {
			return keys.Next{}, err
		}
	}
	if sealing && m.nextTo == nil {
		if m.nextTo, err = seal.GenerateKey(); err != nil {
			return keys.Next{}, err
		}
	}
	n, _ := m.drawn()
	return n, nil
}

// Next implements keys.Rotator.
func (m *Memory) Next() (keys.Next, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drawn()
}

func (m *Memory) drawn() (keys.Next, bool) {
	if m.next == nil && m.nextTo == nil {
		return keys.Next{}, false
	}
	key, to := m.signing, m.sealing
	if m.next != nil {
		key = m.next
	}
	if m.nextTo != nil {
		to = m.nextTo
	}
	return keys.Next{Signer: m.signer(key), SealingKey: to.Public()}, true
}

// Adopt implements keys.Rotator.
func (m *Memory) Adopt(_ context.Context, signing ed25519.PublicKey, sealing []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.open(); err != nil {
		return err
	}
	sign, to := !signing.Equal(m.signing.Public()), !bytes.Equal(sealing, m.sealing.Public())
	if sign && (m.next == nil || !signing.Equal(m.next.Public())) || to && (m.nextTo == nil || !bytes.Equal(sealing, m.nextTo.Public())) {
		return keys.NotOurs(signing)
	}
	if sign {
		m.signing, m.next = m.next, nil
	}
	if to {
		m.old = append(m.old, m.sealing)
		m.sealing, m.nextTo = m.nextTo, nil
	}
	return nil
}

// Replaced implements keys.Rotator.
func (m *Memory) Replaced() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.old)
}

// Forget implements keys.Rotator.
func (m *Memory) Forget(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.old = nil
	return m.open()
}

// Discard implements keys.Rotator.
func (m *Memory) Discard(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next, m.nextTo = nil, nil
	return m.open()
}
