package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/ticket"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

const name = vaultserver.EngineName

var policy = keystest.NewPerson("policy")

// build makes a plugin that reports a version, and returns its SHA-256.
func build(t testing.TB, dir, version string) string {
	t.Helper()
	sum, err := vaultserver.BuildEngine(t.Context(), dir, version)
	require.NoError(t, err)
	said, err := exec.Command(filepath.Join(dir, name+"-"+version), "-version").Output()
	require.NoError(t, err)
	require.Equal(t, version+"\n", string(said))
	return sum
}

// installed is a Vault with the plugin, as an operator installs it.
type installed struct {
	*vaultserver.Server
	client  *vaultclient.Client
	plugins string
	sums    map[string]string
	mounts  atomic.Int32
}

func install(t testing.TB, versions ...string) *installed {
	dir := t.TempDir()
	v := &installed{Server: vaultserver.New(t, vaultserver.Options{Plugins: dir}), plugins: dir, sums: map[string]string{}}
	for _, version := range versions {
		v.sums[version] = build(t, dir, version)
	}
	require.NoError(t, v.register(t, versions[0], versions[0]))
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte(v.Token), 0o600))
	var err error
	v.client, err = vaultclient.Open(t.Context(), vaultclient.Config{Address: v.Addr, CA: v.CAFile,
		Auth: vaultclient.Auth{Method: "token", TokenFile: token}}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { v.client.Close() })
	return v
}

// register registers a build under a version.
func (v *installed) register(t testing.TB, build, version string) error {
	return v.RegisterEngine(t.Context(), build, v.sums[build], version)
}

// enable enables and configures one more engine.
func (v *installed) enable(t testing.TB, version string, buyer ed25519.PublicKey) string {
	t.Helper()
	path := fmt.Sprintf("carnet-keys-%d", v.mounts.Add(1))
	require.NoError(t, v.EnableEngine(t.Context(), path, version, policy.Public(), map[carnet.PartyID]ed25519.PublicKey{"buyer": buyer},
		map[carnet.PartyID]ed25519.PublicKey{"owner0": buyer, "owner1": buyer})) // one person signs everything
	return path
}

func (v *installed) at(path string) vaultplugin.Mount { return vaultplugin.At(v.client, path) }

func (v *installed) sharer(t testing.TB, path string) keys.Sharer {
	t.Helper()
	s, err := vaultplugin.New(t.Context(), v.at(path), policy)
	require.NoError(t, err)
	return s
}

// approve lets parts be handed on to a committee.
func (v *installed) approve(t *testing.T, path string, committee carnet.Hash, recipients [][]byte) {
	t.Helper()
	_, err := v.at(path).Write(t.Context(), "successors/"+committee.String(), map[string]any{"recipients": ticket.RecipientsDigest(recipients).String()})
	require.NoError(t, err)
}

// reload ends the plugin's process; the next request starts another.
func (v *installed) reload(t *testing.T) {
	t.Helper()
	_, err := v.Client().Sys().ReloadPluginWithContext(t.Context(), &api.ReloadPluginInput{Plugin: name})
	require.NoError(t, err)
}

func (v *installed) restart(t *testing.T) {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	v.Kill()
	require.NoError(t, v.Restart(ctx))
	require.NoError(t, v.Unseal(ctx))
}

// TestServer runs the contract of a Sharer on the plugin in a real Vault.
func TestServer(t *testing.T) {
	v := install(t, "v1.0.0")
	keystest.RunSharer(t, func(t *testing.T, buyer ed25519.PublicKey) keystest.SharerFixture {
		path := v.enable(t, "v1.0.0", buyer)
		return keystest.SharerFixture{Sharer: v.sharer(t, path), Reopen: func(t *testing.T) keys.Sharer {
			v.reload(t)
			return v.sharer(t, path)
		}, Approve: func(t *testing.T, committee carnet.Hash, recipients [][]byte) {
			v.approve(t, path, committee, recipients)
		}}
	})
	quiet(t, v)
}

