package vaultserver

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	policies "github.com/carnet-network/carnet/policies/vault"
)

// Role is an AppRole that Provision made.
type Role struct {
	Name string
	TTL  string // of tokens; "": 10m
	Max  string // of tokens; "": none
}

// Provision does what docs/howto/vault.md has an administrator do for a party: mounts
// and keys where they are missing, the policy of the role (keyholder or party), and an
// AppRole whose ids are written into dir. It returns how to log in.
func (s *Server) Provision(ctx context.Context, policy string, party carnet.PartyID, dir string) (vaultclient.Config, error) {
	c := s.Client()
	for path, in := range map[string]*api.MountInput{
		"carnet":         {Type: "kv", Options: map[string]string{"version": "2"}},
		"carnet-transit": {Type: "transit"},
	} {
		if err := mount(ctx, c, path, in); err != nil {
			return vaultclient.Config{}, err
		}
	}
	keys := map[string]string{"wrap": "aes256-gcm96"}
	if policy == "keyholder" {
		keys["sign"] = "ed25519"
	}
	for name, kind := range keys {
		if _, err := c.Logical().WriteWithContext(ctx, "carnet-transit/keys/"+string(party)+"-"+name, map[string]any{"type": kind}); err != nil {
			return vaultclient.Config{}, err
		}
	}
	if err := c.Sys().PutPolicyWithContext(ctx, "carnet-"+string(party), policies.For(policy, party)); err != nil {
		return vaultclient.Config{}, err
	}
	return s.AppRole(ctx, Role{Name: string(party)}, "carnet-"+string(party), dir)
}

// Authority makes the PKI engine and its root where they are missing.
func (s *Server) Authority(ctx context.Context) error {
	c := s.Client()
	if err := mount(ctx, c, "carnet-pki", &api.MountInput{Type: "pki", Config: api.MountConfigInput{MaxLeaseTTL: "87600h"}}); err != nil {
		return err
	}
	if have, err := c.Logical().ListWithContext(ctx, "carnet-pki/issuers"); err != nil || have != nil {
		return err
	}
	_, err := c.Logical().WriteWithContext(ctx, "carnet-pki/root/generate/internal",
		map[string]any{"common_name": "Carnet network", "key_type": "ec", "key_bits": 256, "ttl": "87600h"})
	return err
}

// PartyRole lets certificates be issued that name one party and serve as client
// certificates.
func (s *Server) PartyRole(ctx context.Context, party carnet.PartyID, ttl string) error {
	_, err := s.Client().Logical().WriteWithContext(ctx, "carnet-pki/roles/"+string(party), map[string]any{
		"allowed_uri_sans": "carnet:party/" + string(party), "require_cn": false, "allow_localhost": false, "allow_ip_sans": false,
		"server_flag": false, "client_flag": true, "key_type": "ec", "key_bits": 256, "ttl": ttl, "max_ttl": "72h", "not_before_duration": "30s"})
	return err
}

// GatewayRole lets certificates be issued for a server on this machine.
func (s *Server) GatewayRole(ctx context.Context, name, ttl string) error {
	_, err := s.Client().Logical().WriteWithContext(ctx, "carnet-pki/roles/"+name, map[string]any{
		"allowed_domains": "localhost", "allow_bare_domains": true, "require_cn": false, "allow_ip_sans": true,
		"server_flag": true, "client_flag": false, "key_type": "ec", "key_bits": 256, "ttl": ttl, "max_ttl": "72h", "not_before_duration": "30s"})
	return err
}

// AppRole makes a role with a policy and writes role-id and secret-id into dir.
func (s *Server) AppRole(ctx context.Context, r Role, policy, dir string) (vaultclient.Config, error) {
	cfg := vaultclient.Config{Address: s.Addr, CA: s.CAFile, Auth: vaultclient.Auth{
		Method: "approle", RoleIDFile: filepath.Join(dir, "role-id"), SecretIDFile: filepath.Join(dir, "secret-id")}}
	c := s.Client()
	auths, err := c.Sys().ListAuthWithContext(ctx)
	if err != nil {
		return cfg, err
	}
	if auths["approle/"] == nil {
		if err := c.Sys().EnableAuthWithOptionsWithContext(ctx, "approle", &api.EnableAuthOptions{Type: "approle"}); err != nil {
			return cfg, err
		}
	}
	data := map[string]any{"token_policies": policy, "token_no_default_policy": true, "token_ttl": "10m"}
	if r.TTL != "" {
		data["token_ttl"] = r.TTL
	}
	if r.Max != "" {
		data["token_max_ttl"] = r.Max
	}
	role := "auth/approle/role/" + r.Name
	if _, err := c.Logical().WriteWithContext(ctx, role, data); err != nil {
		return cfg, err
	}
	id, err := c.Logical().ReadWithContext(ctx, role+"/role-id")
	if err != nil {
		return cfg, err
	}
	secret, err := c.Logical().WriteWithContext(ctx, role+"/secret-id", nil)
	if err != nil {
		return cfg, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cfg, err
	}
	for file, text := range map[string]any{"role-id": id.Data["role_id"], "secret-id": secret.Data["secret_id"]} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text.(string)), 0o600); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

func mount(ctx context.Context, c *api.Client, path string, in *api.MountInput) error {
	have, err := c.Sys().ListMountsWithContext(ctx)
	if err != nil || have[strings.Trim(path, "/")+"/"] != nil {
		return err
	}
	return c.Sys().MountWithContext(ctx, path, in)
}
