package agefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/carnet-network/carnet/internal/syncdir"
	"github.com/carnet-network/carnet/pkg/carnet"
)

const format = "carnet-keystore/1"

// maxFile bounds what is read: 4,096 bundles of the greatest length.
const maxFile = 128 << 20

// contents is what the file holds, as JSON inside age.
type contents struct {
	Format    string                  `json:"format"`
	Signing   []byte                  `json:"signing"` // Ed25519 seed, 32 bytes
	Sealing   []byte                  `json:"sealing"` // input of the HPKE key derivation, 32 bytes
	Bundles   map[carnet.KeyID][]byte `json:"bundles"`
	Destroyed map[carnet.KeyID]bool   `json:"destroyed"`

	NextSigning []byte   `json:"next_signing,omitempty"` // drawn, not adopted yet
	NextSealing []byte   `json:"next_sealing,omitempty"`
	OldSealing  [][]byte `json:"old_sealing,omitempty"` // replaced, kept to open what is pending
}

// wellFormed reports whether the lengths of all keys are right.
func (c *contents) wellFormed() bool {
	for _, b := range append([][]byte{c.Signing, c.Sealing}, c.OldSealing...) {
		if len(b) != 32 {
			return false
		}
	}
	return (len(c.NextSigning) == 0 || len(c.NextSigning) == 32) && (len(c.NextSealing) == 0 || len(c.NextSealing) == 32)
}

func damaged(path string, cause error) error {
	return carnet.E(carnet.Precondition, "KEYSTORE_DAMAGED", "the keystore %s is cut short or damaged", path).Because(cause).
		Fix("nothing was changed; copy the file aside and put back the newest backup")
}

// load reads and decrypts the file.
func load(path string, p Protection) (*contents, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, carnet.E(carnet.NotFound, "NO_KEYSTORE", "there is no keystore at %s", path).
			Fix("make one with carnet-keyholder init, or restore a backup")
	}
	if err != nil {
		return nil, carnet.E(carnet.Precondition, "KEYSTORE_UNREADABLE", "the keystore can't be read").Because(err)
	}
	defer f.Close()
	r, err := age.Decrypt(io.LimitReader(f, maxFile), p.identity)
	var noMatch *age.NoIdentityMatchError
	if errors.As(err, &noMatch) {
		return nil, carnet.E(carnet.Forbidden, "WRONG_PASSPHRASE", "the passphrase or identity does not open the keystore %s", path).
			Fix("nothing was changed; try again with the right one")
	}
	if err != nil {
		return nil, damaged(path, err)
	}
	plain, err := io.ReadAll(r)
	defer clear(plain)
	if err != nil {
		return nil, damaged(path, err)
	}
	var c contents
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	// The decoder's error could quote contents, so it is not passed on.
	if d.Decode(&c) != nil || c.Format != format || !c.wellFormed() {
		return nil, carnet.E(carnet.Precondition, "KEYSTORE_UNKNOWN_FORMAT", "the keystore %s is not of the format %s", path, format).
			Fix("it may have been written by a newer version; nothing was changed")
	}
	if c.Bundles == nil {
		c.Bundles = map[carnet.KeyID][]byte{}
	}
	if c.Destroyed == nil {
		c.Destroyed = map[carnet.KeyID]bool{}
	}
	return &c, nil
}

// save replaces the file by new contents in one step.
func save(path string, p Protection, c *contents) error {
	plain, err := json.Marshal(c)
	if err != nil {
		return err
	}
	defer clear(plain)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, p.recipient)
	if err != nil {
		return err
	}
	if _, err := w.Write(plain); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := replace(path, sealed.Bytes()); err != nil {
		return carnet.E(carnet.Internal, "KEYSTORE_NOT_WRITTEN", "the keystore could not be written; the old one is unchanged").Because(err).
			Fix("check free space and permissions of %s", filepath.Dir(path))
	}
	return nil
}

// replace writes b beside path, flushes it, renames it over path and flushes the
// directory entry.
func replace(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".tmp-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(b); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncdir.Sync(dir)
}
