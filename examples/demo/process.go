package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server that runs until it is stopped. Its output goes to a file.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
	err  error // valid once done is closed
}

// spawn starts a server of the demo.
func (d *demo) spawn(name, program string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(d.dir, name+".log"), done: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd = exec.Command(filepath.Join(d.bin, program), args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = childAttributes()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		if p.err = p.cmd.Wait(); p.err == nil {
			p.err = errors.New("exit code 0")
		}
		close(p.done)
	}()
	d.processes = append(d.processes, p)
	return p, nil
}

// alive reports whether the server still runs.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks the server to end, and ends it if it does not.
func (p *process) stop() {
	if !p.alive() {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// stopAll stops every server, clients of others first.
func (d *demo) stopAll() {
	var wg sync.WaitGroup
	for i, p := range d.processes {
		if i == 0 {
			continue // the gateway goes last
		}
		wg.Go(p.stop)
	}
	wg.Wait()
	if len(d.processes) > 0 {
		d.processes[0].stop()
	}
}

// tails prints the last lines of every server's log, to find out what went wrong.
func (d *demo) tails() {
	for _, p := range d.processes {
		data, err := os.ReadFile(p.log)
		if err != nil || len(data) == 0 {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		fmt.Fprintf(os.Stderr, "--- last lines of %s\n%s\n", p.name, strings.Join(lines[max(0, len(lines)-8):], "\n"))
	}
}

// commandError is a command that ended with another exit code than 0.
type commandError struct {
	line   string
	code   int
	stderr string
}

func (e *commandError) Error() string {
	return fmt.Sprintf("%s: exit code %d\n%s", e.line, e.code, strings.TrimSpace(e.stderr))
}

// carnet runs the command line tool in the name of whoever's home it is, and returns
// what it printed.
func (d *demo) carnet(home string, args ...string) (string, error) {
	return d.command(d.ctx, "carnet", append([]string{"--home", d.home(home)}, args...)...)
}

func (d *demo) home(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) command(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, program), args...)
	cmd.Env = append(os.Environ(), "CARNET_GATEWAY="+d.gateway)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = childAttributes()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stdout.String(), &commandError{program + " " + strings.Join(args, " "), exit.ExitCode(), stderr.String()}
	}
	return stdout.String(), err
}

// wait polls until ok says so.
func (d *demo) wait(what string, limit time.Duration, ok func() bool) error {
	deadline := time.Now().Add(limit)
	for !ok() {
		for _, p := range d.processes {
			if !p.alive() {
				return fmt.Errorf("%s ended: %w", p.name, p.err)
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain for %s", limit, what)
		}
		select {
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
