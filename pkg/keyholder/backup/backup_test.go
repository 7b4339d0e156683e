package backup

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for n, text := range contents {
		require.NoError(t, os.WriteFile(filepath.Join(dir, n), []byte(text), 0o600))
	}
	return dir
}

var about = About{Party: "kh1", Created: time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC), Size: 7, Head: carnet.Hash{7}}

func TestWriteAndRead(t *testing.T) {
	all := map[string]string{"party.json": "{}", "ledger.db": "ledger", "keystore.mark": "mark", "keystore.age": "keys", "policy.json": "bundle", "policy.age": "ticket key"}
	for name, missing := range map[string][]string{"all": nil, "keys in Vault": {"keystore.age", "keystore.mark"}, "never ran": {"ledger.db", "keystore.mark", "policy.json"}, "no engine": {"policy.age"}} {
		t.Run(name, func(t *testing.T) {
			want := map[string]string{}
			for n, text := range all {
				want[n] = text
			}
			for _, n := range missing {
				delete(want, n)
			}
			var b bytes.Buffer
			from := files(t, want)
			require.NoError(t, os.WriteFile(filepath.Join(from, "vault.yaml"), []byte("token"), 0o600))
			require.NoError(t, Write(&b, about, from))
			require.NotContains(t, b.String(), "token", "only what belongs in it")
			to := t.TempDir()
			got, err := Read(&b, to)
			require.NoError(t, err)
			require.Equal(t, about.Party, got.Party)
			require.Equal(t, about.Created, got.Created)
			require.Len(t, got.Files, len(want))
			for n, text := range want {
				read, err := os.ReadFile(filepath.Join(to, n))
				require.NoError(t, err)
				require.Equal(t, text, string(read))
			}
		})
	}
}

// TestReadRefuses: cut anywhere, with names that lead elsewhere, links, files twice or in
// another order, something after the end.
func TestReadRefuses(t *testing.T) {
	var whole bytes.Buffer
	require.NoError(t, Write(&whole, about, files(t, map[string]string{"party.json": "{}", "ledger.db": "ledger", "keystore.age": "keys"})))
	for _, n := range []int{0, 100, 512, 1024, 1600, 2048, 3000} {
		_, err := Read(bytes.NewReader(whole.Bytes()[:n]), t.TempDir())
		require.Equal(t, "BACKUP_DAMAGED", carnet.ReasonOf(err), "%d: %v", n, err)
	}
	entry := func(name string, kind byte, body string) func(*tar.Writer) {
		return func(w *tar.Writer) {
			h := &tar.Header{Name: name, Typeflag: kind, Mode: 0o600, Size: int64(len(body))}
			if kind == tar.TypeSymlink {
				h.Linkname, h.Size, body = "/etc/passwd", 0, ""
			}
			require.NoError(t, w.WriteHeader(h))
			_, err := w.Write([]byte(body))
			require.NoError(t, err)
		}
	}
	list := func(files string) func(*tar.Writer) {
		return entry(aboutName, tar.TypeReg, `{"format":"carnet-keyholder-backup/2","party":"kh1","created":"2026-11-26T00:00:00Z","journal_size":0,"journal_head":"`+carnet.Hash{}.String()+`","files":`+files+`}`)
	}
	party := entry("party.json", tar.TypeReg, "{}")
	for name, entries := range map[string][]func(*tar.Writer){
		"no list":         {party},
		"outside":         {list(`["../party.json"]`), entry("../party.json", tar.TypeReg, "x")},
		"another name":    {list(`["party.json"]`), entry("../party.json", tar.TypeReg, "x")},
		"a link":          {list(`["party.json"]`), entry("party.json", tar.TypeSymlink, "")},
		"twice":           {list(`["party.json","party.json"]`), party, party},
		"other order":     {list(`["keystore.age","party.json"]`), entry("keystore.age", tar.TypeReg, "x"), party},
		"no party":        {list(`["ledger.db"]`), entry("ledger.db", tar.TypeReg, "x")},
		"one more":        {list(`["party.json"]`), party, entry("keystore.age", tar.TypeReg, "x")},
		"unknown field":   {entry(aboutName, tar.TypeReg, `{"format":"carnet-keyholder-backup/2","more":1}`)},
		"another version": {entry(aboutName, tar.TypeReg, `{"format":"carnet-keyholder-backup/1","party":"kh1","files":["party.json"]}`), party},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			for _, e := range entries {
				e(w)
			}
			require.NoError(t, w.Close())
			dir := t.TempDir()
			_, err := Read(&b, dir)
			require.Equal(t, "BACKUP_DAMAGED", carnet.ReasonOf(err), "%v", err)
			_, err = os.Lstat(filepath.Join(filepath.Dir(dir), "party.json"))
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}

func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(n), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := Write(&b, about, dir); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:1024])
	f.Fuzz(func(t *testing.T, data []byte) {
		to := t.TempDir()
		a, err := Read(bytes.NewReader(data), to)
		if err != nil {
			return
		}
		got, err := os.ReadDir(to)
		require.NoError(t, err)
		require.Len(t, got, len(a.Files))
	})
}
