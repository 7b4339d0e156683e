package vault_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
	policies "github.com/carnet-network/carnet/policies/vault"
)

// permission is one capability on one path of a policy.
type permission struct{ path, capability string }

var rule = regexp.MustCompile(`(?m)^path "([^"]+)" \{ capabilities = \[([^]]+)\] \}$`)

func parsePolicy(t *testing.T, text string) (out []permission) {
	for _, m := range rule.FindAllStringSubmatch(text, -1) {
		for c := range strings.SplitSeq(m[2], ",") {
			out = append(out, permission{m[1], strings.Trim(c, ` "`)})
		}
	}
	require.Equal(t, strings.Count(text, "\npath "), len(rule.FindAllString(text, -1)), "every rule is on one line")
	return out
}

func without(all []permission, leave int) string {
	caps, order := map[string][]string{}, []string{}
	for i, p := range all {
		if _, seen := caps[p.path]; !seen {
			order = append(order, p.path)
			caps[p.path] = nil
		}
		if i != leave {
			caps[p.path] = append(caps[p.path], `"`+p.capability+`"`)
		}
	}
	var b strings.Builder
	for _, path := range order {
		if len(caps[path]) > 0 {
			fmt.Fprintf(&b, "path %q { capabilities = [%s] }\n", path, strings.Join(caps[path], ", "))
		}
	}
	return b.String()
}

