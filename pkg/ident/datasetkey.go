package ident

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// DatasetKey is the secret an owner encrypts with: 32 bytes, from which package he
// derives everything else. The dealing shared it with a committee, for one profile;
// the key id binds all of that. Whoever has the seed can read the owner's tables, so
// it never leaves the owner's premises.
type DatasetKey struct {
	Owner     carnet.PartyID
	Seed      [32]byte
	Profile   string             // parameter profile, by name
	Committee carnet.CommitteeID // for people; Key binds the exact statement
	Key       carnet.KeyID       // zero until the key was dealt
}

type datasetKeyFile struct {
	Kind      string             `json:"kind"`
	Owner     carnet.PartyID     `json:"owner"`
	Seed      []byte             `json:"seed"`
	Profile   string             `json:"profile"`
	Committee carnet.CommitteeID `json:"committee"`
	Key       carnet.KeyID       `json:"key"`
}

// NewDatasetKey draws a fresh dataset key from rand.
func NewDatasetKey(owner carnet.PartyID, profile string, committee carnet.CommitteeID, rand io.Reader) (*DatasetKey, error) {
	k := &DatasetKey{Owner: owner, Profile: profile, Committee: committee}
	if _, err := io.ReadFull(rand, k.Seed[:]); err != nil {
		return nil, fmt.Errorf("draw a dataset key: %w", err)
	}
	return k, nil
}

// Save writes the key to a new file, encrypted if passphrase is not empty.
func (k *DatasetKey) Save(path, passphrase string) error {
	return writeSecret(path, passphrase, datasetKeyFile{datasetKeyKind, k.Owner, k.Seed[:], k.Profile, k.Committee, k.Key})
}

// Marshal is what a dataset-key file holds before encryption, for a place that encrypts
// by itself. The caller clears it.
func (k *DatasetKey) Marshal() ([]byte, error) {
	return json.Marshal(datasetKeyFile{datasetKeyKind, k.Owner, k.Seed[:], k.Profile, k.Committee, k.Key})
}

// LoadDatasetKey reads a dataset-key file.
func LoadDatasetKey(path string, ask Passphrase) (*DatasetKey, error) {
	data, err := readSecret(path, ask)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return ParseDatasetKey(path, data)
}

// ParseDatasetKey reads what Marshal returned. name is for errors.
func ParseDatasetKey(path string, data []byte) (*DatasetKey, error) {
	var f datasetKeyFile
	if err := decode(path, data, &f); err != nil {
		return nil, err
	}
	if f.Kind != datasetKeyKind || len(f.Seed) != 32 || !carnet.ValidName(string(f.Owner)) {
		return nil, carnet.E(carnet.Invalid, "BAD_KEY_FILE", "%s is not a dataset-key file", path)
	}
	return &DatasetKey{Owner: f.Owner, Seed: [32]byte(f.Seed), Profile: f.Profile, Committee: f.Committee, Key: f.Key}, nil
}

// Zero forgets the seed.
func (k *DatasetKey) Zero() { clear(k.Seed[:]) }

// PublicKey checks that b has the length of an Ed25519 public key.
func PublicKey(b []byte) (ed25519.PublicKey, error) {
	if len(b) != ed25519.PublicKeySize {
		return nil, carnet.E(carnet.Invalid, "BAD_PUBLIC_KEY", "an Ed25519 public key has %d bytes, not %d", ed25519.PublicKeySize, len(b))
	}
	return ed25519.PublicKey(b), nil
}
