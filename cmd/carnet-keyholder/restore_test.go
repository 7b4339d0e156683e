package main

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

// Keys in Vault may be newer than a backup: then the registered statement, put into the
// directory, takes the place of the one in the backup. Any other is refused.
func TestRestoreABackupFromBeforeARotation(t *testing.T) {
	store, err := keystest.NewMemory(rand.Reader)
	require.NoError(t, err)
	backup, target := dirFlag{Dir: t.TempDir()}, dirFlag{Dir: t.TempDir()}
	first := carnet.Party{ID: "ch", Name: "Customs", Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleKeyholder},
		SigningKey: store.Signer().Public(), SealingKey: store.SealingKey(), Created: now()}
	env, err := evidence.Seal(carnet.TypeParty, first, store.Signer())
	require.NoError(t, err)
	require.NoError(t, command.WriteStatement(backup.party(), env))
	next, err := store.Draw(t.Context(), true, true)
	require.NoError(t, err)
	rotate := rotateCmd{storeFlags: storeFlags{dirFlag: target}}
	require.NoError(t, rotate.prepare(&first, env.Hash(), store.Signer(), next))
	require.NoError(t, store.Adopt(t.Context(), next.Signer.Public(), next.SealingKey))
	registered, err := os.ReadFile(target.nextParty())
	require.NoError(t, err)

	c := &restoreCmd{storeFlags: storeFlags{dirFlag: target}}
	require.NoError(t, os.Remove(target.nextParty()))
	_, err = c.restoredParty(backup.Dir, store)
	require.Equal(t, "FOREIGN_PARTY_STATEMENT", carnet.ReasonOf(err))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Remedy, target.nextParty())
	require.NoError(t, command.WriteStatement(target.nextParty(), env))
	_, err = c.restoredParty(backup.Dir, store)
	require.Equal(t, "FOREIGN_PARTY_STATEMENT", carnet.ReasonOf(err))
	require.NoError(t, os.WriteFile(target.nextParty(), registered, 0o600))
	p, err := c.restoredParty(backup.Dir, store)
	require.NoError(t, err)
	require.Equal(t, []byte(next.Signer.Public()), p.SigningKey)
	now, err := os.ReadFile(backup.party())
	require.NoError(t, err)
	require.Equal(t, registered, now)
}
