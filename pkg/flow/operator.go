package flow

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// NextKey is where the operator's next key waits until the journal names it. It is called by
// one goroutine at a time.
type NextKey interface {
	// Prepared returns the key; nil if there is none.
	Prepared(ctx context.Context) (evidence.Signer, error)
	// Adopt puts the key that a registered statement names, if it is prepared, durably in the
	// place of the one that the gateway would start with. It may be repeated, and is also called
	// when the gateway has that key already.
	Adopt(ctx context.Context, registered *carnet.Party) error
}

// operatorKeys are the keys that the gateway signs with. The journal is the switch between
// them: a statement of its own that it appends is signed with the key that the same transaction
// finds registered, so none is ever between two keys.
type operatorKeys struct {
	mu   sync.RWMutex
	held []evidence.Signer // the one in use last

	adopting sync.Mutex
}

func (k *operatorKeys) last() evidence.Signer {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.held[len(k.held)-1]
}

// of returns the key with a public key; nil if it is not held.
func (k *operatorKeys) of(pub []byte) evidence.Signer {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, s := range k.held {
		if s.Public().Equal(ed25519.PublicKey(pub)) {
			return s
		}
	}
	return nil
}

// hold adds a key that is not in use yet.
func (k *operatorKeys) hold(s evidence.Signer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held = append([]evidence.Signer{s}, k.held...)
}

// use makes a key that is held the only one.
func (k *operatorKeys) use(s evidence.Signer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held = []evidence.Signer{s}
}

// signer is the key that the operator has in a transaction. A gateway whose operator was never
// registered signs with the one that it was started with, and nobody takes that for the operator's. If
// another key of it is registered the gateway says nothing: what it journals can't be taken back. Error:
// Precondition (OPERATOR_UNREGISTERED).
func (g *Gateway) signer(tx Tx) (evidence.Signer, error) {
	chain, err := partyChain(tx, g.Operator)
	if err != nil {
		return nil, err
	}
	if p := chain.Present(); p != nil {
		if s := g.keys.of(p.SigningKey); s != nil {
			return s, nil
		}
		return nil, g.unregistered(p)
	}
	return g.keys.last(), nil
}

// logSigner is signer for states of the log, which prove nothing without co-signatures: another key of
// the operator than the registered one does, so that the log goes on.
func (g *Gateway) logSigner(tx Tx) (evidence.Signer, error) {
	s, err := g.signer(tx)
	if carnet.ReasonOf(err) == "OPERATOR_UNREGISTERED" {
		return g.keys.last(), nil
	}
	return s, err
}

func (g *Gateway) unregistered(p *carnet.Party) error {
	return carnet.E(carnet.Precondition, "OPERATOR_UNREGISTERED", "the gateway has the key %s, and its operator %q is registered with %s", evidence.KeyHint(g.keys.last().Public()), p.ID, evidence.KeyHint(p.SigningKey)).
		Fix("the operator starts the gateway with the identity that is registered; if that is lost, the registrar registers what carnet-gateway rotate --lost wrote")
}

// SigningKey is the key that the gateway signs with now.
func (g *Gateway) SigningKey() ed25519.PublicKey { return g.keys.last().Public() }

// sign signs what the gateway says with its key in a transaction, and with no other:
// signatures are no part of a statement's hash.
func (g *Gateway) sign(tx Tx, env *evidence.Envelope) error {
	s, err := g.signer(tx)
	if err != nil {
		return err
	}
	env.Signatures = nil
	return env.Countersign(s)
}

// prepared refuses a statement that gives the operator a key that this gateway does not have: from its
// entry on everything that the gateway says would be refused.
func (g *Gateway) prepared(ctx context.Context, p *carnet.Party) error {
	if p.ID != g.Operator || p.Replaces == nil || g.keys.of(p.SigningKey) != nil {
		return nil
	}
	g.keys.adopting.Lock()
	defer g.keys.adopting.Unlock()
	if g.keys.of(p.SigningKey) != nil {
		return nil
	}
	missing := carnet.E(carnet.Precondition, "OPERATOR_KEY_MISSING", "the statement gives this gateway's operator %q the key %s, which the gateway does not have", p.ID, evidence.KeyHint(p.SigningKey)).
		Fix("draw it with carnet-gateway rotate, where the gateway runs, and register the statement that this writes")
	if g.NextKey == nil {
		return missing
	}
	s, err := g.NextKey.Prepared(ctx)
	switch {
	case err != nil:
		return missing.Because(err)
	case s == nil || !bytes.Equal(s.Public(), p.SigningKey):
		return missing
	}
	g.keys.hold(s)
	return nil
}

// settleKeys brings the gateway to the key that the journal has for its operator, if it was
// prepared here. It is called after such a statement was registered, and at the start.
func (g *Gateway) settleKeys(ctx context.Context) error {
	if g.NextKey == nil {
		return nil
	}
	g.keys.adopting.Lock()
	defer g.keys.adopting.Unlock()
	var p *carnet.Party
	err := g.Store.View(ctx, func(tx Tx) error {
		chain, err := partyChain(tx, g.Operator)
		if err == nil {
			p = chain.Present()
		}
		return err
	})
	if err != nil || p == nil {
		return err
	}
	if g.keys.last().Public().Equal(ed25519.PublicKey(p.SigningKey)) {
		g.adopt(ctx, p)
		return nil
	}
	s := g.keys.of(p.SigningKey)
	if s == nil {
		if s, err = g.NextKey.Prepared(ctx); err != nil {
			return err
		}
		if s == nil || !bytes.Equal(s.Public(), p.SigningKey) {
			g.Logger.Error("the gateway decides nothing", "error", g.unregistered(p))
			return nil
		}
	}
	old := g.keys.last()
	g.keys.use(s)
	g.Logger.Info("the operator's key that the journal has now is in use", "old", evidence.KeyHint(old.Public()), "key", evidence.KeyHint(s.Public()), "log", evidence.LogKey(g.Origin(), s.Public()))
	g.adopt(ctx, p)
	return nil
}

func (g *Gateway) adopt(ctx context.Context, p *carnet.Party) {
	if err := g.NextKey.Adopt(ctx, p); err != nil {
		g.Logger.Error("the operator's new key is in use and could not be put in the place of the old one; the next start tries again", "error", err)
	}
}
