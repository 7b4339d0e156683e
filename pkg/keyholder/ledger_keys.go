package keyholder

import (
	"context"
	"encoding/json"
	"time"

	"github.com/carnet-network/carnet/pkg/evidence"
)

// OwnKeys says which keys of this keyholder the journal has, and since when.
type OwnKeys struct {
	Signing      string    `json:"signing"` // short name of the public key
	SigningSince time.Time `json:"signing_since"`
	SealingSince time.Time `json:"sealing_since"`
	Entry        int64     `json:"entry"`      // of the newest statement
	Statements   int       `json:"statements"` // of this party, this one included
	// OldSealing is how many replaced sealing keys are kept to open what is pending.
	OldSealing int  `json:"old_sealing,omitempty"`
	Revoked    bool `json:"revoked,omitempty"`
}

const metaKeys = "keys"

// OwnKeys returns what was noted last, nil if this keyholder is not registered.
func (l *Ledger) OwnKeys(ctx context.Context) (*OwnKeys, error) {
	b, err := l.meta(ctx, metaKeys)
	if err != nil || b == nil {
		return nil, err
	}
	var o OwnKeys
	return &o, json.Unmarshal(b, &o)
}

// noteKeys keeps what status tells about the keys.
func (k *Keyholder) noteKeys(ctx context.Context) error {
	o := k.state.ownKeys()
	if o == nil {
		return nil
	}
	o.OldSealing = k.oldSealing()
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return k.ledger.setMeta(ctx, metaKeys, b)
}

func (s *state) ownKeys() *OwnKeys {
	s.mu.RLock()
	defer s.mu.RUnlock()
	chain := s.parties[s.me]
	if chain == nil {
		return nil
	}
	all := chain.Versions()
	last := &all[len(all)-1]
	o := &OwnKeys{Signing: evidence.KeyHint(last.Body.SigningKey), Entry: last.Seq, Statements: len(all)}
	for i := len(all) - 1; i >= 0; i-- {
		b := &all[i].Body
		if string(b.SigningKey) == string(last.Body.SigningKey) {
			o.SigningSince = b.Created
		}
		if string(b.SealingKey) == string(last.Body.SealingKey) {
			o.SealingSince = b.Created
		}
	}
	_, o.Revoked = chain.Revoked()
	return o
}
