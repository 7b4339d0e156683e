package ident

import (
	"bytes"
	"os"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// PassphraseEnv names the environment variable that all programs take a passphrase
// from: the path of a file, because a passphrase in the environment itself is shown to
// other processes of the user and inherited by children.
const PassphraseEnv = "CARNET_PASSPHRASE_FILE"

// ReadPassphrase returns the first line of a passphrase file.
func ReadPassphrase(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", carnet.E(carnet.Precondition, "NO_PASSPHRASE_FILE", "the passphrase file can't be read").Because(err).
			Fix("check the path in %s or --passphrase-file", PassphraseEnv)
	}
	defer clear(data)
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return string(bytes.TrimRight(line, "\r")), nil
}
