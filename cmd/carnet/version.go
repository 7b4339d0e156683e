package main

import (
	"fmt"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/he"
)

type versionCmd struct{}

func (versionCmd) Help() string {
	return `The parameter ids tell whether two programs can work on the same data.

Example:
  carnet version`
}

func (versionCmd) Run(a *app) error {
	a.printf("carnet %s\n\n", command.Version())
	var rows [][]string
	for _, p := range he.Profiles() {
		id := p.ID().String()
		rows = append(rows, []string{p.Name(), fmt.Sprintf("%dx%d", p.Limbs(), p.LimbBits()), fmt.Sprint(p.T()), fmt.Sprint(p.MaxDegree()), p.Encoding().String(), security(p), id[:16]})
	}
	return a.table([]string{"PROFILE", "LIMBS", "T", "DEGREE", "ENCODING", "128-BIT AGAINST", "PARAMETER ID"}, rows)
}

// security names the attackers against whom the profile's ring gives 128 bits.
func security(p *he.Profile) string {
	if _, quantum := p.Secure(); quantum {
		return "classical, quantum"
	}
	return "classical"
}
