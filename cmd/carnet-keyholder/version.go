package main

import "github.com/carnet-network/carnet/internal/command"

type versionCmd struct{ command.Output }

func (versionCmd) Help() string {
	return `Example:
  carnet-keyholder version`
}

func (c versionCmd) Run(s streams) error {
	return c.Report(s.out, command.About{Program: "carnet-keyholder", Version: command.Version()}, "carnet-keyholder %s\n", command.Version())
}
