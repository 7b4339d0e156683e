// Command vault-plugin-carnet is a secrets engine for HashiCorp Vault that keeps a
// keyholder's part seeds. Vault starts it; by hand it only tells its version.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/sdk/plugin"

	"github.com/carnet-network/carnet/cmd/vault-plugin-carnet/internal/engine"
)

// version is what the engine reports to Vault, which compares it with the version it was
// registered with. Release builds set it: -ldflags "-X main.version=v1.2.3".
var version = "v0.1.0"

func main() {
	if err := run(os.Args[1:]); err != nil {
		hclog.New(&hclog.LoggerOptions{}).Error("vault-plugin-carnet stops", "error", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 1 && slices.Contains([]string{"-version", "--version", "version"}, args[0]) {
		fmt.Println(version)
		return nil
	}
	// A core file would hold seeds. Vault asks for locked memory by itself where it has it.
	if err := forbidCoreDumps(); err != nil {
		return err
	}
	meta := &api.PluginAPIClientMeta{}
	flags := meta.FlagSet()
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	return plugin.ServeMultiplex(&plugin.ServeOpts{
		BackendFactoryFunc: engine.Factory(version),
		TLSProviderFunc:    api.VaultPluginTLSProvider(meta.GetTLSConfig()),
	})
}
