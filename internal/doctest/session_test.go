//go:build unix

package doctest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mark precedes the output of each block.
const mark = "@@doctest "

// session is one bash that runs the blocks of a page.
type session struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    string // file with everything printed
	done   chan struct{}
	err    error // of the bash; valid once done is closed
	parent int   // process group, which the background processes share
}

// start runs a script. Background processes of the script live until the test ends.
func start(t *testing.T, dir, name, script string, env []string) *session {
	t.Helper()
	file := filepath.Join(dir, name+".sh")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	s := &session{t: t, out: filepath.Join(dir, name+".out"), done: make(chan struct{})}
	out, err := os.Create(s.out)
	require.NoError(t, err)
	defer out.Close()
	s.cmd = exec.Command("bash", file)
	s.cmd.Stdout, s.cmd.Stderr = out, out // files, so that Wait does not wait for background processes
	s.cmd.Env = env
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, s.cmd.Start())
	s.parent = s.cmd.Process.Pid
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(s.kill)
	return s
}

// kill ends everything the session started.
func (s *session) kill() {
	_ = syscall.Kill(-s.parent, syscall.SIGTERM)
	for range 50 {
		if err := syscall.Kill(-s.parent, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = syscall.Kill(-s.parent, syscall.SIGKILL)
}

// wait waits until the file exists, or until the session ends if file is empty.
func (s *session) wait(file string, limit time.Duration) error {
	deadline := time.After(limit)
	for {
		if file != "" {
			if _, err := os.Stat(file); err == nil {
				return nil
			}
		}
		select {
		case <-s.done:
			if s.err == nil && file != "" {
				return errors.New("the script ended early")
			}
			return s.err
		case <-deadline:
			return fmt.Errorf("not done after %s", limit)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// outputs maps each step, as named in the script, to what it printed, and tells which
// one was last.
func (s *session) outputs() (all map[string]string, last string) {
	data, err := os.ReadFile(s.out)
	require.NoError(s.t, err)
	all = map[string]string{}
	for _, part := range strings.Split(string(data), mark)[1:] {
		name, text, _ := strings.Cut(part, "\n")
		all[name], last = text, name
	}
	return all, last
}

// script is the text of the steps, each preceded by its mark.
func script(steps []Step, ports *strings.Replacer) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "echo '%s%s'\n%s", mark, s.name(), ports.Replace(s.Text))
	}
	return b.String()
}

func (s *Step) name() string { return fmt.Sprintf("%s:%d", s.Page.File, s.Line) }

// check reports a failed block or a missing line.
func (s *session) check(t *testing.T, steps []Step, err error, ports *strings.Replacer, logs string) {
	t.Helper()
	outputs, last := s.outputs()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", last, err, outputs[last], tails(logs))
	}
	for _, st := range steps {
		out, ok := outputs[st.name()]
		if !ok {
			t.Errorf("%s was not run", st.name())
			continue
		}
		want := make([]string, len(st.Want))
		for i, w := range st.Want {
			want[i] = ports.Replace(w)
		}
		if m := missing(want, out); m != "" {
			t.Errorf("%s: the output does not have the line\n\t%s\nIt is:\n%s", st.name(), m, out)
		}
	}
}

// tails are the last lines of the log files in a directory.
func tails(dir string) string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		fmt.Fprintf(&b, "--- %s\n%s\n", filepath.Base(f), strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
	return b.String()
}

// freePorts replaces the ports that pages name by free ones.
func freePorts(t *testing.T, named ...string) *strings.Replacer {
	var pairs []string
	for _, p := range named {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // all at the end, so that they differ
		pairs = append(pairs, p, fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	}
	return strings.NewReplacer(pairs...)
}

var goVariables = []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"}

var ownVariables = regexp.MustCompile(`^(CARNET_|MAKE|MFLAGS|HOME=|TMPDIR=|PWD=|BASH_ENV=)`)

// environment is that of a user with an empty home directory.
func environment(t *testing.T, home string) (env []string) {
	for _, v := range os.Environ() {
		if !ownVariables.MatchString(v) {
			env = append(env, v)
		}
	}
	out, err := exec.Command("go", append([]string{"env"}, goVariables...)...).Output()
	require.NoError(t, err)
	for i, v := range bytes.Split(bytes.TrimSpace(out), []byte("\n")) {
		env = append(env, goVariables[i]+"="+string(v))
	}
	return append(env, "HOME="+home, "TMPDIR="+home)
}
