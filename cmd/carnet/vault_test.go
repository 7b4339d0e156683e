package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// TestVaultScripts runs the sessions in testdata/vault with a real server. Dealing and
// publishing with keys in Vault are in docs/howto/vault.md, which is run, too.
func TestVaultScripts(t *testing.T) {
	server := vaultserver.New(t, vaultserver.Options{})
	background := func() context.Context {
		ctx, done := context.WithTimeout(context.Background(), time.Minute)
		t.Cleanup(done)
		return ctx
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "vault"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// provision HOME PARTY prepares Vault for a party and writes HOME/vault.yaml.
			"provision": func(ts *testscript.TestScript, _ bool, args []string) {
				home := ts.MkAbs(args[0])
				login, err := server.Provision(background(), "party", carnet.PartyID(args[1]), home)
				ts.Check(err)
				ts.Check(os.WriteFile(filepath.Join(home, "vault.yaml"), fmt.Appendf(nil,
					"address: %s\nca: %s\nauth:\n  method: approle\n  role_id_file: role-id\n  secret_id_file: secret-id\nkeystore:\n  name: %s\n",
					login.Address, login.CA, args[1]), 0o600))
			},
			"seal":   func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(server.Seal(background())) },
			"unseal": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(server.Unseal(background())) },
		},
	})
}
