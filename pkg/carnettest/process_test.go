package carnettest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
)

// buildOnce compiles the three programs once for all tests of a run.
var buildOnce = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "carnettest-bin-"); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
		"github.com/carnet-network/carnet/cmd/carnet", "github.com/carnet-network/carnet/cmd/carnet-gateway", "github.com/carnet-network/carnet/cmd/carnet-keyholder")
	out, err := cmd.CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built {
		if dir, err := buildOnce(); err == nil {
			os.RemoveAll(dir)
		}
	}
	postgres.StopShared()
	os.Exit(code)
}

var built bool

// programs is the folder of the three programs.
func programs(t *testing.T) string {
	t.Helper()
	built = true
	dir, err := buildOnce()
	require.NoError(t, err)
	return dir
}

// process is a real process that can be killed and started again.
type process struct {
	name string
	args []string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

func newProcess(t *testing.T, dir, name string, args ...string) *process {
	p := &process{name: name, args: args, log: filepath.Join(dir, name+".log")}
	t.Cleanup(func() {
		p.kill(t)
		if data, err := os.ReadFile(p.log); err == nil && t.Failed() {
			lines := strings.Split(string(data), "\n")
			t.Logf("last lines of %s:\n%s", name, strings.Join(lines[max(0, len(lines)-12):], "\n"))
		}
	})
	return p
}

func (p *process) start(t *testing.T) {
	t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer out.Close()
	p.cmd, p.done = exec.Command(p.args[0], p.args[1:]...), make(chan struct{})
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = out, out, childAttributes()
	require.NoError(t, p.cmd.Start())
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(p.cmd, p.done)
}

// kill is kill -9.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	p.cmd = nil
}

// freePort is a loopback address that nobody listens on.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// reachable waits until somebody listens.
func reachable(t *testing.T, addr string) {
	t.Helper()
	Eventually(t, addr+" to listen", 2*time.Minute, func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}
