package bundle_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// full is a bundle with every sort of part.
func full(t testing.TB) *bundle.Bundle {
	w := historytest.New(t)
	older := int64(len(w.Entries))
	q := w.Release(historytest.SQL, 2)
	b := w.Bundle(q.Hash(), older-3, older)
	b.Policies = []bundle.Policy{{Statement: []byte(`{}`), Files: map[string][]byte{"a/b.rego": []byte("package a"), "a.yaml": {}}}, {Statement: []byte(`{"name":"x"}`)}}
	b.Sort()
	return b
}

func encode(t testing.TB, b *bundle.Bundle) []byte {
	t.Helper()
	data, err := b.Encode()
	require.NoError(t, err)
	return data
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	b := full(t)
	data := encode(t, b)
	got, err := bundle.Decode(data)
	require.NoError(t, err)
	require.Equal(t, b.Query, got.Query)
	require.Equal(t, b.Entries, got.Entries)
	require.Equal(t, b.Pieces, got.Pieces)
	require.Equal(t, b.Checkpoint.Checkpoint, got.Checkpoint.Checkpoint)
	require.Len(t, got.Older, 2)
	require.Len(t, got.Policies, 2)
	require.Equal(t, data, encode(t, got), "one form")
}

// Any tool opens it, and statements can be read as they are.
func TestABundleIsAnArchiveOfReadableFiles(t *testing.T) {
	b := full(t)
	data := encode(t, b)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		require.Equal(t, zip.Store, f.Method)
		require.Empty(t, f.Extra)
	}
	require.Equal(t, []string{"bundle.json", "checkpoint"}, names[:2])
	e := b.Entries[len(b.Entries)-1]
	f, err := z.Open(e.Name() + ".json")
	require.NoError(t, err)
	payload, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, e.Envelope.Payload, payload)
	require.Contains(t, e.Name(), "-answer")
}

// part returns the part that an error names.
func part(t *testing.T, err error) string {
	t.Helper()
	require.Equal(t, "BUNDLE_DAMAGED", carnet.ReasonOf(err))
	var e *carnet.Error
	require.True(t, errors.As(err, &e))
	require.Len(t, e.Violations, 1)
	return e.Violations[0].Field
}

func TestOnlyTheOneFormIsRead(t *testing.T) {
	data := encode(t, full(t))
	refused := func(what string, changed []byte) {
		t.Helper()
		_, err := bundle.Decode(changed)
		require.NotEmpty(t, part(t, err), what)
	}
	refused("nothing", nil)
	refused("a byte before", append([]byte{0}, data...))
	refused("a byte after", append(slices.Clone(data), 0))
	for _, n := range []int{1, 22, 100, len(data) / 2} {
		refused("cut off", data[:len(data)-n])
	}
	refused("too large", make([]byte, bundle.MaxBytes+1))
}

func TestPartsOutOfOrderAreRefused(t *testing.T) {
	for what, change := range map[string]func(b *bundle.Bundle){
		"entries":               func(b *bundle.Bundle) { slices.Reverse(b.Entries) },
		"an entry twice":        func(b *bundle.Bundle) { b.Entries = append(b.Entries[:1], b.Entries...) },
		"checkpoints":           func(b *bundle.Bundle) { slices.Reverse(b.Older) },
		"policy bundles":        func(b *bundle.Bundle) { slices.Reverse(b.Policies) },
		"files":                 func(b *bundle.Bundle) { slices.Reverse(b.Pieces) },
		"a proof without end":   func(b *bundle.Bundle) { b.Entries[0].Proof = make([]carnet.Hash, 65) },
		"a policy outside":      func(b *bundle.Bundle) { b.Policies[0].Files = map[string][]byte{"../x": nil} },
		"hashes of nothing":     func(b *bundle.Bundle) { b.Pieces[0].Hashes = nil },
		"another form":          func(b *bundle.Bundle) { b.Entries[0].Seq = -1 },
		"a large statement":     func(b *bundle.Bundle) { b.Entries[0].Envelope.Payload = make([]byte, 1<<20+1) },
		"no list of signatures": func(b *bundle.Bundle) { b.Entries[0].Envelope.Signatures = nil },
	} {
		b := full(t)
		change(b)
		data, err := b.Encode()
		require.NoError(t, err, what)
		_, err = bundle.Decode(data)
		require.NotEmpty(t, part(t, err), what)
	}
}

func TestTheDamagedPartIsNamed(t *testing.T) {
	b := full(t)
	data := encode(t, b)
	at := bytes.Index(data, b.Entries[3].Envelope.Payload)
	changed := slices.Clone(data)
	changed[at+5] ^= 1
	_, err := bundle.Decode(changed)
	require.Equal(t, b.Entries[3].Name()+".json", part(t, err))
	changed = slices.Clone(data)
	changed[bytes.Index(data, []byte("checkpoint"))-20] ^= 1 // the time in the member's header
	_, err = bundle.Decode(changed)
	require.True(t, strings.HasPrefix(part(t, err), "checkpoint"))
}

func TestABundleThatWouldNotBeReadIsNotWritten(t *testing.T) {
	b := full(t)
	b.Pieces[0].Hashes = make([]carnet.Hash, bundle.MaxBytes/32+1)
	_, err := b.Encode()
	require.Equal(t, "BUNDLE_TOO_LARGE", carnet.ReasonOf(err))
}

func TestKind(t *testing.T) {
	require.Equal(t, "query", bundle.Kind(carnet.TypeQuery))
	require.Equal(t, "policy-bundle", bundle.Kind(carnet.TypePolicyBundle))
	for _, other := range []carnet.StatementType{"", "text/plain", "application/vnd.carnet.../x.v1+json", "application/vnd.carnet.a.v1+jsonx"} {
		require.Equal(t, "statement", bundle.Kind(other))
	}
}

// Decoding never panics, and what is accepted is written as it was read.
func FuzzDecode(f *testing.F) {
	data := encode(f, full(f))
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := bundle.Decode(data)
		if err != nil {
			require.Equal(t, "BUNDLE_DAMAGED", carnet.ReasonOf(err))
			return
		}
		again, err := b.Encode()
		require.NoError(t, err)
		require.Equal(t, data, again)
	})
}
