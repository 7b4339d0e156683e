package vaultserver

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// EngineName is the secrets engine's program, under which it is registered.
const EngineName = "vault-plugin-carnet"

// BuildEngine builds the secrets engine of this source tree into a plugin directory, as
// NAME-VERSION reporting that version, and returns its SHA-256.
func BuildEngine(ctx context.Context, dir, version string) (string, error) {
	src, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(src, "cmd", EngineName, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(src)
		if up == src {
			return "", fmt.Errorf("cmd/%s is not above the working directory", EngineName)
		}
		src = up
	}
	out := filepath.Join(dir, EngineName+"-"+version)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", out, ".")
	cmd.Dir, cmd.Env = filepath.Join(src, "cmd", EngineName), append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", EngineName, err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// RegisterEngine registers a build under a version.
func (s *Server) RegisterEngine(ctx context.Context, build, sum, version string) error {
	return s.Client().Sys().RegisterPluginWithContext(ctx, &api.RegisterPluginInput{Name: EngineName, Type: api.PluginTypeSecrets,
		Command: EngineName + "-" + build, SHA256: sum, Version: version})
}

// EnableEngine enables a registered version and configures it: whose tickets it takes,
// which buyers it answers to, and which owners may deal keys again.
func (s *Server) EnableEngine(ctx context.Context, path, version string, policy ed25519.PublicKey, buyers, owners map[carnet.PartyID]ed25519.PublicKey) error {
	c := s.Client()
	if err := c.Sys().MountWithContext(ctx, path, &api.MountInput{Type: EngineName, Config: api.MountConfigInput{PluginVersion: version}}); err != nil {
		return err
	}
	if _, err := c.Logical().WriteWithContext(ctx, path+"/config", map[string]any{"ticket_key": base64.StdEncoding.EncodeToString(policy)}); err != nil {
		return err
	}
	for kind, parties := range map[string]map[carnet.PartyID]ed25519.PublicKey{"buyers": buyers, "owners": owners} {
		for name, key := range parties {
			if _, err := c.Logical().WriteWithContext(ctx, path+"/"+kind+"/"+string(name), map[string]any{"signing_key": base64.StdEncoding.EncodeToString(key)}); err != nil {
				return err
			}
		}
	}
	return nil
}
