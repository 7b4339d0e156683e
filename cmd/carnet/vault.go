package main

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// vaultConfig is vault.yaml in the home directory. If it is there, identity and dataset
// keys are in HashiCorp Vault instead of files.
type vaultConfig struct {
	vaultclient.Config `yaml:",inline"`
	Keystore           vaultsecret.Config        `yaml:"keystore"`
	Certificates       *vaultclient.Certificates `yaml:"certificates"` // nil: from files
}

const vaultFile = "vault.yaml"

// inVault is an open connection to it.
type inVault struct {
	*vaultsecret.Files
	client *vaultclient.Client
	cfg    vaultConfig
}

// identityName is the identity's name in Vault, and keyName that of a dataset key.
const identityName = "identity"

func keyName(name string) string { return "key-" + name }

// vault opens the party's Vault, nil if there is no vault.yaml.
func (a *app) vault() (*inVault, error) {
	if a.opened != nil {
		return a.opened, nil
	}
	path := a.path(vaultFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	v := &inVault{}
	if err := vaultclient.ReadFile(path, &v.cfg); err != nil {
		return nil, err
	}
	v.cfg.Beside(a.home)
	if v.cfg.Certificates != nil {
		v.cfg.Certificates.Beside(a.home)
	}
	var err error
	if v.client, err = vaultclient.Open(a.ctx, v.cfg.Config, nil); err != nil {
		return nil, err
	}
	if v.Files, err = vaultsecret.NewFiles(v.client, v.cfg.Keystore); err != nil {
		return nil, errors.Join(err, v.client.Close())
	}
	a.opened = v
	return v, nil
}

// close ends what was opened along the way.
func (a *app) close() {
	if a.opened != nil {
		_ = a.opened.client.Close() // it only stops renewing a token
	}
}

// saveIdentity keeps a new identity and says where.
func (a *app) saveIdentity(id *ident.Identity, file string, plain bool) (string, error) {
	v, err := a.vault()
	if err != nil {
		return "", err
	}
	if v == nil {
		pass := ""
		if !plain {
			if pass, err = a.newPassphrase(file); err != nil {
				return "", err
			}
		}
		return file, id.Save(file, pass)
	}
	data, err := id.Marshal()
	if err != nil {
		return "", err
	}
	defer clear(data)
	return v.Where(identityName), v.Write(a.ctx, identityName, data)
}

// loadIdentity reads the identity of this home.
func (a *app) loadIdentity(file string) (*ident.Identity, error) {
	v, err := a.vault()
	if err != nil {
		return nil, err
	}
	if v == nil {
		return ident.Load(file, a.askPassphrase)
	}
	data, err := v.Read(a.ctx, identityName)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return ident.ParseIdentity(v.Where(identityName), data)
}

// saveKey keeps a new dataset key and says where.
func (a *app) saveKey(k *ident.DatasetKey, name string, plain bool) (string, error) {
	v, err := a.vault()
	if err != nil {
		return "", err
	}
	if v == nil {
		pass, file := "", a.keyFile(name)
		if !plain {
			if pass, err = a.newPassphrase(file); err != nil {
				return "", err
			}
		}
		return file, k.Save(file, pass)
	}
	data, err := k.Marshal()
	if err != nil {
		return "", err
	}
	defer clear(data)
	return v.Where(keyName(name)), v.Write(a.ctx, keyName(name), data)
}

// loadKey reads a dataset key by its name; a path is always a file.
func (a *app) loadKey(name string) (*ident.DatasetKey, error) {
	v, err := a.vault()
	if err != nil {
		return nil, err
	}
	if v == nil || !carnet.ValidName(name) {
		return ident.LoadDatasetKey(a.keyFile(name), a.askPassphrase)
	}
	data, err := v.Read(a.ctx, keyName(name))
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return ident.ParseDatasetKey(v.Where(keyName(name)), data)
}

// clientTLS is this party's certificate, from files or, for this one command, from Vault.
func (a *app) clientTLS(cfg *config) (*tls.Config, error) {
	v, err := a.vault()
	if err != nil {
		return nil, err
	}
	if v == nil || v.cfg.Certificates == nil {
		return ident.ClientTLS(a.path(cfg.Cert), a.path(cfg.Key), a.path(cfg.CA))
	}
	p := *v.cfg.Certificates
	p.Party = cfg.Party.ID
	if p.Peers == "" {
		p.Peers = a.path(cfg.CA)
	}
	issued, err := v.client.Certificate(a.ctx, p)
	if err != nil {
		return nil, err
	}
	return issued.Client(), nil
}
