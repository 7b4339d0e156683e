// Package postgres starts an installed PostgreSQL as a private server, in a temporary
// folder and on a Unix socket only, and asks it through psql. Tests and benchmarks
// compare with it; nothing else needs it.
package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrNotInstalled says that there are no server programs on this machine.
var ErrNotInstalled = errors.New("PostgreSQL is not installed: initdb, postgres and psql are needed")

// Server is a running server with one empty database.
type Server struct {
	dir  string
	bin  string // folder of the programs
	psql string
	cmd  *exec.Cmd
	log  bytes.Buffer
	done chan struct{} // closed when the server has ended
	err  error         // how, then
	once sync.Once
	user string
	args []string

	mu        sync.Mutex
	databases int // made so far
}

// Start starts a server. Settings are lines of its configuration, such as
// "max_parallel_workers_per_gather = 0". It keeps nothing safe from a crash unless they
// say so: fsync is off. The superuser of the system is not allowed to run it, so its programs then run
// as the user postgres or nobody.
func Start(ctx context.Context, settings ...string) (_ *Server, err error) {
	s := &Server{done: make(chan struct{}), user: "bench"}
	if s.bin, s.psql, err = programs(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if err := handOver(s.dir); err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	init := s.command(ctx, "initdb", "-D", data, "-U", s.user, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	args := []string{"-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"}
	for _, line := range settings {
		args = append(args, "-c", strings.ReplaceAll(line, " ", ""))
	}
	s.args = args
	return s, s.start(ctx)
}

func (s *Server) start(ctx context.Context) error {
	s.done = make(chan struct{})
	s.cmd = s.command(context.Background(), "postgres", s.args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		close(s.done)
		return fmt.Errorf("postgres: %w", err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		s.err = cmd.Wait()
		close(done)
	}(s.cmd, s.done)
	return s.ready(ctx)
}

// Kill ends the server as a crash does; its folder stays.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil { // at once, and its children with it
		return err
	}
	<-s.done
	return nil
}

// Again starts a server that was killed.
func (s *Server) Again(ctx context.Context) error { return s.start(ctx) }

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	for {
		if _, err := s.Query(ctx, "SELECT 1"); err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("postgres ended: %w: %s", s.err, bytes.TrimSpace(s.log.Bytes()))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() {
	s.once.Do(func() {
		if s.cmd != nil && s.cmd.Process != nil {
			_ = s.cmd.Process.Signal(syscall.SIGINT) // fast shutdown; it may have ended
			<-s.done
		}
		_ = os.RemoveAll(s.dir) // what is left is in a temporary folder
	})
}

// Env is how psql and its like find the server, as its administrator.
func (s *Server) Env() []string { return []string{"PGHOST=" + s.dir, "PGUSER=" + s.user} }

// Version is what the server calls itself.
func (s *Server) Version(ctx context.Context) (string, error) {
	rows, err := s.Query(ctx, "SHOW server_version")
	if err != nil || len(rows) != 1 {
		return "", err
	}
	return "PostgreSQL " + strings.Fields(rows[0][0])[0], nil
}

// Query runs a statement and returns its rows as text; NULL is empty.
func (s *Server) Query(ctx context.Context, sql string) ([][]string, error) {
	out, err := s.run(ctx, nil, "-A", "-t", "-F", "\x1f", "-c", sql)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for line := range strings.Lines(out) {
		rows = append(rows, strings.Split(strings.TrimRight(line, "\n"), "\x1f"))
	}
	return rows, nil
}

// Script runs a script of statements and commands of psql and returns what it prints.
func (s *Server) Script(ctx context.Context, script string, args ...string) (string, error) {
	return s.run(ctx, strings.NewReader(script), append(args, "-f", "-")...)
}

// Copy reads rows into a table; the statement is COPY ... FROM STDIN.
func (s *Server) Copy(ctx context.Context, statement string, rows io.Reader) error {
	_, err := s.run(ctx, rows, "-c", statement)
	return err
}

// Time runs a statement once to warm up and then a number of times in one session,
// and returns the shortest time and what the statement returned.
func (s *Server) Time(ctx context.Context, sql string, times int) (time.Duration, string, error) {
	script := sql + ";\n\\timing on\n" + strings.Repeat(sql+";\n", times)
	out, err := s.run(ctx, strings.NewReader(script), "-A", "-t", "-f", "-")
	if err != nil {
		return 0, "", err
	}
	var all []time.Duration
	first := ""
	for line := range strings.Lines(out) {
		text, is := strings.CutPrefix(line, "Time: ")
		if !is {
			if len(all) == 0 && first == "" {
				first = strings.TrimSpace(line)
			}
			continue
		}
		ms, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
		if err != nil {
			return 0, "", fmt.Errorf("psql: %q is not a time", line)
		}
		all = append(all, time.Duration(ms*float64(time.Millisecond)))
	}
	if len(all) == 0 {
		return 0, "", errors.New("psql reported no time")
	}
	return slices.Min(all), first, nil
}

// run runs psql, which stops at the first error.
func (s *Server) run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	args = append([]string{"-h", s.dir, "-U", s.user, "-d", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1"}, args...)
	cmd := exec.CommandContext(ctx, s.psql, args...)
	cmd.Stdin = stdin
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = unprivileged()
	return cmd
}

// programs finds the server's programs: on the path, or where Debian keeps them, the
// newest first.
func programs() (bin, psql string, err error) {
	if psql, err = exec.LookPath("psql"); err != nil {
		return "", "", ErrNotInstalled
	}
	if at, err := exec.LookPath("postgres"); err == nil {
		if at, err = filepath.EvalSymlinks(at); err == nil && exists(filepath.Join(filepath.Dir(at), "initdb")) {
			return filepath.Dir(at), psql, nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	for _, at := range slices.Backward(found) {
		if exists(filepath.Join(filepath.Dir(at), "postgres")) {
			return filepath.Dir(at), psql, nil
		}
	}
	return "", "", ErrNotInstalled
}

// Installed reports whether there is a server to start.
func Installed() bool {
	_, _, err := programs()
	return err == nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
