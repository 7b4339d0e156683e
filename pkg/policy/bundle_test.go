package policy_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/policy"
)

// What can't be used is refused when it is loaded, with the place and what to do.
func TestBadBundles(t *testing.T) {
	replace := func(file, old, new string) func(map[string][]byte) {
		return func(files map[string][]byte) {
			changed := bytes.Replace(files[file], []byte(old), []byte(new), 1)
			if bytes.Equal(changed, files[file]) {
				panic(old + " is not in " + file)
			}
			files[file] = changed
		}
	}
	for name, c := range map[string]struct {
		change func(map[string][]byte)
		says   string
	}{
		"no manifest":          {func(f map[string][]byte) { delete(f, policy.ManifestName) }, "no bundle.yaml"},
		"no version":           {replace(policy.ManifestName, "version: 3", "version: 0"), "version"},
		"no expiry":            {replace(policy.ManifestName, "expires: 2027-06-30T00:00:00Z\n", ""), "expires"},
		"unknown field":        {replace(policy.ManifestName, "name:", "nom: x\nname:"), "bundle.yaml"},
		"outside of roots":     {func(f map[string][]byte) { f["extra/x.rego"] = []byte("package carnet.x") }, "extra/x.rego is outside of its roots"},
		"unknown kind of file": {func(f map[string][]byte) { f["rules/x.exe"] = nil }, "neither rules"},
		"syntax":               {replace("packs/cn.rego", "finding contains", "finding contans"), "packs/cn.rego does not parse"},
		"syntax of data":       {replace("packs/cn.yaml", "rules:", "rules: ]"), "packs/cn.yaml"},
		"missing entry":        {replace("rules/base.rego", "decision := {", "verdict := {"), "data.carnet.decision is missing"},
		"missing file":         {func(f map[string][]byte) { delete(f, "rules/lib.rego") }, "do"},
		"missing rule": {func(f map[string][]byte) {
			i := bytes.Index(f["packs/kg.rego"], []byte("finding contains lib.ruling(\"kg.personal\""))
			f["packs/kg.rego"] = f["packs/kg.rego"][:i]
		}, "no rule speaks by kg.personal"},
		"missing law":     {replace("packs/kg.yaml", "kg.personal:", "kg.other:"), "kg.personal, which is not among the rules"},
		"no source":       {replace("packs/kg.yaml", `source: "https://cbd.minjust.gov.kg/"`, `source: ""`), "law and source"},
		"no date":         {replace("packs/kg.yaml", `in_force: 2008-04-14`, `in_force: some day`), "dates"},
		"no confidence":   {replace("packs/kg.yaml", `confidence: medium`, `confidence: sure`), "confidence"},
		"unknown input":   {replace("rules/terms.rego", "input.purpose", "input.shoe_size"), "shoe_size"},
		"the network":     {replace("rules/lib.rego", "harmless(d) if ", "harmless(_) if http.send({\"method\": \"get\", \"url\": \"http://localhost\"}).status_code == 200\n\nharmless(d) if "), "http.send"},
		"the clock":       {replace("rules/lib.rego", "now := time.parse_rfc3339_ns(input.now)", "now := time.now_ns()"), "time.now_ns"},
		"chance":          {replace("rules/lib.rego", "harmless(d) if ", "harmless(_) if rand.intn(\"x\", 2) == 1\n\nharmless(d) if "), "rand.intn"},
		"the environment": {replace("rules/lib.rego", "harmless(d) if ", "harmless(_) if opa.runtime().env.X == \"1\"\n\nharmless(d) if "), "opa.runtime"},
		"another package": {func(f map[string][]byte) { f["rules/x.rego"] = []byte("package system") }, "package"},
		"data where rules are": {func(f map[string][]byte) {
			f[policy.ManifestName] = append(bytes.Replace(f[policy.ManifestName], []byte("[config"), []byte("[carnet, config"), 1), '\n')
			f["carnet/decision.yaml"] = []byte("allow: true")
		}, "carnet"},
		"rounding":           {replace("config.yaml", "min_group: 0", "rounding: 5\nmin_group: 0"), "rounding, which protects nobody"},
		"rounding by a rule": {replace("rules/base.rego", "\"min_group\":", "\"rounding\": 5,\n\t\"min_group\":"), "rounding, which protects nobody"},
		"misspelt setting":   {replace("config.yaml", "min_group: 0", "min_gruop: 5"), "no rule reads min_gruop"},
		"missing setting":    {replace("config.yaml", "valid_days: 30", ""), "no decision about an example"},
		"aliases": {func(f map[string][]byte) {
			f["rules/x.yaml"] = []byte("a: &a " + strings.Repeat("x", 100<<10) + "\nb: [" + strings.Repeat("*a, ", 100_000) + "*a]\n")
		}, "too large when its aliases are written out"},
		"an alias of itself": {func(f map[string][]byte) { f["rules/x.yaml"] = []byte("a: &a [*a]") }, "too large when its aliases are written out"},
		"two documents":      {func(f map[string][]byte) { f["config.yaml"] = append(f["config.yaml"], "---\nx: 1\n"...) }, "config.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			files := own(t)
			c.change(files)
			b, err := policy.NewBundle(files)
			if err == nil {
				_, err = policy.NewEngine(ctx, b)
			}
			require.Equal(t, "BAD_POLICY", carnet.ReasonOf(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			var e *carnet.Error
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Remedy)
		})
	}
}

