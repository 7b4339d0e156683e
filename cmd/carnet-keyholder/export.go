package main

import (
	"context"
	"encoding/json"
	"fmt"
)

type exportCmd struct {
	storeFlags
}

func (exportCmd) Help() string {
	return `Prints the statement in party.json after checking that it carries the keystore's
signature. It holds public keys only. Works while the keyholder runs.

Example:
  carnet-keyholder export-public --dir /var/lib/carnet > party.json`
}

func (c *exportCmd) Run(ctx context.Context, s streams) error {
	store, err := c.read(ctx, s)
	if err != nil {
		return err
	}
	defer store.Close()
	_, env, err := c.readParty(store)
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
