package policy

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// parseCapabilities are those of rules, and all for tests, which run in no process that
// decides.
func parseCapabilities(p string) *ast.Capabilities {
	if isTest(p) {
		return ast.CapabilitiesForThisVersion()
	}
	return capabilities()
}

// compile compiles the rules and checks what Rego itself does not: that the decision is
// there, and that rules and laws belong to each other.
func (b *Bundle) compile() (*ast.Compiler, error) {
	var schema any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		return nil, err
	}
	set := ast.NewSchemaSet()
	set.Put(ast.SchemaRootRef, schema)
	c := ast.NewCompiler().WithCapabilities(compiled()).WithSchemas(set).WithStrict(true).
		WithStageAfterID(ast.StageCheckTypes, ast.CompilerStageDefinition{Name: "BoundCalls", MetricName: "bound_calls", Stage: boundCalls})
	modules := map[string]*ast.Module{}
	for p, m := range b.rules {
		modules[p] = m.Copy()
		if name := m.Package.Path.String(); name != "data.carnet" && !strings.HasPrefix(name, "data.carnet.") && !strings.HasPrefix(name, "data.carnet[") {
			return nil, badBundle(b, "%s has package %s, and rules are in package carnet and below", p, name)
		}
	}
	if c.Compile(modules); c.Failed() {
		return nil, badBundle(b, "its rules do not compile").Because(c.Errors)
	}
	if _, ok := b.data["carnet"]; ok {
		return nil, badBundle(b, "there is data under carnet, where rules are")
	}
	if len(c.GetRulesExact(ast.MustParseRef(entry))) == 0 {
		return nil, badBundle(b, "the rule %s is missing", entry)
	}
	if err := b.settings(c); err != nil {
		return nil, err
	}
	laws, err := b.laws()
	if err != nil {
		return nil, err
	}
	used := b.cited()
	for _, id := range slices.Sorted(maps.Keys(used)) {
		if !laws[id] {
			return nil, badBundle(b, "%s speaks by %s, which is not among the rules of its pack's data", used[id], id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(laws)) {
		if used[id] == "" {
			return nil, badBundle(b, "no rule speaks by %s, which is among the rules of its pack's data: is one missing?", id)
		}
	}
	return c, nil
}

// settings: every setting of config.yaml is read by a rule. One that is misspelt, or that
// there is no rule for, would be kept by nobody.
func (b *Bundle) settings(c *ast.Compiler) error {
	config, _ := b.data["config"].(map[string]any)
	read := map[string]bool{}
	for _, m := range c.Modules {
		ast.WalkTerms(m, func(t *ast.Term) bool {
			if s, ok := t.Value.(ast.String); ok {
				read[string(s)] = true
			}
			return false
		})
	}
	for _, name := range slices.Sorted(maps.Keys(config)) {
		switch {
		case read[name]:
		case name == "rounding":
			return badBundle(b, "config.yaml obliges to %s", noRounding)
		default:
			return badBundle(b, "no rule reads %s of config.yaml: is it misspelt?", name)
		}
	}
	return nil
}

var (
	ruleID = regexp.MustCompile(`^[a-z]{2,16}\.[a-z0-9-]{2,48}$`)
	aDate  = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
)

// laws lists the identifiers in the packs' data, each with all that a finding says.
func (b *Bundle) laws() (map[string]bool, error) {
	out := map[string]bool{}
	packs, _ := b.data["packs"].(map[string]any)
	for name, p := range packs {
		pack, _ := p.(map[string]any)
		rules, _ := pack["rules"].(map[string]any)
		if _, ok := pack["jurisdictions"].([]any); !ok || len(rules) == 0 {
			return nil, badBundle(b, "the data of pack %s has no rules or no list of jurisdictions", name)
		}
		for id, r := range rules {
			rule, _ := r.(map[string]any)
			field := func(f string) string { s, _ := rule[f].(string); return s }
			switch {
			case !ruleID.MatchString(id) || !strings.HasPrefix(id, name+"."):
				return nil, badBundle(b, "the rule %q of pack %s is not named %s.<words>", id, name, name)
			case field("law") == "" || field("source") == "":
				return nil, badBundle(b, "rule %s does not say law and source", id)
			case !aDate.MatchString(field("in_force")) || field("until") != "" && !aDate.MatchString(field("until")):
				return nil, badBundle(b, "rule %s has dates that are not written as 2026-03-26", id)
			case !slices.Contains([]string{"in_force", "draft", "repealed"}, field("status")):
				return nil, badBundle(b, "rule %s has a status other than in_force, draft, repealed", id)
			case !slices.Contains([]string{"high", "medium", "low"}, field("confidence")):
				return nil, badBundle(b, "rule %s has a confidence other than high, medium, low", id)
			}
			out[id] = true
		}
	}
	return out, nil
}

// cited finds the identifiers that rules are written with, and in which file each is.
func (b *Bundle) cited() map[string]string {
	out := map[string]string{}
	for p, m := range b.rules {
		ast.WalkTerms(m, func(t *ast.Term) bool {
			s, ok := t.Value.(ast.String)
			if ok && ruleID.MatchString(string(s)) {
				out[string(s)] = p
			}
			return false
		})
	}
	return out
}
