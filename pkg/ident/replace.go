package ident

import (
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/carnet-network/carnet/internal/syncdir"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// NextFile is where the key that is to replace the one in an identity file is kept until the
// journal names it: identity-next.key beside identity.key.
func NextFile(file string) string { return beside(file, "next") }

// KeptFile is where an identity is kept that was replaced, by evidence.KeyHint of its key:
// identity-HINT.key.
func KeptFile(file, hint string) string { return beside(file, hint) }

func beside(file, what string) string {
	ext := filepath.Ext(file)
	return strings.TrimSuffix(file, ext) + "-" + what + ext
}

// Replace puts the identity in NextFile(file) in the place of the one in file, whose public key
// is old, in one step that survives a power cut. With keep the old one stays in KeptFile. It may
// be repeated whatever it was interrupted by, and by two processes at a time; what is in file
// afterwards is for the caller to look at. Error: Exists (FILE_EXISTS) if another file is where
// the old one is to be kept.
func Replace(file string, old ed25519.PublicKey, keep bool) error {
	next := NextFile(file)
	if _, err := os.Lstat(next); errors.Is(err, fs.ErrNotExist) {
		return nil // done before
	}
	if keep {
		kept := KeptFile(file, evidence.KeyHint(old))
		if err := os.Link(file, kept); errors.Is(err, fs.ErrExist) {
			a, err := os.Stat(file)
			b, other := os.Stat(kept)
			if err := errors.Join(err, other); err != nil {
				return err
			}
			if _, gone := os.Lstat(next); errors.Is(gone, fs.ErrNotExist) {
				return nil // another process was quicker
			}
			if !os.SameFile(a, b) {
				return carnet.E(carnet.Exists, "FILE_EXISTS", "%s exists already and is not %s", kept, file).
					Fix("keys are never overwritten: move it away and repeat the command")
			}
		} else if err != nil {
			return err
		}
		// The name under which the old key is kept has to be there before the other is gone.
		if err := syncdir.Sync(filepath.Dir(file)); err != nil {
			return err
		}
	}
	if err := os.Rename(next, file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncdir.Sync(filepath.Dir(file))
}
