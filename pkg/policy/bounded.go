package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// maxMade bounds what the builtins below may make in one decision, in bytes as weigh counts
// them: a few kilobytes are usual. Rego itself has no bound of memory, and a deadline ends a
// decision between two calls, not within one: replace alone can turn a kilobyte into a
// gigabyte at once. What rules build without these, element by element, is bounded by how
// many steps fit into evaluationLimit, and by how many decisions are made at a time.
const maxMade = 64 << 20

// makers are the builtins whose result can be as large as their operands, or larger. Rules
// are compiled to call a function that counts first, see boundCalls.
var makers = []string{
	"concat", "replace", "sprintf", "split", "lower", "upper", "format_int", "round", "ceil", "floor",
	"array.concat", "array.reverse", "array.slice", "sort",
	"object.union", "object.remove", "object.filter", "object.keys",
	"or", "and", "minus", "set_diff", "union", "intersection",
}

// boundedName is the function that counts and then calls a maker.
func boundedName(maker string) string { return "bounded_" + strings.ReplaceAll(maker, ".", "_") }

// boundedBuiltins declares these functions.
func boundedBuiltins() (out []*ast.Builtin) {
	for _, name := range makers {
		b := *ast.BuiltinMap[name]
		b.Name, b.Infix, b.Relation = boundedName(name), "", false
		out = append(out, &b)
	}
	return out
}

// boundCalls has all rules call them in place of the makers. It is a stage of compilation
// after names were resolved, so that a rule keeps the name of its author, and after types were
// checked, whose errors name what the author wrote.
func boundCalls(c *ast.Compiler) *ast.Error {
	for _, m := range c.Modules {
		ast.WalkExprs(m, func(x *ast.Expr) bool {
			if terms, ok := x.Terms.([]*ast.Term); ok && x.IsCall() {
				if name := x.Operator().String(); slices.Contains(makers, name) {
					terms[0] = ast.NewTerm(ast.Ref{ast.VarTerm(boundedName(name))}).SetLocation(terms[0].Location)
				}
			}
			return false
		})
	}
	return nil
}

// boundedFunctions implements them.
func boundedFunctions() (out []func(*rego.Rego)) {
	for _, name := range makers {
		make := topdown.GetBuiltin(name)
		out = append(out, rego.FunctionDyn(&rego.Function{Name: boundedName(name), Decl: ast.BuiltinMap[name].Decl},
			func(c rego.BuiltinContext, operands []*ast.Term) (made *ast.Term, err error) {
				if err := take(c.Context, name, operands); err != nil {
					return nil, rego.NewHaltError(err)
				}
				err = make(c, operands, func(t *ast.Term) error { made = t; return nil })
				return made, err
			}))
	}
	return out
}

// left is what may still be made in a decision, in the context of its evaluation.
type left struct{}

func withBound(ctx context.Context) context.Context {
	n := maxMade
	return context.WithValue(ctx, left{}, &n)
}

// take counts what a call will make, before it does.
func take(ctx context.Context, maker string, operands []*ast.Term) error {
	n, ok := ctx.Value(left{}).(*int)
	if !ok {
		return fmt.Errorf("%s was called outside of a decision", maker)
	}
	size := func(i int) int { return len(textOf(operands[i])) }
	switch maker {
	case "replace": // text, old, new
		*n -= (strings.Count(textOf(operands[0]), textOf(operands[1])) + 1) * size(2)
	case "split":
		*n -= termBytes * (strings.Count(textOf(operands[0]), textOf(operands[1])) + 1)
	case "sprintf":
		if wide(textOf(operands[0])) {
			return fmt.Errorf("sprintf pads to more than %d characters", maxWidth)
		}
		*n -= size(0)
		before := *n
		weigh(operands[1], n, true)
		if format := textOf(operands[0]); strings.Contains(format, "[") { // which names an argument as often as it likes
			*n -= (before - *n) * strings.Count(format, "%")
		}
	case "concat":
		*n -= size(0) * elements(operands[1])
		weigh(operands[1], n, true)
	}
	for _, t := range operands {
		weigh(t, n, false)
	}
	if *n < 0 {
		return fmt.Errorf("the rules make more than %d MiB of text and lists (in %s)", maxMade>>20, maker)
	}
	return nil
}

// termBytes is about what an element of a list, set or object takes.
const termBytes = 64

// weigh takes the size of a term from what is left, in depth or its own only. It ends when
// nothing is left: a term can have its parts more than once, and be larger written out than
// memory.
func weigh(t *ast.Term, left *int, deep bool) {
	within := func(t *ast.Term) {
		if *left -= termBytes; deep && *left >= 0 {
			weigh(t, left, deep)
		}
	}
	switch x := t.Value.(type) {
	case ast.String:
		*left -= len(x)
	case ast.Number: // 1e999999 has few digits until it is written as a whole number
		if i := strings.IndexAny(string(x), "eE"); i >= 0 && len(x)-i > 4 {
			*left = -1
		}
		*left -= len(x)
	case *ast.Array:
		if !deep {
			*left -= termBytes * x.Len()
			return
		}
		x.Until(func(t *ast.Term) bool { within(t); return *left < 0 })
	case ast.Set:
		if !deep {
			*left -= termBytes * x.Len()
			return
		}
		_ = x.Until(func(t *ast.Term) bool { within(t); return *left < 0 })
	case ast.Object:
		if !deep {
			*left -= 2 * termBytes * x.Len()
			return
		}
		x.Until(func(k, v *ast.Term) bool { within(k); within(v); return *left < 0 })
	}
}

func textOf(t *ast.Term) string {
	s, _ := t.Value.(ast.String)
	return string(s)
}

func elements(t *ast.Term) int {
	switch x := t.Value.(type) {
	case *ast.Array:
		return x.Len()
	case ast.Set:
		return x.Len()
	}
	return 0
}

// maxWidth bounds what one verb of sprintf may pad to.
const maxWidth = 999

// wide reports whether a format pads, or may pad, further.
func wide(format string) bool {
	for {
		_, rest, found := strings.Cut(format, "%")
		if !found {
			return false
		}
		flags := len(rest) - len(strings.TrimLeft(rest, "+-# 0123456789.*[]"))
		if verb := rest[:flags]; strings.Contains(verb, "*") || len(verb) > len("+-# 999.999") || digits(verb) > 3 {
			return true
		}
		format = strings.TrimPrefix(rest[flags:], "%")
	}
}

// digits is the longest run of digits.
func digits(s string) (longest int) {
	for run := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < '0' || r > '9' }) {
		longest = max(longest, len(run))
	}
	return longest
}
