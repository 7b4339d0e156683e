package vaultserver

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNotBuilt says that there is no Vault server on this machine.
var ErrNotBuilt = errors.New("there is no Vault server: make vault builds one")

// Find returns the server's program: the one built into .bin of the source tree, or a
// vault on the path.
func Find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		at := filepath.Join(dir, ".bin", "vault")
		if i, err := os.Stat(at); err == nil && i.Mode().IsRegular() {
			return at, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	if at, err := exec.LookPath("vault"); err == nil {
		return filepath.Abs(at)
	}
	return "", ErrNotBuilt
}
