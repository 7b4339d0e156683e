package main

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
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
	tlsConfig, err := a.clientTLS(cfg)
	if err != nil {
		return nil, nil, err
	}
	for _, cert := range tlsConfig.Certificates {
		if err := ident.InForce(cert.Leaf, time.Now()); err != nil {
			return nil, nil, err
		}
		if who, err := ident.PartyFromCert(cert.Leaf); err == nil && cfg.Party.ID != "" && who != cfg.Party.ID {
			return nil, nil, carnet.E(carnet.Precondition, "WRONG_CERTIFICATE", "the certificate names %s, and %s is of %s: the gateway would take you for %s", who, configFile, cfg.Party.ID, who).
				Fix("put the certificate and private key of %s there (%s), or point --home to the directory of %s", cfg.Party.ID, a.path(cfg.Cert), who)
		}
	}
	if g := os.Getenv(gatewayEnv); g != "" {
		cfg.Gateway = g
	}
	if _, _, err := net.SplitHostPort(cfg.Gateway); err != nil {
		return nil, nil, carnet.E(carnet.Invalid, "BAD_GATEWAY_ADDRESS", "%q is not the address of a gateway", cfg.Gateway).
			Fix("write it as HOST:PORT in %s or %s", a.path(configFile), gatewayEnv)
	}
	c, err := client.Dial(cfg.Gateway, tlsConfig, registrar)
	return c, cfg, err
}

// connectAs also opens the identity, for commands that sign; one that was prepared to replace it,
// once the journal has that.
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
	if err != nil {
		return nil, nil, nil, err
	}
	if id, err = a.settle(c, cfg, id); err != nil {
		return nil, nil, nil, errors.Join(err, c.Close())
	}
	return c, cfg, id, nil
}
