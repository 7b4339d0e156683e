package ident

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Passphrase asks for the passphrase of an encrypted file. It is called only when
// the file is encrypted; nil means that there is nobody to ask.
type Passphrase func(file string) (string, error)

// identityKind and datasetKeyKind name the two file formats and their version.
const (
	identityKind   = "carnet/identity/1"
	datasetKeyKind = "carnet/dataset-key/1"
)

// maxSecretFile bounds what is read from disk; real files have a few hundred bytes.
const maxSecretFile = 64 << 10

// scryptWork is log2 of the scrypt cost, about a second on a laptop. Tests lower it.
var scryptWork = 18

type identityFile struct {
	Kind  string         `json:"kind"`
	Party carnet.PartyID `json:"party"`
	Seed  []byte         `json:"seed"`
}

// Save writes the identity to a new file. It is encrypted with age if passphrase is
// not empty, and plain with mode 0600 otherwise. An existing file is never replaced.
func (i *Identity) Save(path, passphrase string) error {
	return writeSecret(path, passphrase, identityFile{identityKind, i.party, i.key.Seed()})
}

// Marshal is what an identity file holds before encryption, for a place that encrypts
// by itself. The caller clears it.
func (i *Identity) Marshal() ([]byte, error) {
	return json.Marshal(identityFile{identityKind, i.party, i.key.Seed()})
}

// Load reads an identity file.
func Load(path string, ask Passphrase) (*Identity, error) {
	data, err := readSecret(path, ask)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return ParseIdentity(path, data)
}

// ParseIdentity reads what Marshal returned. name is for errors.
func ParseIdentity(name string, data []byte) (*Identity, error) {
	var f identityFile
	if err := decode(name, data, &f); err != nil {
		return nil, err
	}
	if f.Kind != identityKind || len(f.Seed) != 32 {
		return nil, carnet.E(carnet.Invalid, "BAD_IDENTITY_FILE", "%s is not an identity file", name)
	}
	return FromSeed(f.Party, [32]byte(f.Seed))
}

// writeSecret marshals body and writes it beside its place first, so that a crash
// never leaves half a key. Link refuses to replace an existing file.
func writeSecret(path, passphrase string, body any) error {
	plain, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return fmt.Errorf("marshal %s: %w", path, err)
	}
	plain = append(plain, '\n')
	data := plain
	if passphrase != "" {
		if data, err = encrypt(plain, passphrase); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeNew(path, data, 0o600)
}

// writeNew creates path with exactly these bytes, or fails if it exists.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := errors.Join(tmp.Chmod(mode), writeSync(tmp, data)); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return carnet.E(carnet.Exists, "FILE_EXISTS", "%s exists already", path).
				Fix("keys are never overwritten: move the old file away, or choose another place")
		}
		return err
	}
	return nil
}

func writeSync(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// readSecret reads a file of this package and decrypts it if needed.
func readSecret(path string, ask Passphrase) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, carnet.E(carnet.NotFound, "NO_KEY_FILE", "the key file %s does not exist", path).
			Fix("check the name; carnet init makes identities, carnet deal makes dataset keys")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSecretFile {
		return nil, carnet.E(carnet.Invalid, "BAD_KEY_FILE", "%s is too large for a key file", path)
	}
	if bytes.HasPrefix(data, []byte(armor.Header)) {
		return decrypt(path, data, ask)
	}
	return data, checkMode(f)
}

// decode reads the JSON of a key file strictly.
func decode(name string, data []byte, body any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil {
		return carnet.E(carnet.Invalid, "BAD_KEY_FILE", "%s is not a key file", name).Because(err).
			Fix("give the file as the program that made it wrote it; an identity, a dataset key and a certificate's key are three things")
	}
	return nil
}

// checkMode refuses a plain secret that other users of the machine can read.
func checkMode(f *os.File) error {
	if runtime.GOOS == "windows" { // no meaningful mode bits there
		return nil
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return carnet.E(carnet.Precondition, "KEY_FILE_READABLE", "%s can be read by other users (mode %04o)", f.Name(), st.Mode().Perm()).
			Fix("chmod 600 %s", f.Name())
	}
	return nil
}

func encrypt(plain []byte, passphrase string) ([]byte, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("use the passphrase: %w", err)
	}
	r.SetWorkFactor(scryptWork)
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, r)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func decrypt(path string, data []byte, ask Passphrase) ([]byte, error) {
	if ask == nil {
		return nil, carnet.E(carnet.Precondition, "PASSPHRASE_NEEDED", "%s is encrypted and nobody can be asked for the passphrase", path).
			Fix("run on a terminal, or set CARNET_PASSPHRASE_FILE to a file that holds the passphrase")
	}
	pass, err := ask(path)
	if err != nil {
		return nil, err
	}
	id, err := age.NewScryptIdentity(pass)
	if err != nil {
		return nil, carnet.E(carnet.Forbidden, "WRONG_PASSPHRASE", "the passphrase is empty")
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(data)), id)
	if err != nil {
		return nil, carnet.E(carnet.Forbidden, "WRONG_PASSPHRASE", "%s does not open with this passphrase", path).Because(err)
	}
	return io.ReadAll(io.LimitReader(r, maxSecretFile))
}
