package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	policies "github.com/carnet-network/carnet/policies/vault"
)

// as is the engine under a policy.
func (v *installed) as(t *testing.T, path, text string) vaultplugin.Mount {
	t.Helper()
	require.NoError(t, v.Client().Sys().PutPolicyWithContext(t.Context(), "tried", text+"\n"+`path "auth/token/lookup-self" { capabilities = ["read"] }`))
	s, err := v.Client().Auth().Token().CreateWithContext(t.Context(), &api.TokenCreateRequest{Policies: []string{"tried"}, NoDefaultPolicy: true})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(s.Auth.ClientToken), 0o600))
	c, err := vaultclient.Open(t.Context(), vaultclient.Config{Address: v.Addr, CA: v.CAFile, Auth: vaultclient.Auth{Method: "token", TokenFile: file}}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return vaultplugin.At(c, path)
}

// everything is all that a keyholder does with an engine.
func everything(t *testing.T, e vaultplugin.Mount) error {
	s, err := vaultplugin.New(t.Context(), e, policy)
	if err != nil {
		return err
	}
	n := keystest.NewNetwork(t, s.SealingKey(), carnet.LayoutRecords, 2, false)
	for _, d := range n.Dealings {
		if err := s.Accept(t.Context(), d, n.Sealed(d.Key)); err != nil {
			return err
		}
		if err := s.Held(t.Context(), d); err != nil {
			return err
		}
	}
	if _, err := n.Answer(t, s, n.Ask(`SELECT month, SUM(value) FROM trade GROUP BY month`), 0); err != nil {
		return err
	}
	r, parts, corrections := n.Cross(0)
	if _, err := n.AnswerCross(t, s, r, parts, corrections); err != nil {
		return err
	}
	change, _ := n.Select(s.SealingKey(), 1)
	r = n.Ask(`SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)`, change)
	if err := checkOf(t, s, r); err != nil {
		return err
	}
	h := n.Handing(0, "next")
	if _, err := s.HandOver(t.Context(), n.Dealings[0], h); err != nil {
		return err
	}
	m, _ := n.Move(0, h, s.SealingKey())
	if _, err := m.TakeOver(t, s, h, m.Sealed); err != nil {
		return err
	}
	if _, err := vaultplugin.List(t.Context(), e); err != nil {
		return err
	}
	return s.Destroy(t.Context(), carnet.KeyID{1})
}

func checkOf(t *testing.T, s keys.Sharer, r *keys.Release) error {
	session, err := s.Open(t.Context(), r)
	if err != nil {
		return err
	}
	defer session.Close()
	_, err = session.Check(t.Context())
	return err
}

// TestPolicy: what policies/vault/engine.hcl allows is enough, and nothing in it can be
// left out. Configuring the engine and approving buyers is not among it.
func TestPolicy(t *testing.T) {
	v := install(t, "v1.0.0")
	path := v.enable(t, "v1.0.0", keystest.NewPerson("buyer").Public())
	h := keystest.NewNetwork(t, v.sharer(t, path).SealingKey(), carnet.LayoutRecords, 2, false).Handing(0, "next")
	v.approve(t, path, h.Committee, h.Recipients)
	full := strings.ReplaceAll(policies.For("engine", "PARTY"), "carnet-keys-PARTY", path)
	e := v.as(t, path, full)
	require.NoError(t, everything(t, e))
	for _, p := range []string{"config", "buyers/thief", "owners/thief", "successors/" + strings.Repeat("0", 64)} {
		_, err := e.Write(t.Context(), p, map[string]any{"ticket_key": "", "signing_key": ""})
		require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(err), p)
		_, err = e.Read(t.Context(), p)
		require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(err), p)
	}

	capability := regexp.MustCompile(`"(read|update|delete|list)"`)
	at := capability.FindAllStringIndex(full, -1)
	require.Len(t, at, 9)
	for _, x := range slices.Backward(at) {
		less := full[:x[0]] + `"sudo"` + full[x[1]:]
		require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(everything(t, v.as(t, path, less))), "without %s of %s", full[x[0]:x[1]], full[max(0, x[0]-60):x[0]])
	}
}
