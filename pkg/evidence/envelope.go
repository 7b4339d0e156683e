package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// MaxPayload bounds the size of a statement in bytes.
const MaxPayload = 1 << 20

// Signature is one signature of an envelope. KeyID is a hint, never trusted.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   []byte `json:"sig"`
}

// Envelope is a DSSE envelope. Its JSON form is the one DSSE defines.
type Envelope struct {
	PayloadType carnet.StatementType `json:"payloadType"`
	Payload     []byte               `json:"payload"`
	Signatures  []Signature          `json:"signatures"`
}

// Signer signs with an Ed25519 key that may live elsewhere, such as in Vault.
type Signer interface {
	Public() ed25519.PublicKey
	Sign(message []byte) ([]byte, error)
}

// KeyHint is the short name of a public key used in Signature.KeyID: the first 16
// hexadecimal digits of its SHA-256.
func KeyHint(pub ed25519.PublicKey) string {
	h := sha256.Sum256(pub)
	return hex.EncodeToString(h[:8])
}

// pae is DSSE's pre-authentication encoding, the bytes that are signed.
func pae(t carnet.StatementType, payload []byte) []byte {
	var b bytes.Buffer
	b.WriteString("DSSEv1 ")
	b.WriteString(strconv.Itoa(len(t)))
	b.WriteByte(' ')
	b.WriteString(string(t))
	b.WriteByte(' ')
	b.WriteString(strconv.Itoa(len(payload)))
	b.WriteByte(' ')
	b.Write(payload)
	return b.Bytes()
}

// Hash is the statement's identity.
func (e *Envelope) Hash() carnet.Hash { return sha256.Sum256(pae(e.PayloadType, e.Payload)) }

// Seal marshals body and signs it with every signer in turn.
func Seal(t carnet.StatementType, body any, signers ...Signer) (*Envelope, error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("marshal %s: %w", t, err)
	}
	if len(payload) > MaxPayload {
		return nil, carnet.E(carnet.Invalid, "STATEMENT_TOO_LARGE", "the statement is %d bytes, the limit is %d", len(payload), MaxPayload)
	}
	e := &Envelope{PayloadType: t, Payload: payload}
	for _, s := range signers {
		if err := e.Countersign(s); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Countersign appends a signature over the unchanged payload.
func (e *Envelope) Countersign(s Signer) error {
	sig, err := s.Sign(pae(e.PayloadType, e.Payload))
	if err != nil {
		return fmt.Errorf("sign %s: %w", e.PayloadType, err)
	}
	e.Signatures = append(e.Signatures, Signature{KeyHint(s.Public()), sig})
	return nil
}

// SignedBy reports whether one of the signatures verifies under pub.
func (e *Envelope) SignedBy(pub ed25519.PublicKey) bool {
	if len(pub) != ed25519.PublicKeySize {
		return false
	}
	msg, hint := pae(e.PayloadType, e.Payload), KeyHint(pub)
	for _, hinted := range []bool{true, false} { // the likely ones first: a check takes 0.1 ms
		for _, s := range e.Signatures {
			if (s.KeyID == hint) == hinted && len(s.Sig) == ed25519.SignatureSize && ed25519.Verify(pub, msg, s.Sig) {
				return true
			}
		}
	}
	return false
}

// Verify checks type and signature and decodes the payload into body, as Decode does.
func (e *Envelope) Verify(t carnet.StatementType, pub ed25519.PublicKey, body any) error {
	if !e.SignedBy(pub) {
		return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "the statement is not signed by key %s", KeyHint(pub))
	}
	return e.Decode(t, body)
}

// Decode decodes the payload into body, a pointer to the statement's type, without
// checking signatures. Use it to learn who claims to have signed; call SignedBy before
// relying on the contents.
//
// Only the one form that encoding/json gives body is accepted: no unknown, repeated or
// differently cased fields, no other order or spacing, no bytes after the end. So two
// readers never understand one statement differently.
func (e *Envelope) Decode(t carnet.StatementType, body any) error {
	if e.PayloadType != t {
		return carnet.E(carnet.Invalid, "WRONG_STATEMENT_TYPE", "the statement has type %q, want %q", e.PayloadType, t)
	}
	if len(e.Payload) > MaxPayload {
		return carnet.E(carnet.Invalid, "STATEMENT_TOO_LARGE", "the statement is %d bytes, the limit is %d", len(e.Payload), MaxPayload)
	}
	d := json.NewDecoder(bytes.NewReader(e.Payload))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil {
		return carnet.E(carnet.Invalid, "BAD_STATEMENT", "the statement is not well-formed").Because(err)
	}
	canonical, err := json.Marshal(body)
	if err != nil || !bytes.Equal(canonical, e.Payload) {
		return carnet.E(carnet.Invalid, "BAD_STATEMENT", "the statement is not in its one canonical form").
			Fix("write the fields once each, in the documented order and spelling, without spaces")
	}
	return nil
}
