// Package backup puts a keyholder's files into one stream and takes them out again. The
// stream is a tar archive with a fixed set of names; whoever writes it encrypts it.
package backup

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	format    = "carnet-keyholder-backup/2"
	aboutName = "backup.json"
	maxAbout  = 64 << 10
)

// names are the files that a backup may hold, in their order.
var names = []string{"party.json", "ledger.db", "keystore.mark", "keystore.age", "policy.json", "policy.age", "party-next.json"}

// required must be in every backup. There is no ledger before the first run, the
// keystore and its mark are elsewhere if the keys are in Vault, and there is a policy key
// only if they are in the secrets engine.
var required = []string{"party.json"}

// About says what a backup holds. It is its first entry.
type About struct {
	Format  string         `json:"format"`
	Party   carnet.PartyID `json:"party"`
	Created time.Time      `json:"created"`
	Size    int64          `json:"journal_size"` // entries in the ledger
	Head    carnet.Hash    `json:"journal_head"`
	Files   []string       `json:"files"` // that follow, in this order
}

// Write writes the files of those names that exist in dir.
func Write(w io.Writer, a About, dir string) error {
	a.Format, a.Files = format, nil
	for _, n := range names {
		if _, err := os.Stat(filepath.Join(dir, n)); err == nil {
			a.Files = append(a.Files, n)
		}
	}
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	if err := add(t, aboutName, int64(len(b)), bytes.NewReader(b)); err != nil {
		return err
	}
	for _, n := range a.Files {
		if err := addFile(t, n, filepath.Join(dir, n)); err != nil {
			return err
		}
	}
	return t.Close()
}

func addFile(t *tar.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	i, err := f.Stat()
	if err != nil {
		return err
	}
	return add(t, name, i.Size(), f)
}

func add(t *tar.Writer, name string, size int64, r io.Reader) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := io.CopyN(t, r, size)
	return err
}

func damaged(cause error) error {
	return carnet.E(carnet.Invalid, "BACKUP_DAMAGED", "the backup is cut short, damaged or of another kind").Because(cause).
		Fix("nothing was changed; use another copy")
}

// Read writes the files of a backup into dir, which is empty, with mode 0600. Nothing in
// it counts before Read returned without an error. Error: Invalid (BACKUP_DAMAGED).
func Read(r io.Reader, dir string) (*About, error) {
	t := tar.NewReader(r)
	h, err := t.Next()
	if err != nil || h.Name != aboutName || h.Typeflag != tar.TypeReg || h.Size > maxAbout {
		return nil, damaged(err)
	}
	b, err := io.ReadAll(t)
	if err != nil {
		return nil, damaged(err)
	}
	a := &About{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(a); err != nil || a.Format != format || !carnet.ValidName(string(a.Party)) || !wellFormed(a.Files) {
		return nil, damaged(err)
	}
	for _, n := range a.Files {
		h, err := t.Next()
		if err != nil || h.Name != n || h.Typeflag != tar.TypeReg {
			return nil, damaged(err)
		}
		if err := extract(t, filepath.Join(dir, n)); err != nil {
			return nil, err
		}
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return nil, damaged(err)
	}
	// The end of what was encrypted is the proof that it is whole.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, damaged(err)
	}
	return a, nil
}

// wellFormed: known names in their order, none twice, none of the required missing.
func wellFormed(files []string) bool {
	last := -1
	for _, n := range files {
		at := slices.Index(names, n)
		if at <= last {
			return false
		}
		last = at
	}
	return !slices.ContainsFunc(required, func(n string) bool { return !slices.Contains(files, n) })
}

func extract(r io.Reader, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var failed *os.PathError
	if _, err = io.Copy(f, r); err == nil {
		err = f.Sync()
	} else if !errors.As(err, &failed) {
		err = damaged(err)
	}
	return errors.Join(err, f.Close())
}
