package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// storeFlags say where the keys are: in HashiCorp Vault if there is a file that says
// how to reach it, else in an age file.
type storeFlags struct {
	dirFlag
	secretFlags
	Vault string `help:"File that says which HashiCorp Vault keeps the keys. Default: vault.yaml in the directory, if it is there." type:"path" placeholder:"FILE" env:"CARNET_VAULT_CONFIG"`
}

// vaultFile is what that file holds.
type vaultFile struct {
	vaultclient.Config `yaml:",inline"`
	Keystore           vaultsecret.Config        `yaml:"keystore"`
	Certificates       *vaultclient.Certificates `yaml:"certificates"`     // nil: from files
	Engine             string                    `yaml:"engine,omitempty"` // where vault-plugin-carnet is enabled; it keeps the seeds then
}

// vaultFile reads the file, nil if the keys are in an age file.
func (f storeFlags) vaultFile() (*vaultFile, error) {
	path := f.Vault
	if path == "" {
		path = filepath.Join(f.Dir, "vault.yaml")
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
	}
	v := &vaultFile{}
	if err := vaultclient.ReadFile(path, v); err != nil {
		return nil, err
	}
	v.Beside(filepath.Dir(path))
	if v.Certificates != nil {
		v.Certificates.Beside(filepath.Dir(path))
	}
	return v, nil
}

// inVault is a keystore that closes its connection, too.
type inVault struct {
	*vault.Store
	client *vaultclient.Client
}

// Health says whether Vault serves requests now.
func (s inVault) Health(ctx context.Context) error { return s.client.Health(ctx) }

func (s inVault) Close() error { return errors.Join(s.Store.Close(), s.client.Close()) }

// create makes a new keystore and says where.
func (f storeFlags) create(ctx context.Context, s streams) (keys.Store, string, error) {
	v, err := f.vaultFile()
	if err != nil {
		return nil, "", err
	}
	if v == nil {
		p, err := f.protection(s, true)
		if err != nil {
			return nil, "", err
		}
		store, err := agefile.Create(f.keystore(), p, rand.Reader)
		return store, f.keystore(), err
	}
	c, err := vaultclient.Open(ctx, v.Config, nil)
	if err != nil {
		return nil, "", err
	}
	store, err := vault.Create(ctx, c, v.Keystore, rand.Reader)
	if err != nil {
		return nil, "", errors.Join(err, c.Close())
	}
	made, err := v.beside(ctx, inVault{store, c})
	return made, store.String(), err
}

// open opens the keystore for use.
func (f storeFlags) open(ctx context.Context, s streams) (keys.Store, error) {
	return f.either(ctx, s, agefile.Open, nil)
}

// openPatiently is open that waits for a Vault that is sealed or not reachable.
func (f storeFlags) openPatiently(ctx context.Context, s streams, log *slog.Logger) (keys.Store, error) {
	return f.either(ctx, s, agefile.Open, log)
}

// read opens the keystore beside a keyholder that runs.
func (f storeFlags) read(ctx context.Context, s streams) (keys.Store, error) {
	return f.either(ctx, s, agefile.OpenReadOnly, nil)
}

func (f storeFlags) either(ctx context.Context, s streams, file func(string, agefile.Protection) (*agefile.Store, error), wait *slog.Logger) (keys.Store, error) {
	v, err := f.vaultFile()
	if err != nil {
		return nil, err
	}
	if v == nil {
		p, err := f.protection(s, false)
		if err != nil {
			return nil, err
		}
		return file(f.keystore(), p)
	}
	var c *vaultclient.Client
	if wait == nil {
		c, err = vaultclient.Open(ctx, v.Config, nil)
	} else {
		c, err = vaultclient.Wait(ctx, v.Config, wait)
	}
	if err != nil {
		return nil, err
	}
	var store *vault.Store
	open := func() (err error) {
		store, err = vault.Open(ctx, c, v.Keystore)
		return err
	}
	if wait == nil {
		err = open()
	} else {
		err = vaultclient.Patiently(ctx, wait, open)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return v.beside(ctx, inVault{store, c})
}
