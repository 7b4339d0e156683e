// Command vault is HashiCorp Vault's own core, storage and HTTP layer with the engines
// a keyholder uses, built from the module proxy without a change, for development and
// tests. It reads the configuration file of the real server (in JSON) and knows a few
// commands of the real command line, so that either program can be used where tests and
// documentation say vault.
//
// Vault is under the Business Source License. This program is built where it is used
// and never distributed; nothing of Carnet links it.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  vault server -config=FILE
  vault status
  vault operator init [-key-shares=1] [-key-threshold=1]
  vault operator unseal KEY | vault operator seal
  vault secrets enable [-path=PATH] [-version=N] [-plugin-version=V] TYPE
  vault secrets tune -plugin-version=V PATH
  vault plugin register -sha256=HASH [-version=V] [-command=FILE] secret NAME
  vault plugin reload -plugin=NAME
  vault auth enable [-path=PATH] TYPE
  vault audit enable file file_path=FILE
  vault policy write NAME FILE|-
  vault read [-field=NAME] PATH
  vault list PATH | vault delete PATH
  vault write [-field=NAME] [-wrap-ttl=TIME] [-f] PATH [KEY=VALUE|KEY=@FILE]...
  vault token create -policy=NAME [-period=TIME] [-field=token]
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		fmt.Print(usage)
		return nil
	}
	if args[0] == "server" {
		return serve(args[1:])
	}
	return command(args)
}
