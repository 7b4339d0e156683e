package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/verify"
)

// auditing is a folder with a bundle and what an auditor has.
type auditing struct {
	t   *testing.T
	dir string
}

func newAuditing(t *testing.T, b *bundle.Bundle) *auditing {
	x := &auditing{t, t.TempDir()}
	data, err := b.Encode()
	require.NoError(t, err)
	x.write("query.carnet", data)
	x.write("registrar.pub", []byte(base64.StdEncoding.EncodeToString(historytest.KeyOf(historytest.Registrar).Public())))
	return x
}

func (x *auditing) file(name string) string { return filepath.Join(x.dir, name) }

func (x *auditing) write(name string, data []byte) {
	require.NoError(x.t, os.WriteFile(x.file(name), data, 0o600))
}

// verify runs the command.
func (x *auditing) verify(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(x.t.Context(), append([]string{"--home", x.file("home"), "verify"}, args...), nil, &out, &err)
	return code, out.String(), err.String()
}

func TestVerifyPrintsAChecklist(t *testing.T) {
	w := historytest.New(t)
	older := int64(len(w.Entries))
	q := w.Release(historytest.SQL, 3)
	x := newAuditing(t, w.Bundle(q.Hash(), older))
	note, err := w.Checkpoint(older, historytest.Keyholders...).MarshalText()
	require.NoError(t, err)
	x.write("monday.checkpoint", note)
	given := []string{x.file("query.carnet"), "--registrar", x.file("registrar.pub"), "--pin", x.file("monday.checkpoint")}

	code, out, _ := x.verify(append(given, "--html", x.file("report.html"))...)
	require.Equal(t, command.OK, code)
	for _, line := range []string{"[x] Every statement is an entry of the log (inclusion)", "[ ] The gateway and the keyholders computed correctly (recompute)",
		"not checked: no ciphertext was given", "NOTHING FAILED", historytest.SQL} {
		require.Contains(t, out, line)
	}
	page, err := os.ReadFile(x.file("report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "SELECT month")
	require.NotContains(t, string(page), "<script")

	code, out, _ = x.verify(append(given, "--json")...)
	require.Equal(t, command.OK, code)
	var r verify.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Len(t, r.Checks, len(verify.Checks()))
	require.Equal(t, q.Hash(), r.Query.Hash)

	code, _, _ = x.verify(append(given, "--strict")...)
	require.Equal(t, command.Found, code, "not everything was checked")
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	w := historytest.New(t)
	b := w.Bundle(w.Release(historytest.SQL, 3).Hash())
	x := newAuditing(t, b)
	data, err := os.ReadFile(x.file("query.carnet"))
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	x.write("changed.carnet", data)
	code, out, stderr := x.verify(x.file("changed.carnet"), "--registrar", x.file("registrar.pub"))
	require.Equal(t, command.Found, code)
	require.Contains(t, out, "[!] The file is a complete evidence bundle")
	require.Contains(t, out, "entries/")
	require.Contains(t, out, "FAILED")
	require.Empty(t, stderr, "it is in the report")

	code, _, stderr = x.verify(x.file("nothing.carnet"), "--registrar", x.file("registrar.pub"))
	require.Equal(t, command.NotFound, code, stderr)
	code, _, stderr = x.verify(x.file("query.carnet"))
	require.Equal(t, command.Precondition, code)
	require.Contains(t, stderr, "--registrar")
	code, _, stderr = x.verify(x.file("query.carnet"), "--registrar", x.file("registrar.pub"), "--pin", x.file("query.carnet"))
	require.Equal(t, command.Usage, code)
	require.Contains(t, stderr, x.file("query.carnet")+": ")
	require.Contains(t, stderr, "fix: give a file that carnet evidence checkpoint wrote")
	code, _, stderr = x.verify(x.file("query.carnet"), "--registrar", x.file("registrar.pub"), "--recompute", "--data", x.file("none"))
	require.Equal(t, command.NotFound, code, stderr)
}

// Text in statements comes from others: a page shows it and does not obey it.
func TestAPageEscapesWhatOthersWrote(t *testing.T) {
	w := historytest.New(t)
	q := w.Query(historytest.SQL)
	q.Purpose = "<script>alert(1)</script>"
	x := newAuditing(t, w.Bundle(w.Append(carnet.TypeQuery, q, historytest.Buyer).Hash()))
	code, _, _ := x.verify(x.file("query.carnet"), "--registrar", x.file("registrar.pub"), "--html", x.file("report.html"))
	require.Equal(t, command.Found, code)
	page, err := os.ReadFile(x.file("report.html"))
	require.NoError(t, err)
	require.NotContains(t, string(page), "<script")
}

// A decision by the rules that come with the program is repeated from the bytes in the
// bundle, and one that says something else is found.
func TestDecisionsByRulesAreRepeated(t *testing.T) {
	b, err := policy.Default()
	require.NoError(t, err)
	e, err := policy.NewEngine(t.Context(), b)
	require.NoError(t, err)
	packed, err := packPolicy(b)
	require.NoError(t, err)
	require.Equal(t, b.Digest, packed.Digest())
	kz, ch := policy.Party{ID: "acme", Jurisdiction: "KZ"}, policy.Party{ID: "buyer", Jurisdiction: "CH"}
	in := &policy.Input{Flow: policy.FlowRelease, Now: historytest.Start, Judge: ch, Operator: ch, Buyer: ch, Keyholders: []policy.Party{kz, ch}, Threshold: 2,
		Datasets: []policy.Dataset{{ID: "acme/trade", Owner: kz, Jurisdiction: "KZ", FewestOwners: 1, Terms: policy.Terms{Expires: historytest.Start.AddDate(1, 0, 0)}}}}
	d, err := e.Decide(t.Context(), in)
	require.NoError(t, err)
	j, err := e.Judged(in, d)
	require.NoError(t, err)
	r := &replayer{engines: map[carnet.Hash]*policy.Engine{}}
	require.NoError(t, r.Replay(t.Context(), packed, &j))
	j.Allow = !j.Allow
	require.Equal(t, "REPLAY_DIFFERS", carnet.ReasonOf(r.Replay(t.Context(), packed, &j)))
	changed := bundle.Policy{Statement: packed.Statement, Files: map[string][]byte{}}
	require.Error(t, (&replayer{engines: map[carnet.Hash]*policy.Engine{}}).Replay(t.Context(), &changed, &j))
}

// Who gives the wrong registrar's key is told so, before everything that does not verify with
// it, and is not told to trust what the file says.
func TestVerifyNamesTheWrongRegistrar(t *testing.T) {
	w := historytest.New(t)
	x := newAuditing(t, w.Bundle(w.Release(historytest.SQL, 3).Hash()))
	given, named := historytest.KeyOf("another registrar").Public(), historytest.KeyOf(historytest.Registrar).Public()
	x.write("other.pub", []byte(base64.StdEncoding.EncodeToString(given)))
	code, out, _ := x.verify(x.file("query.carnet"), "--registrar", x.file("other.pub"), "--html", x.file("report.html"))
	require.Equal(t, command.Found, code)
	first, rest, ok := strings.Cut(out, "[x] The file is a complete")
	require.True(t, ok)
	for _, says := range []string{"PROBABLY NOT THE RIGHT ONE", "given:  " + evidence.KeyHint(given), "named:  " + evidence.KeyHint(named), "registrar.pub", "not by this file"} {
		require.Contains(t, first, says)
	}
	require.Equal(t, 1, strings.Count(rest, "[WRONG_REGISTRAR]"))
	require.NotContains(t, rest, "BAD_SIGNATURE")
	page, err := os.ReadFile(x.file("report.html"))
	require.NoError(t, err)
	require.Less(t, strings.Index(string(page), "Key named by the file"), strings.Index(string(page), "What was checked"))
	require.Contains(t, string(page), evidence.KeyHint(named))

	code, out, _ = x.verify(x.file("query.carnet"), "--registrar", x.file("other.pub"), "--json")
	require.Equal(t, command.Found, code)
	var r verify.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, evidence.KeyHint(given), r.Registrar.Given)
	require.Equal(t, evidence.KeyHint(named), r.Registrar.Named)
	require.Len(t, r.Failures(), 1)
}
