package vaultclient

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
	"go.yaml.in/yaml/v3"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Config says which Vault is used and as whom. What is empty is taken from Vault's own
// variables: VAULT_ADDR, VAULT_CACERT, VAULT_CAPATH, VAULT_CLIENT_CERT, VAULT_CLIENT_KEY,
// VAULT_TLS_SERVER_NAME, VAULT_NAMESPACE, VAULT_CLIENT_TIMEOUT, VAULT_PROXY_ADDR and,
// for the method token, VAULT_TOKEN.
type Config struct {
	Address    string `yaml:"address,omitempty"`
	Namespace  string `yaml:"namespace,omitempty"`
	CA         string `yaml:"ca,omitempty"`          // file
	ServerName string `yaml:"server_name,omitempty"` // in the server's certificate
	ClientCert string `yaml:"client_cert,omitempty"` // file
	ClientKey  string `yaml:"client_key,omitempty"`  // file
	Auth       Auth   `yaml:"auth"`

	// Timeout bounds one request; 0: what VAULT_CLIENT_TIMEOUT says, at most 60 s.
	Timeout time.Duration `yaml:"timeout,omitempty"`
}

// Auth says how to log in.
type Auth struct {
	Method string `yaml:"method"`          // token, approle or kubernetes
	Mount  string `yaml:"mount,omitempty"` // of the auth method; default its name

	TokenFile string `yaml:"token_file,omitempty"` // token; empty: VAULT_TOKEN

	RoleID       string `yaml:"role_id,omitempty"`        // approle
	RoleIDFile   string `yaml:"role_id_file,omitempty"`   // instead of RoleID
	SecretIDFile string `yaml:"secret_id_file,omitempty"` // never on a command line
	SecretIDEnv  string `yaml:"secret_id_env,omitempty"`  // name of a variable, instead
	Wrapped      bool   `yaml:"wrapped,omitempty"`        // the secret id is response-wrapped

	Role    string `yaml:"role,omitempty"`     // kubernetes
	JWTFile string `yaml:"jwt_file,omitempty"` // kubernetes; default the pod's
}

// ReadFile decodes a YAML file into out, a struct that includes a Config. Unknown fields
// are errors.
func ReadFile(path string, out any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return carnet.E(carnet.NotFound, "NO_VAULT_CONFIG", "there is no Vault configuration at %s", path).
			Fix("write one as docs/howto/vault.md shows")
	}
	if err != nil {
		return badConfig("%s can't be read", path).Because(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(out); err != nil && !errors.Is(err, io.EOF) {
		return badConfig("%s is not a Vault configuration", path).Because(err)
	}
	return nil
}

// Beside makes the relative file names of a configuration relative to the folder it
// was read from.
func (c *Config) Beside(dir string) {
	for _, f := range []*string{&c.CA, &c.ClientCert, &c.ClientKey, &c.Auth.TokenFile, &c.Auth.RoleIDFile, &c.Auth.SecretIDFile, &c.Auth.JWTFile} {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
}

func badConfig(format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, "BAD_VAULT_CONFIG", format, args...).Fix("see docs/howto/vault.md")
}

// client makes an API client without a token.
func (c *Config) client() (*api.Client, error) {
	cfg := api.DefaultConfig()
	if cfg.Error != nil {
		return nil, badConfig("Vault's variables can't be used").Because(cfg.Error)
	}
	if os.Getenv(api.EnvVaultInsecure) != "" && os.Getenv(api.EnvVaultInsecure) != "0" && os.Getenv(api.EnvVaultInsecure) != "false" {
		return nil, badConfig("%s is set: Vault's certificate would not be checked", api.EnvVaultInsecure).Fix("unset it and give the authority with ca or VAULT_CACERT")
	}
	if c.Address != "" {
		cfg.Address = c.Address
	} else if os.Getenv(api.EnvVaultAddress) == "" {
		return nil, badConfig("no address of Vault is given").Fix("set address in the configuration or VAULT_ADDR")
	}
	if err := checkAddress(cfg.Address); err != nil {
		return nil, err
	}
	cfg.MaxRetries = 0 // callers know what may be repeated
	if c.Timeout > 0 {
		cfg.Timeout = c.Timeout
	}
	if c.CA != "" || c.ServerName != "" || c.ClientCert != "" || c.ClientKey != "" {
		or := func(a, name string) string {
			if a != "" {
				return a
			}
			return os.Getenv(name)
		}
		t := &api.TLSConfig{CACert: or(c.CA, api.EnvVaultCACert), CAPath: os.Getenv(api.EnvVaultCAPath), TLSServerName: or(c.ServerName, api.EnvVaultTLSServerName),
			ClientCert: or(c.ClientCert, api.EnvVaultClientCert), ClientKey: or(c.ClientKey, api.EnvVaultClientKey)}
		if err := cfg.ConfigureTLS(t); err != nil {
			return nil, badConfig("the TLS files for Vault can't be used").Because(err)
		}
	}
	cl, err := api.NewClient(cfg)
	if err != nil {
		return nil, badConfig("the Vault client can't be set up").Because(err)
	}
	cl.ClearToken()
	if c.Namespace != "" {
		cl.SetNamespace(c.Namespace)
	}
	return cl, nil
}

// checkAddress lets nothing but TLS leave this machine.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return badConfig("the address of Vault is no URL").Fix("use https://HOST:PORT")
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local) && !strings.HasPrefix(address, "unix://") {
		return badConfig("the address of Vault is not https").Fix("use https://HOST:PORT; http is for a Vault agent on this machine")
	}
	return nil
}
