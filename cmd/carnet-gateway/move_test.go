package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/filelock"
	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/store"
)

func TestMoveStoreRefuses(t *testing.T) {
	data := t.TempDir()
	for to, reason := range map[string]string{
		"elsewhere": "BAD_STORE",
		"postgres://u@db.example/carnet?sslmode=disable": "STORE_EXPOSED",
		"sqlite": "BAD_STORE", // it is there
		"postgres://u@127.0.0.1:1/carnet?sslmode=disable": "NOT_FOUND",
	} {
		code, _, errs := runCommand("move-store", "--data", data, "--to", to)
		require.NotZero(t, code)
		require.Contains(t, errs, reason, to)
	}
	release, err := filelock.Take(filepath.Join(data, "gateway.lock"))
	require.NoError(t, err)
	defer release()
	_, _, errs := runCommand("move-store", "--data", data, "--to", "sqlite")
	require.Contains(t, errs, "DATA_IN_USE")
}

func TestMoveStore(t *testing.T) {
	data, address := t.TempDir(), postgres.Fresh(t)
	code, _, errs := runCommand("migrate", "--data", data)
	require.Zero(t, code, errs)
	code, out, errs := runCommand("move-store", "--data", data, "--to", address)
	require.Zero(t, code, errs)
	require.Contains(t, out, "were copied from "+filepath.Join(data, "gateway.db")+" to postgres://")
	require.Empty(t, errs, "progress is for terminals")
	code, out, errs = runCommand("move-store", "--data", filepath.Join(data, "other"), "--store", address, "--to", "sqlite", "--json")
	require.Zero(t, code, errs)
	var says struct {
		From, To string
		Rows     int64
		Tables   []store.Moved
	}
	require.NoError(t, json.Unmarshal([]byte(out), &says), out)
	require.Equal(t, filepath.Join(data, "other", "gateway.db"), says.To)
	require.NotEmpty(t, says.Tables)
	require.FileExists(t, filepath.Join(data, "other", "gateway.db"))
}
