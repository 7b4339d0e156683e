// Package vaultserver starts a private Vault server, initialised, unsealed, with TLS and
// an audit file. Tests, the demo and developers use it; nothing else does.
//
// The program is a vault on the path, or the one that make vault builds into .bin.
package vaultserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/ident"
)

// Options say how a server is started. The zero value is a server in a temporary folder
// that is removed when it stops.
type Options struct {
	Dir     string // kept: a server started there again has what it had
	Plugins string // folder of plugins that may be registered
	Largest int64  // bytes of a request; 0: Vault's default, 32 MiB
}

// Server is a running server. Its fields do not change.
type Server struct {
	Dir       string
	Addr      string // https://127.0.0.1:…
	CAFile    string // of its certificate
	AuditFile string
	Token     string // the root token

	temporary bool
	key       string // the one unseal key
	log       string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// secrets is what a folder needs to be started again. This is a development server: its
// unseal key lies beside its data.
type secrets struct {
	Address string `json:"address"`
	Key     string `json:"unseal_key"`
	Token   string `json:"root_token"`
}

// Start starts a server and returns when it is unsealed.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	bin, err := Find()
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: o.Dir, temporary: o.Dir == ""}
	if s.temporary {
		if s.Dir, err = os.MkdirTemp("", "vault"); err != nil {
			return nil, err
		}
	} else if s.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	s.CAFile, s.AuditFile, s.log = s.file("ca.pem"), s.file("audit.log"), s.file("server.log")
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	known, err := s.prepare(o)
	if err != nil {
		return nil, err
	}
	if err := s.run(ctx, bin); err != nil {
		return nil, err
	}
	if known != nil {
		s.key, s.Token = known.Key, known.Token
		return s, s.Unseal(ctx)
	}
	return s, s.initialise(ctx)
}

func (s *Server) file(name string) string { return filepath.Join(s.Dir, name) }

// prepare makes certificate and configuration, and returns the secrets of a folder that
// was used before.
func (s *Server) prepare(o Options) (*secrets, error) {
	var known *secrets
	if b, err := os.ReadFile(s.file("secrets.json")); err == nil {
		known = &secrets{}
		if err := json.Unmarshal(b, known); err != nil {
			return nil, err
		}
		s.Addr = "https://" + known.Address
	}
	if known == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s.Addr = "https://" + l.Addr().String()
		l.Close()
		ca, err := ident.NewCA("Vault development", 365*24*time.Hour)
		if err != nil {
			return nil, err
		}
		cert, key, err := ca.IssueServer([]string{"127.0.0.1", "localhost"}, 365*24*time.Hour)
		if err != nil {
			return nil, err
		}
		if err := ident.WriteCert(s.Dir, "server", cert, key); err != nil {
			return nil, err
		}
		if err := os.WriteFile(s.CAFile, ca.PEM(), 0o644); err != nil {
			return nil, err
		}
	}
	return known, s.configure(o)
}

func (s *Server) configure(o Options) error {
	listener := map[string]any{"address": s.Addr[len("https://"):], "tls_cert_file": s.file("server.pem"), "tls_key_file": s.file("server-key.pem")}
	if o.Largest > 0 {
		listener["max_request_size"] = o.Largest
	}
	cfg := map[string]any{
		"storage":  map[string]any{"file": map[string]string{"path": s.file("data")}},
		"listener": map[string]any{"tcp": listener},
		"api_addr": s.Addr, "disable_mlock": true, "log_level": "warn",
	}
	if o.Plugins != "" {
		cfg["plugin_directory"] = o.Plugins
	}
	b, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.file("config.json"), b, 0o600)
}

// Reconfigure has the next start use other options; what is kept where stays.
func (s *Server) Reconfigure(o Options) error { return s.configure(o) }

