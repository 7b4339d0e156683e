package policy

import (
	"crypto/ed25519"
	"crypto/sha256"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Files of a bundle that are not rules or data.
const (
	ManifestName  = "bundle.yaml"     // name, version, roots, expiry: written by the author
	SignatureName = "bundle.sig.json" // the signed list of files: written by Sign
)

// Limits of a bundle.
const (
	maxFiles      = 500
	maxFileBytes  = 1 << 20
	maxTotalBytes = 8 << 20
)

// Bundle is a set of rules and their data, read and checked but not compiled. Its files
// do not change after it was made.
type Bundle struct {
	Manifest
	Digest carnet.Hash            // of name, version, roots, expiry and all files
	Signed *evidence.Envelope     // nil if it came with the program
	files  map[string][]byte      // rules and data, by path
	data   map[string]any         // from the files of data
	rules  map[string]*ast.Module // from the files of rules, tests left out
	tests  map[string]*ast.Module
}

// Manifest is what an author says about a bundle.
type Manifest struct {
	Name    string    `json:"name" yaml:"name"`
	Version int64     `json:"version" yaml:"version"` // a judge accepts no older version of the same name
	Expires time.Time `json:"expires" yaml:"expires"` // from then on it is stale and allows nothing
	Roots   []string  `json:"roots" yaml:"roots"`     // top-level folders and files that belong to it; any other is refused
}

// statement is what is signed: the manifest, and the hash of every file.
type statement struct {
	Manifest
	Files []file `json:"files"`
}

type file struct {
	Path string      `json:"path"`
	Hash carnet.Hash `json:"sha256"`
}

// NewBundle checks files and reads them: rules are Rego, data is YAML or JSON, everything
// lies under one of the roots. Compiling is left to NewEngine.
func NewBundle(files map[string][]byte) (*Bundle, error) {
	b := &Bundle{files: map[string][]byte{}, data: map[string]any{}, rules: map[string]*ast.Module{}, tests: map[string]*ast.Module{}}
	m, ok := files[ManifestName]
	if !ok {
		return nil, badBundle(b, "there is no %s", ManifestName)
	}
	if err := decodeYAML(m, &b.Manifest); err != nil {
		return nil, badBundle(b, "%s can't be read", ManifestName).Because(err)
	}
	b.Expires = b.Expires.UTC()
	switch {
	case !carnet.ValidName(b.Name):
		return nil, badBundle(b, "its name is missing or malformed")
	case b.Version < 1:
		return nil, badBundle(b, "its version is not a number from 1 up")
	case b.Expires.IsZero():
		return nil, badBundle(b, "it does not say when it expires")
	}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		if p == ManifestName || p == SignatureName || path.Ext(p) == ".md" {
			continue
		}
		if err := b.add(p, files[p]); err != nil {
			return nil, err
		}
	}
	s, err := evidence.Seal(carnet.TypePolicyBundle, b.statement())
	if err != nil {
		return nil, err
	}
	b.Digest = s.Hash()
	return b, nil
}

// add reads one file.
func (b *Bundle) add(p string, content []byte) error {
	root, _, _ := strings.Cut(p, "/")
	if !slices.Contains(b.Roots, root) && !slices.Contains(b.Roots, strings.TrimSuffix(root, path.Ext(root))) {
		return badBundle(b, "the file %s is outside of its roots %s", p, strings.Join(b.Roots, ", "))
	}
	switch path.Ext(p) {
	case ".rego":
		mod, err := ast.ParseModuleWithOpts(p, string(content), ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: parseCapabilities(p)})
		if err != nil {
			return badBundle(b, "%s does not parse", p).Because(err)
		}
		if isTest(p) {
			b.tests[p] = mod
		} else {
			b.rules[p] = mod
		}
	case ".yaml", ".json":
		v, err := readData(content)
		if err == nil {
			err = put(b.data, strings.Split(strings.TrimSuffix(p, path.Ext(p)), "/"), v)
		}
		if err != nil {
			return badBundle(b, "the data in %s can't be read", p).Because(err)
		}
	default:
		return badBundle(b, "the file %s is neither rules (.rego) nor data (.yaml, .json)", p)
	}
	b.files[p] = content
	return nil
}

func isTest(p string) bool { return strings.HasSuffix(p, "_test.rego") }

func (b *Bundle) statement() *statement {
	s := &statement{Manifest: b.Manifest, Files: []file{}}
	s.Roots = list(s.Roots)
	for _, p := range slices.Sorted(maps.Keys(b.files)) {
		s.Files = append(s.Files, file{p, sha256.Sum256(b.files[p])})
	}
	return s
}

// Sign signs the bundle: the envelope belongs into its folder as bundle.sig.json.
func (b *Bundle) Sign(signers ...evidence.Signer) (*evidence.Envelope, error) {
	return evidence.Seal(carnet.TypePolicyBundle, b.statement(), signers...)
}

// Verify checks that a holder of one of the keys signed exactly this bundle.
func (b *Bundle) Verify(env *evidence.Envelope, keys ...ed25519.PublicKey) error {
	if env == nil {
		return carnet.E(carnet.Precondition, "POLICY_UNSIGNED", "the policy bundle %s has no %s", b.Name, SignatureName).
			Fix("sign it with carnet policy sign")
	}
	if env.PayloadType != carnet.TypePolicyBundle || env.Hash() != b.Digest {
		return carnet.E(carnet.Invalid, "POLICY_CHANGED", "the policy bundle %s is not the one that was signed", b.Name).
			Fix("its files were changed after it was signed; take it anew from its author, or review and sign it again")
	}
	if !slices.ContainsFunc(keys, env.SignedBy) {
		return carnet.E(carnet.Forbidden, "POLICY_SIGNATURE", "the policy bundle %s is not signed by a trusted policy key", b.Name).
			Fix("have it signed with the key that is configured, or configure the key of whom you trust")
	}
	b.Signed = env
	return nil
}

func badBundle(b *Bundle, format string, args ...any) *carnet.Error {
	name := b.Name
	if name == "" {
		name = "without a name"
	}
	return carnet.E(carnet.Invalid, "BAD_POLICY", "the policy bundle "+name+" can't be used: "+format, args...).
		Fix("correct it; carnet policy check finds the same faults")
}

// Files returns the rules and data by path; the contents are not to be changed.
func (b *Bundle) Files() map[string][]byte { return maps.Clone(b.files) }

// Data returns what the files of data say; it is not to be changed.
func (b *Bundle) Data() map[string]any { return b.data }
