package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// access maps "RegistryService.GetParty" to the roles that may call it, as the table
// in pkg/server says.
func access(root string) (map[string]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "pkg", "server", "methods.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	sets := map[string]string{}
	out := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range v.Names {
			if len(v.Values) == 0 {
				sets[name.Name] = "any registered party"
				continue
			}
			if lit, ok := v.Values[i].(*ast.CompositeLit); ok {
				if name.Name == "rules" {
					readRules(lit, sets, out)
				} else if roles := roleNames(lit); roles != "" {
					sets[name.Name] = roles
				}
			}
		}
		return true
	})
	if len(out) == 0 {
		return nil, fmt.Errorf("pkg/server/methods.go: no rules found")
	}
	return out, nil
}

// roleNames reads []carnet.Role{carnet.RoleOwner, …}.
func roleNames(lit *ast.CompositeLit) string {
	var out []string
	for _, e := range lit.Elts {
		s, ok := e.(*ast.SelectorExpr)
		if !ok || !strings.HasPrefix(s.Sel.Name, "Role") {
			return ""
		}
		out = append(out, strings.ToLower(strings.TrimPrefix(s.Sel.Name, "Role")))
	}
	return strings.Join(out, ", ")
}

func readRules(lit *ast.CompositeLit, sets, out map[string]string) {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, ok := kv.Key.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		method := strings.Replace(strings.TrimSuffix(key.Sel.Name, "_FullMethodName"), "_", ".", 1)
		out[method] = "any registered party"
		rule, ok := kv.Value.(*ast.CompositeLit)
		if !ok {
			continue
		}
		for _, f := range rule.Elts {
			field, ok := f.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			switch name, _ := field.Key.(*ast.Ident); name.Name {
			case "stranger":
				out[method] = "anyone with a certificate of the network"
			case "roles":
				if set, ok := field.Value.(*ast.Ident); ok {
					out[method] = sets[set.Name]
				}
			}
		}
	}
}
