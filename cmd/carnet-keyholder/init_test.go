package main

import (
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

// Lost keys are replaced, and nothing else: with other roles the statement would be refused.
func TestAStatementAboutLostKeysKeepsTheRoles(t *testing.T) {
	store, err := keystest.NewMemory(rand.Reader)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "party.json")
	write := func(roles ...carnet.Role) carnet.Hash {
		env, err := evidence.Seal(carnet.TypeParty, carnet.Party{ID: "ch", Name: "Customs", Jurisdiction: "CH", Roles: roles, SigningKey: store.Signer().Public(), Created: now()}, store.Signer())
		require.NoError(t, err)
		require.NoError(t, command.WriteStatement(file, env))
		return env.Hash()
	}
	c := &initCmd{Party: "ch", Name: "Customs, new", Jurisdiction: "CH", Lost: file}
	h := write(carnet.RoleKeyholder, carnet.RoleAuditor)
	p, err := c.statement()
	require.NoError(t, err)
	require.Equal(t, []carnet.Role{carnet.RoleKeyholder, carnet.RoleAuditor}, p.Roles)
	require.Equal(t, &h, p.Replaces)
	require.True(t, p.ReplacesLost)

	write(carnet.RoleOwner)
	_, err = c.statement()
	require.Equal(t, "PARTY_CHANGED", carnet.ReasonOf(err))
	c.Lost = ""
	p, err = c.statement()
	require.NoError(t, err)
	require.Nil(t, p.Replaces)
}
