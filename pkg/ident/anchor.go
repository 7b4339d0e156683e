package ident

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// WriteAnchor writes the registrar's public key as one line of base64 to a new file.
// Everyone else pins a copy of that file, obtained by a way they trust.
func WriteAnchor(path string, pub ed25519.PublicKey) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return writeNew(path, []byte(base64.StdEncoding.EncodeToString(pub)+"\n"), 0o644)
}

// ReadAnchor reads the registrar's public key.
func ReadAnchor(path string) (ed25519.PublicKey, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, carnet.E(carnet.Precondition, "NO_REGISTRAR_KEY", "the registrar's key %s does not exist", path).
			Fix("get registrar.pub from the operator of your network and compare its digits with somebody you trust")
	}
	if err != nil {
		return nil, err
	}
	pub, err := ParseAnchor(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pub, nil
}

// ParseAnchor reads the contents of a registrar key file.
func ParseAnchor(data []byte) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data)))
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, carnet.E(carnet.Invalid, "BAD_REGISTRAR_KEY", "the registrar's key is not 32 bytes of base64 on one line").
			Fix("get registrar.pub from the operator of your network again")
	}
	return ed25519.PublicKey(raw), nil
}
