// Package seal seals messages to a recipient's public key: HPKE (RFC 9180) in base
// mode with the hybrid KEM ML-KEM-768 + X25519, HKDF-SHA256 and AES-256-GCM, all from
// the standard library. Part seeds travel to keyholders and answers to buyers this
// way; recorded messages stay closed even if one of the two key exchanges falls.
//
// The caller binds a message to its context with info, which both sides must know:
// a message does not open under another. Nothing here says who sealed a message;
// signed statements do.
package seal

import (
	"bytes"
	"crypto/hpke"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	// PublicKeySize is the size of a public key in bytes.
	PublicKeySize = 1216
	// PrivateKeySize is the size of a private key in bytes: the seed of both pairs.
	PrivateKeySize = 32
	// Overhead is how many bytes a sealed message is longer than the message:
	// the encapsulated key and the authentication tag.
	Overhead = 1120 + 16
	// minKeyMaterial is the least number of bytes DeriveKey accepts.
	minKeyMaterial = 32
)

func kem() hpke.KEM   { return hpke.MLKEM768X25519() }
func kdf() hpke.KDF   { return hpke.HKDFSHA256() }
func aead() hpke.AEAD { return hpke.AES256GCM() }

// PrivateKey opens what was sealed to its public key. It is immutable and safe for
// concurrent use.
type PrivateKey struct{ key hpke.PrivateKey }

// GenerateKey makes a new key with randomness of the operating system.
func GenerateKey() (*PrivateKey, error) {
	key, err := kem().GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("generate a sealing key: %w", err)
	}
	return &PrivateKey{key}, nil
}

// DeriveKey makes the key that belongs to secret key material of at least 32 bytes,
// by HPKE's DeriveKeyPair. The same material gives the same key.
func DeriveKey(ikm []byte) (*PrivateKey, error) {
	if len(ikm) < minKeyMaterial {
		return nil, carnet.E(carnet.Invalid, "BAD_SEALING_KEY", "a sealing key needs at least %d bytes of key material, not %d", minKeyMaterial, len(ikm))
	}
	key, err := kem().DeriveKeyPair(ikm)
	if err != nil {
		return nil, fmt.Errorf("derive a sealing key: %w", err)
	}
	return &PrivateKey{key}, nil
}

// ParseKey reads what PrivateKey.Bytes returned.
func ParseKey(b []byte) (*PrivateKey, error) {
	if len(b) != PrivateKeySize {
		return nil, carnet.E(carnet.Invalid, "BAD_SEALING_KEY", "a private sealing key has %d bytes, not %d", PrivateKeySize, len(b))
	}
	key, err := kem().NewPrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("read a sealing key: %w", err)
	}
	return &PrivateKey{key}, nil
}

// Public returns the public key, 1216 bytes.
func (k *PrivateKey) Public() []byte { return k.key.PublicKey().Bytes() }

// Bytes returns the private key, 32 bytes, for ParseKey.
func (k *PrivateKey) Bytes() ([]byte, error) {
	b, err := k.key.Bytes()
	return bytes.Clone(b), err
}

// CheckPublic says whether Seal would accept the public key.
func CheckPublic(public []byte) error {
	_, err := parsePublic(public)
	return err
}

func parsePublic(public []byte) (hpke.PublicKey, error) {
	key, err := kem().NewPublicKey(public)
	if err != nil {
		return nil, carnet.E(carnet.Invalid, "BAD_SEALING_KEY", "this is not an ML-KEM-768+X25519 public key").Because(err)
	}
	return key, nil
}

// Seal encrypts plaintext to the public key under the context info. Two calls give
// different bytes; HPKE draws its randomness from the operating system.
func Seal(public, info, plaintext []byte) ([]byte, error) {
	key, err := parsePublic(public)
	if err != nil {
		return nil, err
	}
	sealed, err := hpke.Seal(key, kdf(), aead(), info, plaintext)
	if err != nil {
		return nil, carnet.E(carnet.Invalid, "BAD_SEALING_KEY", "nothing can be sealed to this public key").Because(err)
	}
	return sealed, nil
}

// Open decrypts a message sealed to the key under the same info. Every failure looks
// the same: NOT_SEALED_TO_ME.
func (k *PrivateKey) Open(info, sealed []byte) ([]byte, error) {
	plaintext, err := hpke.Open(k.key, kdf(), aead(), info, sealed)
	if err != nil {
		return nil, carnet.E(carnet.Invalid, "NOT_SEALED_TO_ME", "the sealed message was changed, or is for another key or context")
	}
	return plaintext, nil
}
