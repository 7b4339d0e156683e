package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
)

type destroyCmd struct {
	storeFlags
	command.Output
	Key string `arg:"" help:"Key identifier as status lists it; the whole one."`
	Yes bool   `help:"Don't ask."`
}

func (destroyCmd) Help() string {
	return `Removes this keyholder's seeds of a key from the keystore, for good: the key can
never be dealt here again, and queries under it are refused from now on. Stop
the running keyholder first. When it runs again it signs in the journal that the
seeds are destroyed. Copies of the keystore made earlier still hold them; destroy
them too. Keys that their owners retired are destroyed without this command, unless
the keyholder runs with --retired keep.

Example:
  carnet-keyholder destroy --dir /var/lib/carnet 5f0c...e1`
}

func (c *destroyCmd) Run(ctx context.Context, s streams) error {
	key, err := command.WholeID[carnet.KeyID]("key", c.Key, "carnet-keyholder status")
	if err != nil {
		return err
	}
	store, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	defer store.Close()
	held, err := store.List(ctx)
	if err != nil {
		return err
	}
	if !c.Yes {
		fmt.Fprintf(s.err, "This destroys the seeds of key %s for good.\nType the first 8 digits of the key to go on: ", key)
		line, _ := bufio.NewReader(s.in).ReadString('\n')
		if strings.TrimSpace(line) != key.String()[:8] {
			return carnet.E(carnet.Canceled, "NOT_CONFIRMED", "nothing was destroyed")
		}
	}
	// The ledger first: after a stop in between the next run does the rest.
	if _, err := os.Stat(c.ledger()); err == nil {
		if err := keyholder.MarkDestroyed(ctx, c.ledger(), key); err != nil {
			return err
		}
	}
	if err := store.Destroy(ctx, key); err != nil {
		return err
	}
	if !slices.Contains(held, key) {
		return c.Report(s.out, map[string]any{"key": key, "state": "barred"}, "barred %s: no seeds of it are here, and none will be taken\n", key)
	}
	return c.Report(s.out, map[string]any{"key": key, "state": "destroyed"}, "destroyed %s\n", key)
}
