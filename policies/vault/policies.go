// Package vault holds the policies for HashiCorp Vault, one file for each role, for
// programs and tests that write them.
package vault

import (
	"embed"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

//go:embed *.hcl
var files embed.FS

// For returns the policy of a role, such as keyholder, for a party.
func For(role string, party carnet.PartyID) string {
	b, err := files.ReadFile(role + ".hcl")
	if err != nil {
		panic(err) // the role is a constant of the caller
	}
	return strings.ReplaceAll(string(b), "PARTY", string(party))
}
