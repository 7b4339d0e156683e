package apiconv

import (
	"crypto/ed25519"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Bounds of an envelope from outside: a committee's co-signatures fit.
const (
	maxSignatures = 16
	maxKeyHint    = 128
	maxType       = 128
)

func invalid(field, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, "BAD_REQUEST", "the request is malformed").With(field, format, args...)
}

// FromEnvelope checks form and size of an envelope, not its signatures. field names
// it in violations.
func FromEnvelope(field string, m *carnetv1.Envelope) (*evidence.Envelope, error) {
	switch {
	case m == nil:
		return nil, invalid(field, "is missing")
	case m.PayloadType == "" || len(m.PayloadType) > maxType:
		return nil, invalid(field+".payload_type", "want 1 to %d characters, have %d", maxType, len(m.PayloadType))
	case len(m.Payload) == 0 || len(m.Payload) > evidence.MaxPayload:
		return nil, invalid(field+".payload", "want 1 to %d bytes, have %d", evidence.MaxPayload, len(m.Payload))
	case len(m.Signatures) == 0 || len(m.Signatures) > maxSignatures:
		return nil, invalid(field+".signatures", "want 1 to %d signatures, have %d", maxSignatures, len(m.Signatures))
	}
	e := &evidence.Envelope{PayloadType: carnet.StatementType(m.PayloadType), Payload: m.Payload}
	for _, s := range m.Signatures {
		if s == nil || len(s.Sig) != ed25519.SignatureSize || len(s.Keyid) > maxKeyHint {
			return nil, invalid(field+".signatures", "every signature has %d bytes and a key hint of at most %d characters", ed25519.SignatureSize, maxKeyHint)
		}
		e.Signatures = append(e.Signatures, evidence.Signature{KeyID: s.Keyid, Sig: s.Sig})
	}
	return e, nil
}

// ToEnvelope is the message form of an envelope; nil stays nil.
func ToEnvelope(e *evidence.Envelope) *carnetv1.Envelope {
	if e == nil {
		return nil
	}
	m := &carnetv1.Envelope{PayloadType: string(e.PayloadType), Payload: e.Payload}
	for _, s := range e.Signatures {
		m.Signatures = append(m.Signatures, &carnetv1.Signature{Keyid: s.KeyID, Sig: s.Sig})
	}
	return m
}

// ToEntry is the message form of a journal entry.
func ToEntry(e *evidence.Entry) *carnetv1.JournalEntry {
	return &carnetv1.JournalEntry{Seq: e.Seq, Salt: e.Salt[:], Envelope: ToEnvelope(e.Envelope)}
}

// FromEntry checks the form of a journal entry, not that the log has it.
func FromEntry(m *carnetv1.JournalEntry) (*evidence.Entry, error) {
	if m == nil {
		return nil, invalid("entry", "is missing")
	}
	if m.Seq < 0 {
		return nil, invalid("entry.seq", "is negative")
	}
	env, err := FromEnvelope("entry.envelope", m.Envelope)
	if err != nil {
		return nil, err
	}
	salt, err := FromHashBytes("entry.salt", m.Salt)
	if err != nil {
		return nil, err
	}
	return &evidence.Entry{Seq: m.Seq, Salt: salt, Envelope: env}, nil
}

// ToRef is the message form of a statement's hash and place in the journal.
func ToRef(h carnet.Hash, seq int64) *carnetv1.StatementRef {
	return &carnetv1.StatementRef{Hash: h.String(), Seq: seq}
}

// FromRef reads a statement's hash and place.
func FromRef(m *carnetv1.StatementRef) (h carnet.Hash, seq int64, err error) {
	if m == nil {
		return h, 0, invalid("ref", "is missing")
	}
	h, err = FromHash("ref.hash", m.Hash)
	return h, m.Seq, err
}

// FromHash reads the text form of a hash.
func FromHash(field, s string) (h carnet.Hash, err error) {
	if err := h.UnmarshalText([]byte(s)); err != nil {
		return h, invalid(field, "%v", err)
	}
	return h, nil
}

// FromNonce reads the text form of a nonce.
func FromNonce(field, s string) (carnet.Nonce, error) {
	h, err := FromHash(field, s)
	return carnet.Nonce(h), err
}

// FromKeyID reads the text form of a key id.
func FromKeyID(field, s string) (carnet.KeyID, error) {
	h, err := FromHash(field, s)
	return carnet.KeyID(h), err
}

// FromHashBytes reads a hash of 32 bytes.
func FromHashBytes(field string, b []byte) (h carnet.Hash, err error) {
	if len(b) != len(h) {
		return h, invalid(field, "want %d bytes, have %d", len(h), len(b))
	}
	copy(h[:], b)
	return h, nil
}
