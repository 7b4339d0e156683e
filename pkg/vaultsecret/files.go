package vaultsecret

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// Files keeps small secret files of an owner or buyer, such as an identity, wrapped by
// transit at <kv>/<name>/files. Nothing is overwritten. It may be used concurrently.
type Files struct {
	cfg     Config
	kv      KV
	transit Transit
}

// fileEntry is kept at <name>/files/<file>.
type fileEntry struct {
	Format  string `json:"format"`
	Wrapped string `json:"wrapped"`
	Next    string `json:"next,omitempty"` // what is to replace it, wrapped
}

const fileFormat = "carnet-vault-file/1"

// maxFile bounds a file; identities and dataset keys have a few hundred bytes.
const maxFile = 64 << 10

// NewFiles uses the place in Vault that cfg names. It does not close c.
func NewFiles(c *vaultclient.Client, cfg Config) (*Files, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return &Files{cfg, NewKV(c, &cfg), NewTransit(c, &cfg)}, nil
}

// Where names a file's place, for messages.
func (f *Files) Where(name string) string { return "vault:" + f.cfg.KV + "/" + f.place(name) }

func (f *Files) place(name string) string { return f.cfg.Path("files", name) }

// Write keeps a new file, durably before it returns. Errors: Exists (FILE_EXISTS),
// Precondition (VAULT_KEY_EXPORTABLE, VAULT_WRONG_KEY), NotFound (VAULT_NO_KEY), and
// those of package vaultclient.
func (f *Files) Write(ctx context.Context, name string, data []byte) error {
	if !carnet.ValidName(name) || len(data) > maxFile {
		return carnet.E(carnet.Invalid, "BAD_NAME", "%q is no name for a file in Vault", name).
			Fix("use 1 to 63 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit")
	}
	exists := carnet.E(carnet.Exists, "FILE_EXISTS", "%s exists already", f.Where(name)).
		Fix("keys are never overwritten: choose another name")
	if v, err := f.kv.Get(ctx, f.place(name), &fileEntry{}); v > 0 {
		return exists
	} else if err != nil {
		return err
	}
	if _, err := f.transit.Inspect(ctx, f.cfg.WrapKey(), "aes256-gcm96"); err != nil {
		return err
	}
	wrapped, err := f.transit.Encrypt(ctx, f.cfg.WrapKey(), f.place(name), data)
	if err != nil {
		return err
	}
	err = f.kv.Put(ctx, f.place(name), 0, map[string]any{"format": fileFormat, "wrapped": wrapped})
	if carnet.ReasonOf(err) == "VAULT_CHANGED" {
		return exists
	}
	return err
}

// Read returns a file, which the caller clears. Error: NotFound (NO_KEY_FILE).
func (f *Files) Read(ctx context.Context, name string) ([]byte, error) {
	e, _, err := f.entry(ctx, name)
	if err != nil {
		return nil, err
	}
	return f.transit.Decrypt(ctx, f.cfg.WrapKey(), f.place(name), e.Wrapped)
}
