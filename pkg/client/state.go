package client

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/schema"
)

const uploadKind = "carnet/upload/1"

// uploadState is the local memory of one upload. It is written before the first byte
// leaves the machine and says which plaintext each nonce belongs to, so that a
// resumed upload repeats the same ciphertext and a changed input never gets a used
// nonce. The signed manifest is kept before it is sent: keyholders bar a dataset
// whose files are named by two manifests, and a repeated commit sends the same one.
type uploadState struct {
	Kind     string             `json:"kind"`
	Dataset  carnet.DatasetID   `json:"dataset"`
	Key      carnet.KeyID       `json:"key"`
	Files    []fileState        `json:"files"`
	Manifest *evidence.Envelope `json:"manifest,omitempty"`
	Before   []published        `json:"before,omitempty"` // what this one takes the place of, oldest first
	path     string
}

// published is a table that was published under the same name before.
type published struct {
	Key      carnet.KeyID       `json:"key"`
	Files    []fileState        `json:"files"`
	Manifest *evidence.Envelope `json:"manifest"`
}

// publications are all that were published, the last one included; nil for none.
func (s *uploadState) publications() []published {
	if s == nil {
		return nil
	}
	if s.Manifest == nil {
		return s.Before
	}
	return append(s.Before, published{s.Key, s.Files, s.Manifest})
}

type fileState struct {
	Partition map[string]string `json:"partition,omitempty"`
	Nonce     carnet.Nonce      `json:"nonce"`
	// Fingerprint identifies the plaintext to whoever has the dataset key, and tells
	// others nothing: it is keyed.
	Fingerprint string `json:"fingerprint"`
}

// fingerprints returns the keyed digest of every file's plaintext.
func fingerprints(k *ident.DatasetKey, files []*schema.Builder) ([]string, error) {
	key, err := hkdf.Key(sha256.New, k.Seed[:], k.Key[:], "carnet/fingerprint/1", 32)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(files))
	for i, b := range files {
		d, err := b.Digest()
		if err != nil {
			return nil, err
		}
		m := hmac.New(sha256.New, key)
		m.Write(d[:])
		out[i] = hex.EncodeToString(m.Sum(nil))
	}
	return out, nil
}

// newUpload draws a nonce for every file and writes the state.
func newUpload(path string, id carnet.DatasetID, k *ident.DatasetKey, files []*schema.Builder, prints []string, before []published) (*uploadState, error) {
	s := &uploadState{Kind: uploadKind, Dataset: id, Key: k.Key, Before: before, path: path}
	for i, b := range files {
		f := fileState{Partition: b.Partition(), Fingerprint: prints[i]}
		if _, err := rand.Read(f.Nonce[:]); err != nil {
			return nil, err
		}
		s.Files = append(s.Files, f)
	}
	return s, s.save()
}

// loadUpload reads the state; nil if there is none.
func loadUpload(path string) (*uploadState, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &uploadState{path: path}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil || s.Kind != uploadKind {
		return nil, carnet.E(carnet.Precondition, "BAD_UPLOAD_STATE", "%s is not the state of an upload", path).Because(err).
			Fix("restore the file, or begin anew with fresh nonces (--restart)")
	}
	return s, nil
}

// check refuses to use the nonces of this state for anything but what they were
// drawn for.
func (s *uploadState) check(id carnet.DatasetID, k *ident.DatasetKey, files []*schema.Builder, prints []string) error {
	reuse := carnet.E(carnet.Precondition, "NONCE_REUSED", "the upload of %s was begun with another input", id).
		Fix("a nonce encrypts one content only: two contents under one nonce would reveal their difference.\n" +
			"To go on, give the same input, schema and key as before; to publish this input,\n" +
			"in place of the other if that was published, begin anew with fresh nonces (--restart)")
	if s.Dataset != id || s.Key != k.Key {
		return reuse.With("key", "is another one than %s", s.Key)
	}
	if len(s.Files) != len(files) {
		return reuse.With("partitions", "there are %d files, the upload has %d", len(files), len(s.Files))
	}
	for i, f := range s.Files {
		if !maps.Equal(f.Partition, files[i].Partition()) {
			return reuse.With("partitions", "file %d is %s, the upload has %s", i+1, partitionText(files[i].Partition()), partitionText(f.Partition))
		}
		if f.Fingerprint != prints[i] {
			reuse = reuse.With(fileName(f.Partition), "the contents changed")
		}
	}
	if len(reuse.Violations) > 0 {
		return reuse
	}
	return nil
}

func fileName(partition map[string]string) string {
	if len(partition) == 0 {
		return "the table"
	}
	return "partition " + partitionText(partition)
}

// partitionText writes a partition as name=value pairs in order.
func partitionText(partition map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(partition)) {
		out = append(out, k+"="+partition[k])
	}
	return strings.Join(out, " ")
}

// save replaces the state file so that a crash leaves the old or the new one.
func (s *uploadState) save() error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".upload-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.Write(append(data, '\n')); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), s.path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename durable: a nonce must never be forgotten once it was used.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
