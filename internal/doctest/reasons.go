package doctest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Reason is a stable reason identifier and what the code says with it.
type Reason struct {
	Name     string
	Kinds    []string // as passed to carnet.E, where it is
	Messages []string // formats
	Remedies []string // formats of Fix
	Packages []string
}

var reasonForm = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// Reasons finds every reason in the Go sources below root's pkg and cmd: literals and
// constants that are passed to a parameter called reason, given to a field Reason, or
// assigned to a variable of one of these names, and constants called Reason….
// Test helpers and generated code are left out.
func Reasons(root string) (map[string]*Reason, error) {
	c := &collector{parameters: map[string][]int{}, constants: map[string]string{}, found: map[string]*Reason{}}
	for _, dir := range []string{"pkg", "cmd", filepath.Join("internal", "command")} {
		if err := c.parse(filepath.Join(root, dir)); err != nil {
			return nil, err
		}
	}
	for _, f := range c.files {
		c.declarations(f)
	}
	for _, f := range c.files {
		c.uses(f)
	}
	return c.found, nil
}

type source struct {
	pkg  string
	file *ast.File
}

type collector struct {
	files      []source
	parameters map[string][]int  // function name -> positions of parameters called reason
	constants  map[string]string // name -> value, where it has the form of a reason
	found      map[string]*Reason
}

func (c *collector) parse(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := e.Name(); {
		case e.IsDir() && (name == "api" || name == "testdata" || strings.HasSuffix(name, "test")):
			return filepath.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		c.files = append(c.files, source{f.Name.Name, f})
		return nil
	})
}

// declarations notes functions with a parameter called reason, and constants.
func (c *collector) declarations(s source) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			c.parametersOf(n.Name.Name, n.Type)
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i < len(n.Values) {
					if text, ok := literal(n.Values[i]); ok && reasonForm.MatchString(text) {
						c.constants[name.Name] = text
						if strings.HasPrefix(name.Name, "Reason") {
							c.add(s, n.Values[i])
						}
					}
				}
			}
		}
		return true
	})
}

func (c *collector) parametersOf(name string, f *ast.FuncType) {
	at := 0
	for _, field := range f.Params.List {
		for _, p := range field.Names {
			if p.Name == "reason" {
				c.parameters[name] = append(c.parameters[name], at)
			}
			at++
		}
	}
}

// uses collects the reasons of a file.
func (c *collector) uses(s source) {
	remedies := map[ast.Expr]string{} // call of E or Refuse -> remedy chained to it
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			c.call(s, n, remedies)
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && strings.EqualFold(k.Name, "reason") {
				c.add(s, n.Value)
			}
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if i < len(n.Rhs) && strings.EqualFold(nameOf(l), "reason") {
					c.add(s, n.Rhs[i])
				}
			}
		}
		return true
	})
}

func (c *collector) call(s source, n *ast.CallExpr, remedies map[ast.Expr]string) {
	name := nameOf(n.Fun)
	if name == "Fix" && len(n.Args) > 0 {
		text, _ := literal(n.Args[0])
		if len(n.Args) > 1 {
			if t, ok := literal(n.Args[1]); ok {
				text = strings.Replace(text, "%s", t, 1)
			}
		}
		// Fix(…) is chained to the call it corrects, perhaps over With and Because.
		for x := n.Fun; ; {
			sel, ok := x.(*ast.SelectorExpr)
			if !ok {
				break
			}
			inner, ok := sel.X.(*ast.CallExpr)
			if !ok {
				break
			}
			remedies[inner] = text
			x = inner.Fun
		}
	}
	for _, at := range slices.Compact(slices.Sorted(slices.Values(c.parameters[name]))) {
		if at >= len(n.Args) {
			continue
		}
		r := c.add(s, n.Args[at])
		if r == nil {
			continue
		}
		if name == "E" {
			r.Kinds = insert(r.Kinds, nameOf(n.Args[0]))
		}
		if at+1 < len(n.Args) {
			if t, ok := literal(n.Args[at+1]); ok {
				r.Messages = insert(r.Messages, t)
			}
		}
		r.Remedies = insert(r.Remedies, remedies[n])
	}
}

// add notes that the expression is a reason, if it is a literal or constant of that
// form.
func (c *collector) add(s source, x ast.Expr) *Reason {
	text, ok := literal(x)
	if !ok {
		text = c.constants[nameOf(x)]
	}
	if !reasonForm.MatchString(text) {
		return nil
	}
	r := c.found[text]
	if r == nil {
		r = &Reason{Name: text}
		c.found[text] = r
	}
	r.Packages = insert(r.Packages, s.pkg)
	return r
}

func literal(x ast.Expr) (string, bool) {
	l, ok := x.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// nameOf is the last part of a name such as carnet.E or e.Reason.
func nameOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

func insert(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Names are the names of reasons in order.
func Names(reasons map[string]*Reason) []string { return slices.Sorted(maps.Keys(reasons)) }
