// Command asm generates the amd64 assembly of the repository with avo. It is a module
// of its own, so that the programs do not depend on avo:
//
//	cd tools/asm && go run . ../..
//
// Every generated function has a Go twin that is always there and is held equal to it
// by tests; functions this machine can't run are checked by the interpreter in this
// module's tests.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// unit is one generated file with its Go declarations.
type unit struct {
	dir, name, pkg string
	emit           func(*build.Context)
}

var units = []unit{
	{"pkg/he/internal/vaes", "vaes", "vaes", emitVAES},
	{"pkg/he/internal/inner", "inner", "inner", emitInner},
	{"pkg/scan/internal/kernel", "kernel", "kernel", emitKernels},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: asm REPOSITORY")
		os.Exit(2)
	}
	for _, u := range units {
		if err := u.write(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// function begins a function that needs no stack and keeps no pointer.
func function(c *build.Context, name, signature string) {
	c.Function(name)
	c.Attributes(attr.NOSPLIT)
	c.SignatureExpr(signature)
	c.Pragma("noescape")
}

// compile returns the unit's functions with registers allocated.
func (u unit) compile() (*ir.File, error) {
	ctx := build.NewContext()
	ctx.ConstraintExpr("!purego")
	u.emit(ctx)
	f, err := ctx.Result()
	if err != nil {
		return nil, err
	}
	return f, pass.Compile.Execute(f)
}

func (u unit) write(root string) error {
	f, err := u.compile()
	if err != nil {
		return err
	}
	cfg := printer.Config{Name: "tools/asm", Pkg: u.pkg}
	for file, p := range map[string]printer.Printer{
		u.name + "_amd64.s":       printer.NewGoAsm(cfg),
		u.name + "_stub_amd64.go": printer.NewStubs(cfg),
	} {
		b, err := p.Print(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, u.dir, file), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
