package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by release builds.
var version = ""

type versionCmd struct{}

func (versionCmd) Help() string {
	return `Example:
  carnet-keyholder version`
}

func (versionCmd) Run(s streams) error {
	v := version
	if v == "" {
		v = "(devel)"
		if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
			v = b.Main.Version
		}
	}
	fmt.Fprintln(s.out, "carnet-keyholder", v)
	return nil
}
