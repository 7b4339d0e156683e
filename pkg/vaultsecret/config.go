package vaultsecret

import (
	"regexp"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Config says where in Vault a party's secrets are.
type Config struct {
	Name    string `yaml:"name"`              // of the party, first part of every path
	KV      string `yaml:"kv,omitempty"`      // mount of a KV engine, version 2; default carnet
	Transit string `yaml:"transit,omitempty"` // mount of a transit engine; default carnet-transit
}

var mountForm = regexp.MustCompile(`^[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*$`)

// Check fills in defaults. Error: Invalid (BAD_VAULT_CONFIG).
func (c *Config) Check() error {
	if c.KV == "" {
		c.KV = "carnet"
	}
	if c.Transit == "" {
		c.Transit = "carnet-transit"
	}
	c.KV, c.Transit = strings.Trim(c.KV, "/"), strings.Trim(c.Transit, "/")
	if !carnet.ValidName(c.Name) || strings.Contains(c.KV+c.Transit, "..") || !mountForm.MatchString(c.KV) || !mountForm.MatchString(c.Transit) {
		return carnet.E(carnet.Invalid, "BAD_VAULT_CONFIG", "the name %q or a mount is malformed", c.Name).
			Fix("name is the party's identifier; kv and transit are paths of mounts")
	}
	return nil
}

// WrapKey and SignKey are the names of the transit keys.
func (c *Config) WrapKey() string { return c.Name + "-wrap" }
func (c *Config) SignKey() string { return c.Name + "-sign" }

// Path is the place of an entry in the KV engine.
func (c *Config) Path(parts ...string) string {
	return strings.Join(append([]string{c.Name}, parts...), "/")
}