const january = `SELECT SUM(value) FROM trade WHERE month = '01'`

// TestLife goes through what happens to an engine: sealed in the middle of a release,
// restarted, upgraded, and two engines served by one process.
func TestLife(t *testing.T) {
	v := install(t, "v1.0.0", "v1.1.0")
	buyer := keystest.NewPerson("buyer").Public()
	path, second := v.enable(t, "v1.0.0", buyer), v.enable(t, "v1.0.0", buyer)
	s := v.sharer(t, path)
	n := keystest.NewNetwork(t, s.SealingKey(), carnet.LayoutRecords, 2, false)
	n.Accept(t, s)

	// Sealed between the products and the answer: an error that is tried again, then the
	// same answer, from handles that were made before.
	r := n.Ask(`SELECT month, SUM(value) FROM trade GROUP BY month`)
	session, err := s.Open(t.Context(), r)
	require.NoError(t, err)
	defer session.Close()
	for i, f := range r.Plan.Functionals() {
		if f.Degree > 1 {
			require.NoError(t, session.Product(t.Context(), i, n.Parts(r, i, 0)))
		}
	}
	require.NoError(t, v.Seal(t.Context()))
	_, err = session.Seal(t.Context(), n.IDs(r, 0))
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err), err)
	require.Equal(t, "VAULT_SEALED", carnet.ReasonOf(err))
	require.NoError(t, v.Unseal(t.Context()))
	_, err = session.Seal(t.Context(), n.IDs(r, 0))
	require.NoError(t, err)
	want := n.Expect(r, 0, nil)
	same := func(what string) {
		t.Helper()
		got, err := n.Answer(t, v.sharer(t, path), r, 0)
		require.NoError(t, err, what)
		require.Equal(t, want, got, what)
	}
	same("unsealed")
	count := released(t, v.at(path), n)
	require.Positive(t, count)
	v.restart(t)
	same("restarted")
	require.Equal(t, count, released(t, v.at(path), n), "a repetition is not counted, over restarts")

	// An upgrade by version keeps seeds and counts; a version that the program does not
	// report is refused.
	require.Error(t, v.register(t, "v1.1.0", "v9.9.9"))
	require.NoError(t, v.register(t, "v1.1.0", "v1.1.0"))
	_, err = v.Client().Logical().WriteWithContext(t.Context(), "sys/mounts/"+path+"/tune", map[string]any{"plugin_version": "v1.1.0"})
	require.NoError(t, err)
	v.reload(t)
	info, err := v.at(path).Read(t.Context(), "info")
	require.NoError(t, err)
	require.Equal(t, "v1.1.0", info["version"])
	same("upgraded")
	require.Equal(t, count, released(t, v.at(path), n))

	// The other engine is another keyholder: keys, sealing key and counts are its own.
	other := v.sharer(t, second)
	require.NotEqual(t, s.SealingKey(), other.SealingKey())
	require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(other.Held(t.Context(), n.Dealings[0])))
	require.Equal(t, "SEEDS_UNREADABLE", carnet.ReasonOf(other.Accept(t.Context(), n.Dealings[0], n.Sealed(n.Dealings[0].Key))))

	// Destroyed is destroyed, over a restart.
	require.NoError(t, vaultplugin.Destroy(t.Context(), v.at(path), n.Dealings[0].Key))
	left, err := vaultplugin.List(t.Context(), v.at(path))
	require.NoError(t, err)
	require.Equal(t, []carnet.KeyID{n.Dealings[1].Key}, left)
	v.restart(t)
	s = v.sharer(t, path)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(s.Held(t.Context(), n.Dealings[0])))
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(s.Accept(t.Context(), n.Dealings[0], n.Sealed(n.Dealings[0].Key))))
	_, err = n.Answer(t, s, n.Ask(january), 0)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
	quiet(t, v)
}

