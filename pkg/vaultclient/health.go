package vaultclient

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Health says whether Vault serves requests now. It needs no permission and no token, so
// that it says nothing about those, and is asked without a namespace: within one there is
// no such path. Errors: Unavailable (VAULT_SEALED, VAULT_UNREACHABLE,
// VAULT_UNAVAILABLE).
func (c *Client) Health(ctx context.Context) error {
	h, err := c.api.WithNamespace("").Sys().HealthWithContext(ctx)
	switch {
	case err != nil:
		return Explain("ask for its health", err)
	case !h.Initialized:
		return carnet.E(carnet.Unavailable, "VAULT_UNAVAILABLE", "Vault is not initialised").Fix("initialise it, or restore its storage")
	case h.Sealed:
		return sealed()
	}
	return nil
}
