package vaultserver

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRestart: what was written is there after the server was killed and started again,
// sealed first.
func TestRestart(t *testing.T) {
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	s := New(t, Options{})
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, "some", `path "x" { capabilities = ["read"] }`))
	s.Kill()
	_, err := s.Client().Sys().SealStatusWithContext(ctx)
	require.Error(t, err)
	require.NoError(t, s.Restart(ctx))
	status, err := s.Client().Sys().SealStatusWithContext(ctx)
	require.NoError(t, err)
	require.True(t, status.Sealed)
	require.NoError(t, s.Unseal(ctx))
	_, err = s.Client().Sys().GetPolicyWithContext(ctx, "some")
	require.NoError(t, err)

	audit, err := os.ReadFile(s.AuditFile)
	require.NoError(t, err)
	require.Contains(t, string(audit), "sys/policies/acl/some")
	require.NotContains(t, string(audit), s.Token)
}

// TestFolder: a server started in the folder of another one continues it.
func TestFolder(t *testing.T) {
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	dir := filepath.Join(t.TempDir(), "vault")
	first := New(t, Options{Dir: dir})
	first.Stop()
	second := New(t, Options{Dir: dir})
	require.Equal(t, first.Token, second.Token)
	_, err := second.Client().Auth().Token().LookupSelfWithContext(ctx)
	require.NoError(t, err)
}