// everything does all that a keyholder does with Vault, and returns the first error.
func everything(t *testing.T, login vaultclient.Config, cfg vaultsecret.Config) error {
	ctx := background(t)
	c, err := vaultclient.Open(ctx, login, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Renew(ctx); err != nil {
		return err
	}
	if _, err := vault.Create(ctx, c, cfg, rand.Reader); err != nil {
		return err
	}
	store, err := vault.Open(ctx, c, cfg)
	if err != nil {
		return err
	}
	sealed, err := seal.Seal(store.SealingKey(), []byte("info"), []byte("seeds"))
	if err != nil {
		return err
	}
	bundle, err := store.Unseal(ctx, []byte("info"), sealed)
	if err != nil {
		return err
	}
	if err := store.Put(ctx, key(1), bundle); err != nil {
		return err
	}
	if _, err := store.Get(ctx, key(1)); err != nil {
		return err
	}
	if list, err := store.List(ctx); err != nil || len(list) != 1 {
		return fmt.Errorf("%d keys are listed: %w", len(list), err)
	}
	if err := store.Destroy(ctx, key(1)); err != nil {
		return err
	}
	for size := range int64(2) {
		if err := store.Mark(ctx, carnet.Checkpoint{Size: size + 1}); err != nil {
			return err
		}
	}
	if _, err = store.Signer().Sign([]byte("message")); err != nil {
		return err
	}
	if next, err := store.Draw(ctx, false, true); err != nil {
		return err
	} else if err := store.Adopt(ctx, next.Signer.Public(), next.SealingKey); err != nil {
		return err
	}
	if err := store.Forget(ctx); err != nil {
		return err
	}
	_, err = c.Certificate(ctx, vaultclient.Certificates{Role: cfg.Name, Party: carnet.PartyID(cfg.Name)})
	return err
}

// everythingOfParty does all that an owner or buyer does.
func everythingOfParty(t *testing.T, login vaultclient.Config, cfg vaultsecret.Config) error {
	ctx := background(t)
	c, err := vaultclient.Open(ctx, login, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Renew(ctx); err != nil {
		return err
	}
	f, err := vaultsecret.NewFiles(c, cfg)
	if err != nil {
		return err
	}
	for _, name := range []string{"identity", "trade"} {
		if err := f.Write(ctx, name, []byte("seed")); err != nil {
			return err
		}
		if _, err := f.Read(ctx, name); err != nil {
			return err
		}
	}
	if err := f.WriteNext(ctx, "identity", []byte("another")); err != nil {
		return err
	}
	if err := f.Replace(ctx, "identity"); err != nil {
		return err
	}
	_, err = c.Certificate(ctx, vaultclient.Certificates{Role: cfg.Name, Party: carnet.PartyID(cfg.Name)})
	return err
}

// TestPolicyIsExactlyEnough: with the policy of a keyholder, and of a party, everything
// works; without any single capability of it something does not.
func TestPolicyIsExactlyEnough(t *testing.T) {
	t.Run("keyholder", func(t *testing.T) { exactlyEnough(t, "keyholder", everything) })
	t.Run("party", func(t *testing.T) { exactlyEnough(t, "party", everythingOfParty) })
}

func exactlyEnough(t *testing.T, role string, everything func(*testing.T, vaultclient.Config, vaultsecret.Config) error) {
	s := vaultserver.Shared(t)
	text := policies.For(role, "PARTY")
	all := parsePolicy(t, text)
	require.Greater(t, len(all), 5)
	for leave := -1; leave < len(all); leave++ {
		name, party := "all", carnet.PartyID(fmt.Sprintf("%s%d", role, leave+1))
		if leave >= 0 {
			name = all[leave].capability + " " + all[leave].path
		}
		t.Run(name, func(t *testing.T) {
			login, err := s.Provision(background(t), role, party, t.TempDir())
			require.NoError(t, err)
			require.NoError(t, s.Authority(background(t)))
			require.NoError(t, s.PartyRole(background(t), party, "1h"))
			policy := strings.ReplaceAll(without(all, leave), "PARTY", string(party))
			require.NoError(t, s.Client().Sys().PutPolicyWithContext(background(t), "carnet-"+string(party), policy))
			err = everything(t, login, vaultsecret.Config{Name: string(party)})
			if leave < 0 {
				require.NoError(t, err)
				return
			}
			require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(err), "nothing needs it: %v", err)
		})
	}
}

// TestOtherPartysPaths: a keyholder's token can do nothing at all with another's
// secrets, whatever the path and the request.
func TestOtherPartysPaths(t *testing.T) {
	s := vaultserver.Shared(t)
	_, victim, theirs := fresh(t, s)
	ctx := background(t)
	require.NoError(t, victim.Put(ctx, key(1), []byte("seeds")))
	dir := t.TempDir()
	login, err := s.Provision(ctx, "keyholder", "curious", dir)
	require.NoError(t, err)
	id, err := os.ReadFile(filepath.Join(dir, "role-id"))
	require.NoError(t, err)
	secret, err := os.ReadFile(login.Auth.SecretIDFile)
	require.NoError(t, err)
	got, err := s.ClientWith("").Logical().WriteWithContext(ctx, "auth/approle/login", map[string]any{"role_id": string(id), "secret_id": string(secret)})
	require.NoError(t, err)
	l := s.ClientWith(got.Auth.ClientToken).Logical()
	for _, p := range parsePolicy(t, policies.For("keyholder", carnet.PartyID(theirs.Name))) {
		if strings.HasPrefix(p.path, "auth/token/") {
			continue
		}
		path := strings.ReplaceAll(p.path, "*", key(1).String())
		_, readErr := l.ReadWithContext(ctx, path)
		_, listErr := l.ListWithContext(ctx, path)
		_, writeErr := l.WriteWithContext(ctx, path, map[string]any{"data": map[string]any{}, "plaintext": "", "versions": []int{1}})
		_, deleteErr := l.DeleteWithContext(ctx, path)
		for op, err := range map[string]error{"read": readErr, "list": listErr, "write": writeErr, "delete": deleteErr} {
			require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(vaultclient.Explain(op, err)), "%s %s: %v", op, path, err)
		}
	}
	// Nor may it take its own signing key out, or another policy.
	for _, path := range []string{"carnet-transit/export/signing-key/curious-sign", "carnet-transit/backup/curious-sign", "sys/policies/acl/carnet-curious"} {
		_, err := l.ReadWithContext(ctx, path)
		require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(vaultclient.Explain(path, err)), path)
	}
	_, err = l.WriteWithContext(ctx, "carnet-transit/keys/curious-sign/config", map[string]any{"exportable": true})
	require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(vaultclient.Explain("config", err)))
}
