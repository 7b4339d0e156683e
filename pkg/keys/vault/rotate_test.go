package vault_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys/vault"
)

// Rule (forward secrecy): versions of the entry that have a replaced sealing key are gone
// when it counts as forgotten, whatever the change was interrupted by.
func TestForgottenKeysLeaveNoVersion(t *testing.T) {
	s := vaultserver.Shared(t)
	c, store, cfg := fresh(t, s)
	ctx := background(t)
	kv, place := s.Client().KVv2("carnet"), cfg.Name+"/sealing"
	gone := func(version int) bool {
		t.Helper()
		old, err := kv.GetVersion(ctx, place, version)
		require.NoError(t, err)
		return old.VersionMetadata.Destroyed
	}
	next, err := store.Draw(ctx, false, true)
	require.NoError(t, err)
	require.NoError(t, store.Adopt(ctx, next.Signer.Public(), next.SealingKey))
	newest, err := kv.Get(ctx, place)
	require.NoError(t, err)
	had := newest.VersionMetadata.Version

	// Vault takes the change, and not that the old versions are destroyed.
	policy := "carnet-" + cfg.Name
	text, err := s.Client().Sys().GetPolicyWithContext(ctx, policy)
	require.NoError(t, err)
	require.NotEmpty(t, text)
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, policy, text+fmt.Sprintf("\npath \"carnet/destroy/%s\" { capabilities = [\"deny\"] }\n", place)))
	require.Error(t, store.Forget(ctx))
	require.Equal(t, 1, store.Replaced(), "so that it is tried again")
	require.False(t, gone(had))
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, policy, text))
	require.NoError(t, store.Forget(ctx))
	require.Zero(t, store.Replaced())
	require.True(t, gone(had))

	// A stop between the two.
	newest, err = kv.Get(ctx, place)
	require.NoError(t, err)
	_, err = kv.Put(ctx, place, newest.Data)
	require.NoError(t, err)
	require.False(t, gone(newest.VersionMetadata.Version))
	again, err := vault.Open(ctx, c, cfg)
	require.NoError(t, err)
	require.True(t, gone(newest.VersionMetadata.Version))
	require.Equal(t, next.SealingKey, again.SealingKey())
	require.Equal(t, "", carnet.ReasonOf(again.Close()))
}
