package carnet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
)

// Hash is a SHA-256 digest. Its text form is 64 lower-case hexadecimal digits.
type Hash [32]byte

// Nonce names one file version. It is drawn at random once and never used for
// other contents: reuse reveals the difference of the plaintexts.
type Nonce [32]byte

// KeyID names a dataset key: the SHA-256 of the signed dealing's payload, so that
// it binds committee, parameters, commitments and corrections.
type KeyID [32]byte

// Short identifiers chosen by people. All match [a-z0-9][a-z0-9._-]{0,62}, the
// dataset and product forms may contain one slash ("owner/name").
type (
	PartyID      string
	SchemaID     string
	DatasetID    string
	ProductID    string
	CommitteeID  string
	Jurisdiction string // ISO 3166-1 alpha-2, upper case
)

func (h Hash) String() string  { return hex.EncodeToString(h[:]) }
func (n Nonce) String() string { return hex.EncodeToString(n[:]) }
func (k KeyID) String() string { return hex.EncodeToString(k[:]) }

func (h Hash) IsZero() bool  { return h == Hash{} }
func (n Nonce) IsZero() bool { return n == Nonce{} }
func (k KeyID) IsZero() bool { return k == KeyID{} }

func (h Hash) MarshalText() ([]byte, error)  { return []byte(h.String()), nil }
func (n Nonce) MarshalText() ([]byte, error) { return []byte(n.String()), nil }
func (k KeyID) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func (h *Hash) UnmarshalText(b []byte) error  { return decodeHex32((*[32]byte)(h), b) }
func (n *Nonce) UnmarshalText(b []byte) error { return decodeHex32((*[32]byte)(n), b) }
func (k *KeyID) UnmarshalText(b []byte) error { return decodeHex32((*[32]byte)(k), b) }

// ParseHash reads the text form of a Hash.
func ParseHash(s string) (h Hash, err error) { err = h.UnmarshalText([]byte(s)); return }

// ParseNonce reads the text form of a Nonce.
func ParseNonce(s string) (n Nonce, err error) { err = n.UnmarshalText([]byte(s)); return }

// ParseKeyID reads the text form of a KeyID.
func ParseKeyID(s string) (k KeyID, err error) { err = k.UnmarshalText([]byte(s)); return }

func decodeHex32(dst *[32]byte, b []byte) error {
	if len(b) != 64 {
		return fmt.Errorf("want 64 hexadecimal digits, have %d characters", len(b))
	}
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return fmt.Errorf("want lower-case hexadecimal digits only")
		}
	}
	_, err := hex.Decode(dst[:], b)
	return err
}

// Digest is the one hash construction of the project: SHA-256 over the tag and the
// fields, each preceded by its length as 4 bytes big-endian. The encoding is
// injective, and every tag is used for one purpose only.
func Digest(tag string, fields ...[]byte) Hash {
	return tagged(sha256.New(), tag, fields)
}

// Keyed is HMAC-SHA-256 over the same encoding under a secret key. Unlike a plain hash
// that starts with the key it can't be extended.
func Keyed(key []byte, tag string, fields ...[]byte) [32]byte {
	return tagged(hmac.New(sha256.New, key), tag, fields)
}

func tagged(h hash.Hash, tag string, fields [][]byte) (out [32]byte) {
	var n [4]byte
	put := func(b []byte) {
		binary.BigEndian.PutUint32(n[:], uint32(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	put([]byte(tag))
	for _, f := range fields {
		put(f)
	}
	h.Sum(out[:0])
	return out
}
