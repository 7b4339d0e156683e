package main

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/policy/regotest"
)

type policyCmd struct {
	Export policyExportCmd `cmd:"" help:"Write the bundle that comes with the programs into a folder, to start from."`
	Check  policyCheckCmd  `cmd:"" help:"Compile a bundle as a judge does, and run its tests."`
	Sign   policySignCmd   `cmd:"" help:"Sign a bundle with this identity."`
	Key    policyKeyCmd    `cmd:"" help:"Print this identity's public key, for --policy-key."`
	Replay policyReplayCmd `cmd:"" help:"Repeat a signed decision."`
}

type policyExportCmd struct {
	Dir string `arg:"" help:"Folder to make." type:"path"`
}

func (policyExportCmd) Help() string {
	return `Example:
  carnet policy export my-policy`
}

func (c *policyExportCmd) Run(a *app) error {
	b, err := policy.Default()
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.Dir); err == nil {
		return carnet.E(carnet.Exists, "FILE_EXISTS", "%s exists already", c.Dir).Fix("choose another folder")
	}
	files := b.Files()
	files[policy.ManifestName] = policy.DefaultManifest()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(c.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
	}
	a.printf("%s: %s version %d, %s\n", c.Dir, b.Name, b.Version, plural(len(files), "file"))
	return nil
}

type policyCheckCmd struct {
	Bundle string `arg:"" help:"Folder or archive, or builtin."`
}

func (policyCheckCmd) Help() string {
	return `Finds what a gateway or keyholder would refuse: syntax, fields that the input does not
have, functions that rules may not call, a rule without a law or a law without a rule. Then runs
the rules test_* of the files *_test.rego, as opa test does. A signature is not asked for.

Example:
  carnet policy check my-policy`
}

func (c *policyCheckCmd) Run(a *app) error {
	b, env, err := openBundle(c.Bundle)
	if err != nil {
		return err
	}
	results, err := regotest.Run(a.ctx, b)
	if err != nil {
		return err
	}
	failed := carnet.E(carnet.Invalid, "BAD_POLICY", "tests of policy bundle %s failed", b.Name).Fix("correct the rules or the tests")
	for _, r := range results {
		switch {
		case r.Err != nil:
			failed = failed.With(r.At, "%s: %v", r.Name, r.Err)
		case !r.Pass:
			failed = failed.With(r.At, "%s is not true", r.Name)
		}
	}
	if len(failed.Violations) > 0 {
		return failed
	}
	signed := "not signed"
	switch {
	case c.Bundle == policy.Builtin:
		signed = "comes with this program"
	case env != nil && env.Hash() == b.Digest:
		signed = "signed"
	case env != nil:
		signed = "changed since it was signed"
	}
	packs, _ := b.Data()["packs"].(map[string]any)
	var names []string
	for name, p := range packs {
		if list, _ := p.(map[string]any)["jurisdictions"].([]any); len(list) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	a.printf("%s version %d, until %s, %s\ndigest %s\npacks: %s\n%s passed\n", b.Name, b.Version, b.Expires.Format("2006-01-02"), signed, b.Digest,
		strings.Join(names, ", "), plural(len(results), "test"))
	return nil
}

type policySignCmd struct {
	Dir string `arg:"" help:"Folder of the bundle." type:"path"`
}

func (policySignCmd) Help() string {
	return `Compiles the bundle and writes bundle.sig.json into its folder. Judges take it if they trust the
key (carnet policy key), and if its version is above that of the one in use. Whoever signs answers
for the rules: use an identity of its own.

Example:
  carnet --home lawyer policy sign my-policy`
}

func (c *policySignCmd) Run(a *app) error {
	b, _, err := policy.Read(c.Dir)
	if err != nil {
		return err
	}
	if _, err := policy.NewEngine(a.ctx, b); err != nil {
		return err
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	id, err := a.identity(cfg)
	if err != nil {
		return err
	}
	env, err := b.Sign(id)
	if err != nil {
		return err
	}
	out, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Dir, policy.SignatureName), append(out, '\n'), 0o644); err != nil {
		return err
	}
	a.printf("signed %s version %d as %s\ndigest %s\n", b.Name, b.Version, id.Party(), b.Digest)
	return nil
}

type policyKeyCmd struct{}

func (policyKeyCmd) Help() string {
	return `Example:
  carnet --home lawyer policy key > policy.pub`
}

func (c *policyKeyCmd) Run(a *app) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	id, err := a.identity(cfg)
	if err != nil {
		return err
	}
	a.printf("%s\n", base64.StdEncoding.EncodeToString(id.Public()))
	return nil
}

type policyReplayCmd struct {
	Decision string `arg:"" help:"Signed decision, a file with its envelope, as the journal has it." type:"path"`
	Bundle   string `help:"Bundle that the decision names: folder, archive or builtin." default:"builtin" placeholder:"BUNDLE"`
}

func (policyReplayCmd) Help() string {
	return `Repeats every flow that the decision judged, from the bytes of its input, and compares. Whether
the signature is the judge's is not checked here: it needs the judge's registration.

Example:
  carnet policy replay decision.json --bundle my-policy`
}

func (c *policyReplayCmd) Run(a *app) error {
	content, err := readInput("decision", c.Decision)
	if err != nil {
		return err
	}
	var env evidence.Envelope
	if err := json.Unmarshal(content, &env); err != nil {
		return carnet.E(carnet.Invalid, "BAD_ENVELOPE", "%s is not a signed statement", c.Decision).Because(err)
	}
	var d carnet.Decision
	if err := env.Decode(carnet.TypeDecision, &d); err != nil {
		return err
	}
	b, _, err := openBundle(c.Bundle)
	if err != nil {
		return err
	}
	e, err := policy.NewEngine(a.ctx, b)
	if err != nil {
		return err
	}
	if len(d.Judged) == 0 {
		return carnet.E(carnet.Invalid, "OTHER_POLICY", "the decision of %s was not made by a policy bundle", d.By).Fix("owners' terms are judged from the manifests")
	}
	for i := range d.Judged {
		if err := e.Replay(a.ctx, &d.Judged[i]); err != nil {
			return err
		}
		verdict := "refused"
		if d.Judged[i].Allow {
			verdict = "allowed"
		}
		a.printf("%s: %s, as signed\n", d.Judged[i].Flow, verdict)
	}
	return nil
}

func openBundle(name string) (*policy.Bundle, *evidence.Envelope, error) {
	if name == policy.Builtin {
		b, err := policy.Default()
		return b, nil, err
	}
	return policy.Read(name)
}
