package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// startVaults starts a HashiCorp Vault for every keyholder, prepares it as its
// administrator would, and writes the keyholder's vault.yaml.
func (d *demo) startVaults() error {
	d.vaults = make([]*vaultserver.Server, len(keyholders))
	ctx, done := context.WithTimeout(d.ctx, time.Minute)
	defer done()
	var g errgroup.Group
	g.SetLimit(2)
	for i, k := range keyholders {
		g.Go(func() error {
			dir := filepath.Join(d.dir, "vault-of-"+k.id)
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			s, err := vaultserver.Start(ctx, vaultserver.Options{Dir: dir})
			if err != nil {
				return err
			}
			d.vaults[i] = s
			login, err := s.Provision(ctx, "keyholder", carnet.PartyID(k.id), d.home(k.id))
			if err != nil {
				return err
			}
			text, err := yaml.Marshal(struct {
				vaultclient.Config `yaml:",inline"`
				Keystore           vaultsecret.Config `yaml:"keystore"`
			}{login, vaultsecret.Config{Name: k.id}})
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(d.home(k.id), "vault.yaml"), text, 0o600)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	fmt.Printf("%d Vault servers run, one for each keyholder, with TLS and an audit file.\n", len(d.vaults))
	return nil
}

func (d *demo) stopVaults() {
	for _, s := range d.vaults {
		if s != nil {
			s.Stop()
		}
	}
}

// sealed seals two of the Vaults: nothing is released until one is unsealed, and no
// keyholder has to be started again.
func (d *demo) sealed() error {
	ctx, done := context.WithTimeout(d.ctx, time.Minute)
	defer done()
	if err := errors.Join(d.vaults[0].Seal(ctx), d.vaults[2].Seal(ctx)); err != nil {
		return err
	}
	fmt.Printf("Sealed the Vaults of %s and %s.\n", keyholders[0].id, keyholders[2].id)
	q := question{
		title: "Machinery by partner and month, with two Vaults sealed",
		sql:   "SELECT partner, SUM(value) AS value FROM trade_cube WHERE chapter = '84' AND partner IS NOT NULL GROUP BY partner ORDER BY partner",
		scale: []float64{text, money},
		shown: 3,
	}
	fmt.Println(q.title)
	fmt.Print(indent(q.sql))
	id, err := d.carnet(buyer, "query", "--no-wait", "--purpose", "statistics", q.sql)
	if err != nil {
		return err
	}
	log := filepath.Join(d.dir, keyholders[0].id+".log")
	if err := d.wait("the keyholder to notice", 60*time.Second, func() bool {
		b, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(b), "Vault is sealed")
	}); err != nil {
		return err
	}
	if out, err := d.carnet(buyer, "open", strings.TrimSpace(id)); err == nil {
		return fmt.Errorf("an answer was opened although two Vaults are sealed:\n%s", out)
	}
	fmt.Println("  Nothing was released. The Vaults are unsealed:")
	if err := errors.Join(d.vaults[0].Unseal(ctx), d.vaults[2].Unseal(ctx)); err != nil {
		return err
	}
	if err := d.wait("the answer", 120*time.Second, func() bool {
		_, err := d.carnet(buyer, "open", strings.TrimSpace(id))
		return err == nil
	}); err != nil {
		return err
	}
	return d.answered(q, "open", "--json", strings.TrimSpace(id))
}

// audits counts what the Vaults wrote down, and looks for what must not be there.
func (d *demo) audits() error {
	for i, s := range d.vaults {
		b, err := os.ReadFile(s.AuditFile)
		if err != nil {
			return err
		}
		for what, secret := range map[string]string{"the root token": s.Token, "a token": "hvs."} {
			if strings.Contains(string(b), secret) {
				return fmt.Errorf("%s is in the audit file of %s", what, keyholders[i].id)
			}
		}
		n := strings.Count(string(b), `"type":"request"`)
		signed := strings.Count(string(b), `"path":"carnet-transit/sign/`) / 2
		fmt.Printf("  %s: %d requests in the audit file, %d of them signatures, no token\n", keyholders[i].id, n, signed)
	}
	return nil
}
