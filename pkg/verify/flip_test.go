package verify_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// flipped is a bundle with every sort of part.
func flipped(t testing.TB) (data []byte, o verify.Options) {
	w := historytest.NewOf(t, carnet.LayoutCube, historytest.Owners[0])
	older := int64(len(w.Entries))
	statement := []byte(`{"name":"rules","files":[{"path":"a.rego","sha256":"` + carnet.Hash(sum([]byte("package a"))).String() + `"}]}`)
	rules := bundle.Policy{Statement: statement, Files: map[string][]byte{"a.rego": []byte("package a")}}
	q := w.Release(historytest.SQL, 2)
	w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: historytest.Operator, Allow: true, Created: w.Now(),
		Judged: []carnet.Judged{{Flow: "release", Allow: true, Bundle: rules.Digest(), Name: "rules", Version: 1, Input: []byte("{}"), Output: []byte("{}")}}}, historytest.Operator)
	b := w.Bundle(q.Hash(), older)
	b.Policies = []bundle.Policy{rules}
	data, err := b.Encode()
	require.NoError(t, err)
	return data, options()
}

// each calls do with every number below n, on all processors.
func each(n int, do func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// base is the name of a part without what tells its members apart.
func base(name string) string {
	name, _, _ = strings.Cut(name, " ")
	for _, suffix := range []string{".log.json", ".json", ".checkpoint", ".proof"} {
		if s, ok := strings.CutSuffix(name, suffix); ok && strings.Contains(name, "/0") {
			return s
		}
	}
	return name
}

// names reports whether a fault is about the member.
func names(r *verify.Report, member string) bool {
	for _, f := range r.Failures() {
		if base(f.Part) == base(member) {
			return true
		}
	}
	return false
}

// Every byte of the file is changed, one at a time: none passes, and the part that it is
// in is named.
func TestEveryFlippedByteOfTheFileIsFoundAndNamed(t *testing.T) {
	data, o := flipped(t)
	spans := layout(t, data)
	require.Empty(t, runBytes(t, data, o).Failures())
	var mu sync.Mutex
	var missed []string
	each(len(data), func(i int) {
		changed := bytes.Clone(data)
		changed[i] ^= 1 << (i % 8)
		r, err := verify.Verify(t.Context(), changed, o)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil || r.Verdict != verify.Broken:
			missed = append(missed, fmt.Sprintf("byte %d: not found", i))
		case !named(r, spans, i):
			missed = append(missed, fmt.Sprintf("byte %d: named is %s", i, r.Failures()[0].Part))
		}
	})
	require.Empty(t, missed[:min(len(missed), 10)], "of %d", len(missed))
}

// span is where a member lies in the file.
type span struct {
	name       string
	start, end int // of its header and contents
}

func layout(t testing.TB, data []byte) (out []span) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	at := 0
	for _, f := range z.File {
		offset, err := f.DataOffset()
		require.NoError(t, err)
		end := int(offset) + int(f.CompressedSize64)
		out = append(out, span{f.Name, at, end})
		at = end
	}
	return out
}

// named reports whether a fault is about the member at an offset. In the directory behind
// the members a change may show as one of a member, or of the archive.
func named(r *verify.Report, spans []span, offset int) bool {
	for _, s := range spans {
		if offset >= s.start && offset < s.end {
			return names(r, s.name) || archive(r)
		}
	}
	return len(r.Failures()) > 0
}

// archive reports whether what is named is the archive itself: headers of members have
// copies in its directory.
func archive(r *verify.Report) bool {
	return strings.HasPrefix(r.Failures()[0].Part, "the ")
}

// Whoever changes a part can mend the archive around it. Every byte of every part is
// changed, in an archive that is whole: the statements themselves give it away.
func TestEveryFlippedByteOfEveryPartIsFoundAndNamed(t *testing.T) {
	data, o := flipped(t)
	members := unzip(t, data)
	require.Equal(t, data, rezip(members), "the test writes archives as Encode does")
	type place struct{ member, at int }
	var places []place
	for m := range members {
		for i := range members[m].data {
			places = append(places, place{m, i})
		}
	}
	var mu sync.Mutex
	var missed []string
	each(len(places), func(i int) {
		p := places[i]
		changed := append([]part(nil), members...)
		content := bytes.Clone(changed[p.member].data)
		content[p.at] ^= 1 << (i % 8)
		changed[p.member].data = content
		r, err := verify.Verify(t.Context(), rezip(changed), o)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil || r.Verdict != verify.Broken:
			missed = append(missed, fmt.Sprintf("%s, byte %d: not found", members[p.member].name, p.at))
		case !names(r, members[p.member].name):
			missed = append(missed, fmt.Sprintf("%s, byte %d: named is %s", members[p.member].name, p.at, r.Failures()[0].Part))
		}
	})
	require.Empty(t, missed[:min(len(missed), 10)], "of %d", len(missed))
}

type part struct {
	name string
	data []byte
}

func unzip(t testing.TB, data []byte) (out []part) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		out = append(out, part{f.Name, content})
	}
	return out
}

func rezip(members []part) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		n := uint64(len(m.data))
		//nolint:staticcheck // CreateRaw writes ModifiedDate and no other
		f, err := w.CreateRaw(&zip.FileHeader{Name: m.name, ModifiedDate: 33, CRC32: crc32.ChecksumIEEE(m.data), CompressedSize64: n, UncompressedSize64: n})
		if err == nil {
			_, err = f.Write(m.data)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// BenchmarkVerify measures a verification without execution.
func BenchmarkVerify(b *testing.B) {
	w := historytest.New(b)
	q := w.Release(historytest.SQL, 3)
	data, err := w.Bundle(q.Hash()).Encode()
	require.NoError(b, err)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if r, err := verify.Verify(b.Context(), data, options()); err != nil || len(r.Failures()) > 0 {
			b.Fatal(err, r.Failures())
		}
	}
}
