package main

import (
	"fmt"

	"github.com/carnet-network/carnet/internal/command"
)

type versionCmd struct{}

func (versionCmd) Help() string {
	return `Example:
  carnet-keyholder version`
}

func (versionCmd) Run(s streams) error {
	fmt.Fprintln(s.out, "carnet-keyholder", command.Version())
	return nil
}
