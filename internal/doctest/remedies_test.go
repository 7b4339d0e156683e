package doctest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// passedOn are the functions that make refusals of others', with the remedy that those
// have; each sets it in a statement of its own.
var passedOn = map[string]string{
	"pkg/terms/terms.go Error":           "of the condition",
	"pkg/flow/policy.go refusedBy":       "of the first refusal",
	"pkg/client/assess.go Error":         "of the first refusal",
	"pkg/client/watch.go failed":         "of the first refusal",
	"pkg/policy/refusal.go Refusal":      "of the finding or obligation",
	"pkg/keyholder/checks.go refuse":     "callers add it: they are looked at themselves",
	"pkg/keyholder/checks.go asRefusal":  "of the error, or its default",
	"cmd/carnet/assess.go conclude":      "of the first refusal",
	"cmd/carnet/explain.go Run":          "of the first refusal",
	"pkg/schema/formula.go step":         "in the sentence of s.variable",
	"pkg/query/refusal.go Refuse":        "callers add it: they are looked at themselves",
	"internal/command/errors.go FromErr": "of the error",
}

// TestEveryRefusalHasARemedy: a refusal by terms, policies, the SQL subset or a keyholder
// says what its reader can do. It looks at every place of the code that makes one.
func TestEveryRefusalHasARemedy(t *testing.T) {
	root := repository(t)
	found := 0
	for _, dir := range []string{"pkg", "cmd", "internal"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			rel, _ := filepath.Rel(root, path)
			files := token.NewFileSet()
			f, err := parser.ParseFile(files, path, nil, 0)
			require.NoError(t, err)
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if passedOn[filepath.ToSlash(rel)+" "+fn.Name.Name] != "" {
					found++
					continue
				}
				fixed := map[ast.Node]string{}
				later := addedLater(fn)
				ast.Inspect(fn, func(n ast.Node) bool {
					if a, ok := n.(*ast.AssignStmt); ok && len(a.Rhs) == 1 && later[nameOf(a.Lhs[0])] {
						for x := a.Rhs[0]; x != nil; x = receiver(x) {
							fixed[x] = "%s"
						}
					}
					call, ok := n.(*ast.CallExpr)
					if !ok {
						return true
					}
					if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Fix" {
						text := "%s"
						if len(call.Args) > 0 {
							if s, ok := literal(call.Args[0]); ok {
								text = s
							}
						}
						for x := sel.X; x != nil; x = receiver(x) {
							fixed[x] = text
						}
					}
					return true
				})
				ast.Inspect(fn, func(n ast.Node) bool {
					call, ok := n.(*ast.CallExpr)
					if !ok || !makesRefusal(filepath.ToSlash(rel), call) {
						return true
					}
					found++
					remedy, ok := fixed[call]
					switch {
					case !ok:
						t.Errorf("%s: a refusal without a remedy", files.Position(call.Pos()))
					case remedy != "%s" && len(strings.Fields(remedy)) < 2:
						t.Errorf("%s: the remedy %q tells nobody what to do", files.Position(call.Pos()), remedy)
					}
					return true
				})
			}
			return nil
		}))
	}
	require.Greater(t, found, 100)
}

// receiver is what a method is called on: x of x.With(…), nil for anything else.
func receiver(x ast.Expr) ast.Expr {
	if call, ok := x.(*ast.CallExpr); ok {
		if s, ok := call.Fun.(*ast.SelectorExpr); ok {
			return s.X
		}
	}
	return nil
}

// addedLater lists the variables of a function that get a remedy in a statement of their
// own: e.Fix(…) or e.Remedy = ….
func addedLater(fn *ast.FuncDecl) map[string]bool {
	out := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Fix" || s.Sel.Name == "Remedy") {
			if x, ok := s.X.(*ast.Ident); ok {
				out[x.Name] = true
			}
		}
		return true
	})
	return out
}

// makesRefusal recognises refuse(...) of keyholders, query.Refuse(...) and
// carnet.E(carnet.Refused, ...).
func makesRefusal(file string, call *ast.CallExpr) bool {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name == "refuse" && strings.HasPrefix(file, "pkg/keyholder/") || fun.Name == "Refuse" && strings.HasPrefix(file, "pkg/query/")
	case *ast.SelectorExpr:
		pkg, ok := fun.X.(*ast.Ident)
		if !ok {
			return false
		}
		if pkg.Name == "query" && fun.Sel.Name == "Refuse" {
			return true
		}
		if pkg.Name == "carnet" && fun.Sel.Name == "E" && len(call.Args) > 0 {
			kind, ok := call.Args[0].(*ast.SelectorExpr)
			return ok && kind.Sel.Name == "Refused"
		}
	}
	return false
}
