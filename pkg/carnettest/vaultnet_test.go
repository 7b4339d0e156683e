package carnettest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
	policies "github.com/carnet-network/carnet/policies/vault"
)

// certificateLife is short, so that a test sees certificates renewed.
const certificateLife = "12s"

// vaultYAML writes a program's vault.yaml.
func vaultYAML(t *testing.T, file string, login vaultclient.Config, keystore vaultsecret.Config, c vaultclient.Certificates) {
	text, err := yaml.Marshal(struct {
		vaultclient.Config `yaml:",inline"`
		Keystore           *vaultsecret.Config      `yaml:"keystore,omitempty"`
		Certificates       vaultclient.Certificates `yaml:"certificates"`
	}{login, map[bool]*vaultsecret.Config{true: &keystore}[keystore.Name != ""], c})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
}

// gatewayInVault prepares the authority and returns the gateway's flags. Parties keep
// certificates of the development CA, which the gateway trusts beside Vault's.
func (r *realNetwork) gatewayInVault(t *testing.T) []string {
	ctx := Context(t)
	require.NoError(t, r.vault.Authority(ctx))
	got, err := r.vault.Client().Logical().ReadWithContext(ctx, "carnet-pki/cert/ca")
	require.NoError(t, err)
	root := []byte(got.Data["certificate"].(string))
	require.True(t, r.certs.pool.AppendCertsFromPEM(root))
	require.NoError(t, os.WriteFile(r.file("peers.pem"), bytes.Join([][]byte{r.certs.ca.PEM(), root}, []byte("\n")), 0o600))
	require.NoError(t, r.vault.GatewayRole(ctx, "gateway", certificateLife))
	require.NoError(t, r.vault.Client().Sys().PutPolicyWithContext(ctx, "carnet-gateway", policies.For("gateway", "gateway")))
	login, err := r.vault.AppRole(ctx, vaultserver.Role{Name: "gateway"}, "carnet-gateway", r.file("gateway-login"))
	require.NoError(t, err)
	vaultYAML(t, r.file("gateway-vault.yaml"), login, vaultsecret.Config{},
		vaultclient.Certificates{Role: "gateway", Hosts: []string{"127.0.0.1"}, Revoked: true, Peers: r.file("peers.pem")})
	return []string{"--vault", r.file("gateway-vault.yaml")}
}

func (r *realNetwork) keyholderInVault(t *testing.T, k *Keyholder) {
	login, err := r.vault.Provision(Context(t), "keyholder", k.Party, k.Dir)
	require.NoError(t, err)
	require.NoError(t, r.vault.PartyRole(Context(t), k.Party, certificateLife))
	vaultYAML(t, filepath.Join(k.Dir, "vault.yaml"), login, vaultsecret.Config{Name: string(k.Party)}, vaultclient.Certificates{Role: string(k.Party)})
}

