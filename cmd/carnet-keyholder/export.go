package main

import (
	"encoding/json"
	"fmt"

	"github.com/carnet-network/carnet/pkg/keys/agefile"
)

type exportCmd struct {
	dirFlag
	secretFlags
}

func (exportCmd) Help() string {
	return `Prints the statement in party.json after checking that it carries the keystore's
signature. It holds public keys only. Works while the keyholder runs.

Example:
  carnet-keyholder export-public --dir /var/lib/carnet > party.json`
}

func (c *exportCmd) Run(s streams) error {
	p, err := c.protection(s, false)
	if err != nil {
		return err
	}
	store, err := agefile.OpenReadOnly(c.keystore(), p)
	if err != nil {
		return err
	}
	defer store.Close()
	_, env, err := readParty(c.party(), store)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s\n", b)
	return nil
}
