package main

import (
	"os"

	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/ident"
)

// gatewayEnv overrides the address in config.yaml.
const gatewayEnv = "CARNET_GATEWAY"

// connect prepares the connection that config.yaml describes. The caller closes it.
func (a *app) connect() (*client.Client, *config, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, nil, err
	}
	registrar, err := ident.ReadAnchor(a.path(cfg.Registrar))
	if err != nil {
		return nil, nil, err
	}
	tlsConfig, err := ident.ClientTLS(a.path(cfg.Cert), a.path(cfg.Key), a.path(cfg.CA))
	if err != nil {
		return nil, nil, err
	}
	if g := os.Getenv(gatewayEnv); g != "" {
		cfg.Gateway = g
	}
	c, err := client.Dial(cfg.Gateway, tlsConfig, registrar)
	return c, cfg, err
}

// connectAs also opens the identity, for commands that sign.
func (a *app) connectAs() (*client.Client, *config, *ident.Identity, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, nil, nil, err
	}
	id, err := a.identity(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	c, cfg, err := a.connect() // reads the configuration once more, with overrides
	return c, cfg, id, err
}
