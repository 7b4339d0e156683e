package main

import (
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	policies "github.com/carnet-network/carnet/policies/vault"
)

type vaultPolicyCmd struct {
	Party string `help:"Identifier of the keyholder; for a gateway, the name of its PKI role." required:"" placeholder:"ID"`
	Role  string `help:"Whose policy: ${enum}." enum:"keyholder,engine,gateway,party" default:"keyholder"`
}

func (vaultPolicyCmd) Help() string {
	return `Prints the policy that lets a keyholder, and nobody else, use its secrets in
HashiCorp Vault. It expects the mounts carnet, carnet-transit and carnet-pki;
with other mounts, edit what is printed. The role engine is what a keyholder may do
in the secrets engine carnet-keys-ID besides; see docs/howto/vault-plugin.md.

Example:
  carnet-keyholder vault-policy --party ch-customs | vault policy write carnet-ch-customs -`
}

func (c *vaultPolicyCmd) Run(s streams) error {
	if !carnet.ValidName(c.Party) {
		return carnet.BadName("a party", c.Party)
	}
	fmt.Fprint(s.out, policies.For(c.Role, carnet.PartyID(c.Party)))
	return nil
}
