// Command vaultdev runs a Vault server for development until it is interrupted, with
// TLS, unsealed, with an audit file; make vault-start calls it. It keeps its data, and
// beside them its unseal key: nothing of value belongs into it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/carnet-network/carnet/internal/vaultserver"
)

func main() {
	dir := flag.String("dir", "vault-dev", "folder of its data, made if absent")
	env := flag.String("env", "", "also write the exports to this file")
	plugins := flag.String("plugins", "", "folder of plugins that may be registered")
	flag.Parse()
	if err := run(*dir, *env, *plugins); err != nil {
		fmt.Fprintln(os.Stderr, "vaultdev:", err)
		os.Exit(1)
	}
}

func run(dir, env, plugins string) error {
	if a := os.Getenv("VAULT_ADDR"); a != "" {
		fmt.Printf("VAULT_ADDR is set: %s is used, nothing is started\n", a)
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if plugins != "" {
		var err error
		if plugins, err = filepath.Abs(plugins); err != nil {
			return err
		}
	}
	start, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	s, err := vaultserver.Start(start, vaultserver.Options{Dir: dir, Plugins: plugins})
	if err != nil {
		return err
	}
	defer s.Stop()
	// The token goes to a file, not to the screen.
	token := filepath.Join(s.Dir, "root-token")
	if err := os.WriteFile(token, []byte(s.Token), 0o600); err != nil {
		return err
	}
	exports := fmt.Sprintf("export VAULT_ADDR=%s VAULT_CACERT=%s VAULT_TOKEN=$(cat %s)\n", s.Addr, s.CAFile, token)
	fmt.Print(exports)
	fmt.Printf("audit file: %s\nctrl-C stops it; make vault-start goes on with the same data\n", s.AuditFile)
	if env != "" {
		tmp := env + ".new"
		if err := os.WriteFile(tmp, []byte(exports), 0o600); err != nil {
			return err
		}
		if err := os.Rename(tmp, env); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}