// run starts the process and waits until it answers.
func (s *Server) run(ctx context.Context, bin string) error {
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd, done := exec.Command(bin, "server", "-config="+s.file("config.json")), make(chan struct{})
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, out, out
	cmd.SysProcAttr = child()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		endGroup(cmd.Process.Pid)
		close(done)
	}()
	s.mu.Lock()
	s.cmd, s.done = cmd, done
	s.mu.Unlock()
	c := s.Client()
	for {
		if _, err := c.Sys().SealStatusWithContext(ctx); err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("vault ended: %s", s.Log())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), errors.New("vault does not answer: "+s.Log()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) initialise(ctx context.Context) error {
	r, err := s.Client().Sys().InitWithContext(ctx, &api.InitRequest{SecretShares: 1, SecretThreshold: 1})
	if err != nil {
		return err
	}
	s.key, s.Token = r.KeysB64[0], r.RootToken
	b, err := json.Marshal(secrets{s.Addr[len("https://"):], s.key, s.Token})
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.file("secrets.json"), b, 0o600); err != nil {
		return err
	}
	if err := s.Unseal(ctx); err != nil {
		return err
	}
	return s.Client().Sys().EnableAuditWithOptionsWithContext(ctx, "file",
		&api.EnableAuditOptions{Type: "file", Options: map[string]string{"file_path": s.AuditFile, "mode": "0600"}})
}

// Client is a client with the root token that tries every call once.
func (s *Server) Client() *api.Client { return s.ClientWith(s.Token) }

// ClientWith is a client with another token.
func (s *Server) ClientWith(token string) *api.Client {
	cfg := api.DefaultConfig()
	cfg.Address, cfg.MaxRetries = s.Addr, 0
	if err := cfg.ConfigureTLS(&api.TLSConfig{CACert: s.CAFile}); err != nil {
		panic(err) // the file was written by this process
	}
	c, err := api.NewClient(cfg)
	if err != nil {
		panic(err) // the address too
	}
	c.ClearNamespace()
	c.SetToken(token)
	return c
}

// Seal seals the server: it answers, but serves nothing.
func (s *Server) Seal(ctx context.Context) error { return s.Client().Sys().SealWithContext(ctx) }

// Unseal unseals it and waits until it serves.
func (s *Server) Unseal(ctx context.Context) error {
	if _, err := s.Client().Sys().UnsealWithContext(ctx, s.key); err != nil {
		return err
	}
	for {
		if s.Unsealed(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Unsealed reports whether the server serves.
func (s *Server) Unsealed(ctx context.Context) bool {
	_, err := s.Client().Auth().Token().LookupSelfWithContext(ctx)
	return err == nil
}

// Kill ends the process at once; its data stay.
func (s *Server) Kill() { s.signal(syscall.SIGKILL) }

// Freeze stops the process without ending it: connections stay open and nothing
// answers. Thaw lets it go on.
func (s *Server) Freeze() error { return s.process().Signal(syscall.SIGSTOP) }

// Thaw is the end of Freeze.
func (s *Server) Thaw() error { return s.process().Signal(syscall.SIGCONT) }

func (s *Server) process() *os.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process
}

// Restart starts a server that was killed, sealed as Vault always starts.
func (s *Server) Restart(ctx context.Context) error {
	bin, err := Find()
	if err != nil {
		return err
	}
	return s.run(ctx, bin)
}

func (s *Server) signal(sig os.Signal) {
	s.mu.Lock()
	cmd, done := s.cmd, s.done
	s.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Signal(sig) // it may have ended
		<-done
	}
}

// Stop ends the server and removes its folder if it was a temporary one.
func (s *Server) Stop() {
	s.signal(syscall.SIGTERM)
	if s.temporary {
		_ = os.RemoveAll(s.Dir)
	}
}

// Log is the end of what the server printed.
func (s *Server) Log() string {
	b, _ := os.ReadFile(s.log)
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// Env are the variables that Vault's clients read.
func (s *Server) Env() []string {
	return []string{"VAULT_ADDR=" + s.Addr, "VAULT_CACERT=" + s.CAFile}
}