// A server that takes small requests only: a product does not fit, which says what to do,
// and is handed over once the server takes it. Nothing is counted before that.
func TestTooLarge(t *testing.T) {
	v := install(t, "v1.0.0")
	path := v.enable(t, "v1.0.0", keystest.NewPerson("buyer").Public())
	n := keystest.NewNetwork(t, v.sharer(t, path).SealingKey(), carnet.LayoutRecords, 2, false)
	n.Accept(t, v.sharer(t, path))
	limited := func(largest int64) {
		require.NoError(t, v.Reconfigure(vaultserver.Options{Plugins: v.plugins, Largest: largest}))
		v.restart(t)
	}
	limited(1 << 20)
	r := n.Ask(`SELECT month, SUM(value) FROM trade GROUP BY month`)
	_, err := n.Answer(t, v.sharer(t, path), r, 0)
	require.Equal(t, "VAULT_TOO_LARGE", carnet.ReasonOf(err), err)
	require.Equal(t, carnet.Exhausted, carnet.KindOf(err))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Remedy, "max_request_size")
	require.Zero(t, released(t, v.at(path), n))
	limited(0)
	got, err := n.Answer(t, v.sharer(t, path), r, 0)
	require.NoError(t, err)
	require.Equal(t, n.Expect(r, 0, nil), got)
	quiet(t, v)
}

// One process serves all engines: versions registered without a difference share it. A
// server that is killed leaves none behind.
func TestMultiplexed(t *testing.T) {
	v := install(t, "v1.0.0")
	buyer := keystest.NewPerson("buyer").Public()
	for range 3 {
		v.sharer(t, v.enable(t, "v1.0.0", buyer))
	}
	if procs, err := filepath.Glob("/proc/[0-9]*/cmdline"); err != nil || len(procs) == 0 {
		t.Skip("processes can't be listed here")
	}
	require.Equal(t, 1, v.running(t))
	v.Kill()
	require.Eventually(t, func() bool { return v.running(t) == 0 }, time.Minute, 10*time.Millisecond)
}

// running counts the plugin's processes and looks at what the system shows of them.
func (v *installed) running(t *testing.T) (running int) {
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, p := range procs {
		b, err := os.ReadFile(p)
		if err != nil || !strings.HasPrefix(string(b), v.pluginPath(t)) {
			continue
		}
		running++
		require.NotContains(t, string(b), v.Token)
		if limits, err := os.ReadFile(filepath.Join(filepath.Dir(p), "limits")); err == nil { // it may end meanwhile
			require.Regexp(t, `Max core file size\s+0\s+0`, string(limits))
		}
	}
	return running
}

func (v *installed) pluginPath(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(v.Dir, "config.json"))
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(b), `"plugin_directory": "`)
	require.True(t, ok)
	dir, _, _ := strings.Cut(after, `"`)
	return filepath.Join(dir, name)
}

func released(t *testing.T, e vaultplugin.Mount, n *keystest.Network) (count int64) {
	t.Helper()
	for _, d := range n.Dealings {
		data, err := e.Read(t.Context(), "keys/"+d.Key.String())
		require.NoError(t, err)
		c, err := data["released"].(interface{ Int64() (int64, error) }).Int64()
		require.NoError(t, err)
		count += c
	}
	return count
}

// quiet checks that neither the audit file nor the server's log has a seed, and that the
// token is not in them.
func quiet(t *testing.T, v *installed) {
	t.Helper()
	audit, err := os.ReadFile(v.AuditFile)
	require.NoError(t, err)
	require.NotEmpty(t, audit)
	log, err := os.ReadFile(filepath.Join(v.Dir, "server.log"))
	require.NoError(t, err)
	key, err := seal.GenerateKey()
	require.NoError(t, err)
	seeds := keystest.NewNetwork(t, key.Public(), carnet.LayoutCube, 2, false).Secrets()
	for _, text := range []string{string(audit), string(log)} {
		require.NotContains(t, text, v.Token)
		for _, s := range seeds {
			require.NotContains(t, text, hex.EncodeToString(s[:]))
			require.NotContains(t, text, base64.StdEncoding.EncodeToString(s[:])[:40])
		}
	}
}
