package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// TestVaultScripts runs the sessions in testdata/vault with a real server.
func TestVaultScripts(t *testing.T) {
	server := vaultserver.New(t, vaultserver.Options{})
	background := func() context.Context {
		ctx, done := context.WithTimeout(context.Background(), time.Minute)
		t.Cleanup(done)
		return ctx
	}
	// In folder DIR, prepare a party's Vault as docs/howto/vault.md does.
	provision := func(ts *testscript.TestScript, _ bool, args []string) {
		dir, party := ts.MkAbs(args[0]), args[1]
		login, err := server.Provision(background(), "keyholder", carnet.PartyID(party), dir)
		ts.Check(err)
		text := fmt.Sprintf("address: %s\nca: %s\nauth:\n  method: approle\n  role_id_file: role-id\n  secret_id_file: secret-id\nkeystore:\n  name: %s\n",
			login.Address, login.CA, party)
		ts.Check(os.WriteFile(filepath.Join(dir, "vault.yaml"), []byte(text), 0o600))
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "vault"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"provision": provision,
			// wrap DIR PARTY replaces the secret id by a wrapped one.
			"wrap": func(ts *testscript.TestScript, _ bool, args []string) {
				c := server.Client()
				c.SetWrappingLookupFunc(func(string, string) string { return "60s" })
				s, err := c.Logical().WriteWithContext(background(), "auth/approle/role/"+args[1]+"/secret-id", nil)
				ts.Check(err)
				ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "secret-id"), []byte(s.WrapInfo.Token), 0o600))
			},
			"seal":   func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(server.Seal(background())) },
			"unseal": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(server.Unseal(background())) },
			// deny PARTY takes all its permissions away.
			"deny": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(server.Client().Sys().PutPolicyWithContext(background(), "carnet-"+args[0], `path "sys/none" { capabilities = ["read"] }`))
			},
		},
	})
	audit, err := os.ReadFile(server.AuditFile)
	require.NoError(t, err)
	require.NotEmpty(t, audit)
	require.NotContains(t, string(audit), server.Token)
}