// Rule: with keys and certificates in Vault the network works as with files, over
// renewals of every certificate and kill -9 of everything; no secret is in arguments,
// logs or files.
func TestVaultNetworkOfProcesses(t *testing.T) {
	server := vaultserver.New(t, vaultserver.Options{})
	r := startRealWith(t, server)
	s := ParseSchema(t, tradeYAML)
	var sets []*Dataset
	for i, o := range r.Owners {
		sets = append(sets, r.Publish(t, Publication{Owner: o.ID, Name: "cube", Schema: s, Layout: carnet.LayoutCube, CSV: trade(i)}))
	}
	r.Product(t, "cube", sets...)
	ask := func() [][]string {
		got, err := r.openReal(t, r.Submit(t, "buyer", "cube", linearQuery))
		require.NoError(t, err)
		require.Empty(t, got.Liars)
		return Rows(got.Result)
	}
	want := ask()
	log := func(p *process) []byte {
		b, err := os.ReadFile(p.log)
		require.NoError(t, err)
		return b
	}
	for _, k := range r.keyholders {
		Eventually(t, "a renewed certificate", time.Minute, func() bool { return bytes.Contains(log(k), []byte("certificate renewed")) })
	}
	require.Equal(t, want, ask())
	for _, p := range append(r.keyholders, r.gateway) { // all connections are made anew
		p.kill(t)
	}
	r.startGateway(t)
	for _, k := range r.keyholders {
		k.start(t)
	}
	require.Equal(t, want, ask())
	charges := map[carnet.KeyID]int64{}
	for _, d := range sets {
		charges[d.Key.Key] = r.Keyholders[0].Charged(t, d.Key.Key)
	}
	r.nothingDoubled(t, charges)

	secrets := map[string][]byte{"the root token": []byte(server.Token), "a token": []byte("hvs.")}
	for _, dir := range []string{r.Keyholders[0].Dir, r.Keyholders[1].Dir, r.Keyholders[2].Dir, r.file("gateway-login")} {
		b, err := os.ReadFile(filepath.Join(dir, "secret-id"))
		require.NoError(t, err)
		secrets["the secret id of "+dir] = b
	}
	for _, k := range r.Keyholders {
		for i, seed := range r.seedsOf(t, k) {
			secrets[fmt.Sprintf("seeds %d of %s, raw", i, k.Party)] = seed
			secrets[fmt.Sprintf("seeds %d of %s, hexadecimal", i, k.Party)] = []byte(hex.EncodeToString(seed))
			secrets[fmt.Sprintf("seeds %d of %s, base64", i, k.Party)] = []byte(base64.StdEncoding.EncodeToString(seed))
		}
	}
	nowhere := func(where string, text []byte) {
		t.Helper()
		for what, secret := range secrets {
			require.False(t, bytes.Contains(text, secret), "%s is in %s", what, where)
		}
	}
	audit, err := os.ReadFile(server.AuditFile)
	require.NoError(t, err)
	require.Contains(t, string(audit), "carnet/data/kh1/keys", "it was written")
	nowhere("the audit file", audit)
	nowhere("Vault's log", []byte(server.Log()))
	for _, k := range r.Keyholders {
		for _, name := range []string{"ledger.db", "ledger.db-wal", "party.json", "vault.yaml"} {
			b, err := os.ReadFile(filepath.Join(k.Dir, name))
			if name != "ledger.db-wal" {
				require.NoError(t, err)
			}
			nowhere(string(k.Party)+"'s "+name, b)
		}
	}
	for _, p := range append(r.keyholders, r.gateway) {
		look := map[string][]byte{"the log": log(p), "the arguments": []byte(fmt.Sprint(p.args))}
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid)); err == nil {
			look["the arguments that the system shows"] = b
		}
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.cmd.Process.Pid)); err == nil {
			look["the environment that the system shows"] = b
		}
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.cmd.Process.Pid)); err == nil && p != r.gateway {
			require.Regexp(t, `Max core file size\s+0\s+0`, string(b), p.name)
		}
		for where, text := range look {
			nowhere(where+" of "+p.name, text)
		}
	}
	for _, k := range r.Keyholders {
		require.NoFileExists(t, filepath.Join(k.Dir, "keystore.age"))
		found, err := filepath.Glob(filepath.Join(k.Dir, "*.pem"))
		require.NoError(t, err)
		require.Empty(t, found, "certificates and their keys are in memory only")
	}
}

// seedsOf reads what a keyholder keeps in Vault, as it does: every seed of every bundle.
func (r *realNetwork) seedsOf(t *testing.T, k *Keyholder) (seeds [][]byte) {
	login, err := r.vault.Provision(Context(t), "keyholder", k.Party, t.TempDir())
	require.NoError(t, err)
	c, err := vaultclient.Open(Context(t), login, nil)
	require.NoError(t, err)
	defer c.Close()
	s, err := vault.Open(Context(t), c, vaultsecret.Config{Name: string(k.Party)})
	require.NoError(t, err)
	defer s.Close()
	held, err := s.List(Context(t))
	require.NoError(t, err)
	for _, key := range held {
		plain, err := s.Get(Context(t), key)
		require.NoError(t, err)
		b, err := share.ParseBundle(plain)
		require.NoError(t, err)
		for _, seed := range b.Seeds {
			seeds = append(seeds, bytes.Clone(seed[:]))
		}
	}
	require.NotEmpty(t, seeds)
	return seeds
}
