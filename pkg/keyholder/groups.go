package keyholder

import (
	"context"

	"github.com/carnet-network/carnet/pkg/terms"
)

// checkGroups is scheme §9: every number is a sum over whole groups of every owner that
// asks for groups. It does not depend on this keyholder's policy, since one number that
// tells a group's parts apart does so for all that were released.
func checkGroups(_ context.Context, _ *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	for _, r := range terms.Grouped(p) {
		return r.Error()
	}
	return nil
}
