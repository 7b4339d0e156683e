package main

import (
	"fmt"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/he"
)

type versionCmd struct{ command.Output }

func (versionCmd) Help() string {
	return `The parameter ids tell whether two programs can work on the same data.

Example:
  carnet version`
}

func (c versionCmd) Run(a *app) error {
	if c.JSON {
		return a.json(aboutProfiles())
	}
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

// profileAbout is a parameter profile for programs.
type profileAbout struct {
	Name      string `json:"name"`
	ID        string `json:"parameter_id"`
	Limbs     int    `json:"limbs"`
	LimbBits  int    `json:"limb_bits"`
	T         uint64 `json:"t"`
	MaxDegree int    `json:"max_degree"`
	Encoding  string `json:"encoding"`
	Classical bool   `json:"secure_classical"` // 128 bits against these attackers
	Quantum   bool   `json:"secure_quantum"`
}

func aboutProfiles() any {
	var out struct {
		command.About
		Profiles []profileAbout `json:"profiles"`
	}
	out.About = command.About{Program: "carnet", Version: command.Version()}
	for _, p := range he.Profiles() {
		classical, quantum := p.Secure()
		out.Profiles = append(out.Profiles, profileAbout{p.Name(), p.ID().String(), p.Limbs(), p.LimbBits(), p.T(), p.MaxDegree(), p.Encoding().String(), classical, quantum})
	}
	return out
}
