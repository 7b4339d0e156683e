// Package regotest runs the tests that a policy bundle brings along. It is apart from
// package policy so that programs that only decide do not link it.
package regotest

import (
	"context"
	"fmt"
	"path"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/policy"
)

// Result is one test.
type Result struct {
	Package, Name string
	At            string // file and line
	Pass          bool
	Err           error // the test did not run to its end
}

// Run runs the tests in a bundle's files *_test.rego, with the meaning that opa test
// gives them: a rule whose name begins with test_ passes if it is true. Tests may use
// every builtin; the rules that they test are compiled as a judge does.
func Run(ctx context.Context, b *policy.Bundle) ([]Result, error) {
	if _, err := policy.NewEngine(ctx, b); err != nil {
		return nil, err
	}
	modules := map[string]*ast.Module{}
	for name, content := range b.Files() {
		if path.Ext(name) != ".rego" {
			continue
		}
		m, err := ast.ParseModuleWithOpts(name, string(content), ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, err
		}
		modules[name] = m
	}
	store := inmem.NewFromObject(b.Data())
	txn, err := store.NewTransaction(ctx, storage.TransactionParams{})
	if err != nil {
		return nil, err
	}
	defer store.Abort(ctx, txn)
	ch, err := tester.NewRunner().SetCompiler(ast.NewCompiler()).SetStore(store).SetModules(modules).RunTests(ctx, txn)
	if err != nil {
		return nil, carnet.E(carnet.Invalid, "BAD_POLICY", "the tests of policy bundle %s do not compile", b.Name).Because(err)
	}
	var out []Result
	for r := range ch {
		out = append(out, Result{Package: r.Package, Name: r.Name, At: fmt.Sprint(r.Location), Pass: r.Pass(), Err: r.Error})
	}
	return out, ctx.Err()
}