func key(t *testing.T, seed byte) *ident.Identity {
	id, err := ident.FromSeed("policy", [32]byte{seed})
	require.NoError(t, err)
	return id
}

// write puts a bundle into a folder, signed.
func write(t *testing.T, dir string, files map[string][]byte, signer *ident.Identity) {
	t.Helper()
	require.NoError(t, os.RemoveAll(dir))
	b, err := policy.NewBundle(files)
	require.NoError(t, err)
	env, err := b.Sign(signer)
	require.NoError(t, err)
	all := map[string][]byte{}
	for p, c := range files {
		all[p] = c
	}
	if all[policy.SignatureName], err = json.Marshal(env); err != nil {
		t.Fatal(err)
	}
	for p, c := range all {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, p), c, 0o644))
	}
}

func version(t *testing.T, v string) map[string][]byte {
	files := own(t)
	files[policy.ManifestName] = bytes.Replace(files[policy.ManifestName], []byte("version: 3"), []byte("version: "+v), 1)
	return files
}

// Whatever is wrong with what comes, the bundle in use stays in use; and over a restart,
// an older one does not come back.
func TestAHolderKeepsWhatIsGood(t *testing.T) {
	dir, state := filepath.Join(t.TempDir(), "bundle"), filepath.Join(t.TempDir(), "policy.json")
	good, evil := key(t, 1), key(t, 2)
	write(t, dir, version(t, "3"), good)
	h, err := policy.NewHolder(ctx, dir, state, good.Public())
	require.NoError(t, err)
	present := h.Engine()
	keeps := func(reason string) {
		t.Helper()
		err := h.Reload(ctx)
		require.Equal(t, reason, carnet.ReasonOf(err), "%v", err)
		require.Same(t, present, h.Engine())
		d, judged, err := h.Judge(ctx, storage("CN", "KZ", statistics))
		require.NoError(t, err)
		require.True(t, d.Allow)
		require.EqualValues(t, 3, judged.Version)
	}

	write(t, dir, version(t, "4"), evil)
	keeps("POLICY_SIGNATURE")
	write(t, dir, version(t, "2"), good)
	keeps("POLICY_OLDER")
	changed := version(t, "3")
	changed["config.yaml"] = append(changed["config.yaml"], "# changed\n"...)
	write(t, dir, changed, good)
	keeps("POLICY_VERSION_USED")
	broken := version(t, "4")
	broken["packs/cn.rego"] = append(broken["packs/cn.rego"], "\nx := input.nothing\n"...)
	write(t, dir, broken, good)
	keeps("BAD_POLICY")
	write(t, dir, version(t, "4"), good)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.yaml"), append(own(t)["config.yaml"], "# changed afterwards\n"...), 0o644))
	keeps("POLICY_CHANGED")
	require.NoError(t, os.Remove(filepath.Join(dir, policy.SignatureName)))
	keeps("POLICY_UNSIGNED")
	require.NoError(t, os.RemoveAll(dir))
	keeps("NO_POLICY")

	write(t, dir, version(t, "4"), good)
	require.NoError(t, h.Reload(ctx))
	require.EqualValues(t, 4, h.Engine().Bundle().Version)

	write(t, dir, version(t, "3"), good)
	_, err = policy.NewHolder(ctx, dir, state, good.Public())
	require.Equal(t, "POLICY_OLDER", carnet.ReasonOf(err), "after a restart: %v", err)

	// Nor by way of a bundle of another name, with or without a restart.
	other := own(t)
	other[policy.ManifestName] = bytes.Replace(other[policy.ManifestName], []byte("name: own"), []byte("name: other"), 1)
	write(t, dir, other, good)
	h, err = policy.NewHolder(ctx, dir, state, good.Public())
	require.NoError(t, err)
	require.Equal(t, "other", h.Engine().Bundle().Name)
	write(t, dir, version(t, "3"), good)
	require.Equal(t, "POLICY_OLDER", carnet.ReasonOf(h.Reload(ctx)))
	_, err = policy.NewHolder(ctx, dir, state, good.Public())
	require.Equal(t, "POLICY_OLDER", carnet.ReasonOf(err), "%v", err)
	require.NoError(t, os.WriteFile(state, []byte("{"), 0o600))
	_, err = policy.NewHolder(ctx, dir, state, good.Public())
	require.Equal(t, "POLICY_STATE", carnet.ReasonOf(err), "what was in use is not forgotten by damage")
}

func TestAStaleBundleAllowsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundle")
	write(t, dir, own(t), key(t, 1))
	h, err := policy.NewHolder(ctx, dir, "", key(t, 1).Public())
	require.NoError(t, err)
	in := storage("CN", "KZ", statistics)
	in.Now = h.Engine().Bundle().Expires
	_, _, err = h.Judge(ctx, in)
	require.Equal(t, "POLICY_STALE", carnet.ReasonOf(err))
	require.Equal(t, carnet.Refused, carnet.KindOf(err))
}

// An archive is the same bundle as the folder that it was made of.
func TestArchives(t *testing.T) {
	want, err := policy.NewBundle(own(t))
	require.NoError(t, err)
	for _, compressed := range []bool{false, true} {
		name := filepath.Join(t.TempDir(), "bundle.tar")
		require.NoError(t, os.WriteFile(name, archive(t, own(t), compressed), 0o644))
		b, env, err := policy.Read(name)
		require.NoError(t, err)
		require.Nil(t, env)
		require.Equal(t, want.Digest, b.Digest)
	}
	several := func(n, size int) map[string][]byte {
		files := map[string][]byte{}
		for i := range n {
			files[fmt.Sprintf("rules/%d.rego", i)] = make([]byte, size)
		}
		return files
	}
	for name, c := range map[string]struct {
		files map[string][]byte
		says  string
	}{
		"up":                    {map[string][]byte{"../x.rego": nil}, "name is malformed"},
		"a large file":          {several(1, 1<<20+1), "too large"},
		"large together":        {several(9, 1<<20), "too large"},
		"many files of no size": {several(501, 0), "too large"},
	} {
		file := filepath.Join(t.TempDir(), "bundle.tar")
		require.NoError(t, os.WriteFile(file, archive(t, c.files, false), 0o644))
		_, _, err = policy.Read(file)
		require.Equal(t, "BAD_POLICY", carnet.ReasonOf(err), "%s: %v", name, err)
		require.ErrorContains(t, err, c.says, name)
	}
}

// An archive of kilobytes that unpacks to gigabytes, here of folders, is refused after its
// first megabytes.
func TestArchivesThatUnpackToGigabytes(t *testing.T) {
	var folder, packed bytes.Buffer
	require.NoError(t, tar.NewWriter(&folder).WriteHeader(&tar.Header{Name: "rules/", Mode: 0o755, Typeflag: tar.TypeDir}))
	g := gzip.NewWriter(&packed)
	_, err := g.Write(bytes.Repeat(folder.Bytes(), 8<<20/folder.Len()))
	require.NoError(t, err)
	require.NoError(t, g.Close())
	name := filepath.Join(t.TempDir(), "bundle.tar.gz")
	require.NoError(t, os.WriteFile(name, bytes.Repeat(packed.Bytes(), 400), 0o644)) // members of gzip follow each other
	_, _, err = policy.Read(name)
	require.Equal(t, "BAD_POLICY", carnet.ReasonOf(err), "%v", err)
	require.ErrorContains(t, err, "unpacks to more")
}

func archive(t *testing.T, files map[string][]byte, compressed bool) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for p, c := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: "./" + p, Mode: 0o644, Size: int64(len(c)), Typeflag: tar.TypeReg}))
		_, err := w.Write(c)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	if !compressed {
		return b.Bytes()
	}
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	_, err := g.Write(b.Bytes())
	require.NoError(t, err)
	require.NoError(t, g.Close())
	return z.Bytes()
}

// Bytes from outside never panic.
func FuzzBundle(f *testing.F) {
	f.Add([]byte("a: 1"), []byte("package carnet\n\ndecision := 1"))
	f.Add([]byte("{"), []byte("package"))
	f.Add([]byte("a: &a [*a]"), []byte("package carnet\n\nimport data.packs"))
	f.Fuzz(func(t *testing.T, data, rules []byte) {
		b, err := policy.NewBundle(map[string][]byte{
			policy.ManifestName: []byte("name: own\nversion: 1\nexpires: 2027-06-30T00:00:00Z\nroots: [rules]\n"),
			"rules/data.yaml":   data, "rules/base.rego": rules,
		})
		if err == nil {
			_, err = policy.NewEngine(ctx, b)
		}
		if err != nil {
			require.NotEmpty(t, carnet.ReasonOf(err))
		}
	})
}
