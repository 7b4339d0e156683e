package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/audit"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// serve runs the server until it is interrupted. Like the real one it starts sealed.
func serve(args []string) error {
	c, l, err := readConfig(args)
	if err != nil {
		return err
	}
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.LevelFromString(c.LogLevel), Output: os.Stderr})
	storage, kind, err := c.storage(log)
	if err != nil {
		return err
	}
	engines := builtin()
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical: storage, StorageType: kind, Logger: log, DisableMlock: c.DisableMlock,
		BuiltinRegistry: engines, LogicalBackends: engines.secret, CredentialBackends: engines.auth,
		AuditBackends: map[string]audit.Factory{"file": audit.NewFileBackend},
		RedirectAddr:  c.APIAddr, PluginDirectory: c.PluginDirectory,
	})
	if err != nil {
		return err
	}
	defer core.Shutdown()
	ln, err := net.Listen("tcp", l.Address)
	if err != nil {
		return err
	}
	// Limits that are zero here are the defaults of the real server.
	srv := &http.Server{
		Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core,
			ListenerConfig: &configutil.Listener{Type: "tcp", MaxRequestSize: cmp.Or(l.Largest, int64(vaulthttp.DefaultMaxRequestSize))}}),
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.StandardLogger(nil), TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		end, done := context.WithTimeout(context.Background(), 2*time.Second)
		defer done()
		if srv.Shutdown(end) != nil {
			_ = srv.Close()
		}
	}()
	if err := srv.ServeTLS(ln, l.Cert, l.Key); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (c *config) storage(log hclog.Logger) (physical.Backend, string, error) {
	for kind, settings := range c.Storage {
		switch kind {
		case "file":
			b, err := file.NewFileBackend(settings, log)
			return b, kind, err
		case "inmem":
			b, err := inmem.NewTransactionalInmem(settings, log)
			return b, kind, err
		}
	}
	return nil, "", fmt.Errorf("the storage is file or inmem")
}
