package ident

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Identity is a party's name and its Ed25519 key. It is immutable and safe for
// concurrent use.
type Identity struct {
	party carnet.PartyID
	key   ed25519.PrivateKey
}

var _ evidence.Signer = (*Identity)(nil)

// New draws a fresh identity for the party from rand.
func New(party carnet.PartyID, rand io.Reader) (*Identity, error) {
	var seed [ed25519.SeedSize]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return nil, fmt.Errorf("draw an identity seed: %w", err)
	}
	return FromSeed(party, seed)
}

// FromSeed makes the identity that the seed stands for.
func FromSeed(party carnet.PartyID, seed [ed25519.SeedSize]byte) (*Identity, error) {
	if !carnet.ValidName(string(party)) {
		return nil, carnet.BadName("a party", string(party))
	}
	return &Identity{party: party, key: ed25519.NewKeyFromSeed(seed[:])}, nil
}

// Party is the identifier the identity was made for.
func (i *Identity) Party() carnet.PartyID { return i.party }

// Public is the key that others verify this party's statements with.
func (i *Identity) Public() ed25519.PublicKey { return i.key.Public().(ed25519.PublicKey) }

// Sign signs the message as it is.
func (i *Identity) Sign(message []byte) ([]byte, error) { return ed25519.Sign(i.key, message), nil }

// RecipientSeed is the key material of the HPKE key that answers to one query are
// sealed to: HKDF-SHA-256 of the identity seed, with the query id (the random
// Query.ID, not the statement hash) as context. Feed it to seal.DeriveKey.
func (i *Identity) RecipientSeed(query carnet.Hash) ([]byte, error) {
	return i.derive("carnet/recipient/1", query[:])
}

// SealingSeed is the key material of a keyholder's long-term HPKE key, for
// keyholders that keep no separate key store.
func (i *Identity) SealingSeed() ([]byte, error) { return i.derive("carnet/sealing/1", nil) }

// derive expands the identity seed under a tag of its own. 64 bytes are more than
// any KEM's key derivation asks for.
func (i *Identity) derive(tag string, context []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, i.key.Seed(), []byte("carnet/identity/1"), tag+"\x00"+string(context), 64)
}
