package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/carnet-network/carnet/pkg/carnettest"
)

// harness is what the whole-system tests want of a test, outside one: the first
// failure ends the work and becomes its error.
type harness struct {
	testing.TB // for its unexported method; every other that is used is below
	ctx        context.Context
	say        func(format string, args ...any)
	err        error
	dirs       []string
	cleanups   []func()
}

type failed struct{}

func (h *harness) Helper()                           {}
func (h *harness) Name() string                      { return "bench" }
func (h *harness) Context() context.Context          { return h.ctx }
func (h *harness) Failed() bool                      { return h.err != nil }
func (h *harness) Cleanup(f func())                  { h.cleanups = append(h.cleanups, f) }
func (h *harness) Log(args ...any)                   { h.say("%s", fmt.Sprint(args...)) }
func (h *harness) Logf(format string, args ...any)   { h.say(format, args...) }
func (h *harness) FailNow()                          { panic(failed{}) }
func (h *harness) Fatalf(format string, args ...any) { h.Errorf(format, args...); h.FailNow() }

func (h *harness) Errorf(format string, args ...any) {
	if h.err == nil {
		h.err = fmt.Errorf(format, args...)
	}
}

func (h *harness) TempDir() string {
	dir, err := os.MkdirTemp("", "carnet-bench-")
	if err != nil {
		h.Fatalf("temporary folder: %v", err)
	}
	h.dirs = append(h.dirs, dir)
	return dir
}

// withNetwork runs work in a network of five keyholders, of whom three release, all in
// this process.
func (b *bench) withNetwork(ctx context.Context, owners []carnettest.Owner, work func(t testing.TB, n *carnettest.Network) error) error {
	return b.withHarness(ctx, func(t testing.TB) error {
		return work(t, carnettest.Start(t, carnettest.Options{Keyholders: 5, Threshold: 3, Owners: owners}))
	})
}

// withHarness runs work that wants what tests have.
func (b *bench) withHarness(ctx context.Context, work func(t testing.TB) error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &harness{ctx: ctx, say: b.say}
	guard := func(f func()) {
		defer func() {
			if p := recover(); p != nil {
				if _, ours := p.(failed); !ours {
					panic(p)
				}
			}
		}()
		f()
	}
	defer func() {
		for _, f := range slices.Backward(h.cleanups) {
			guard(f)
		}
		for _, d := range h.dirs {
			_ = os.RemoveAll(d) // temporary
		}
		if err == nil {
			err = h.err
		}
	}()
	guard(func() { err = work(h) })
	return err
}
