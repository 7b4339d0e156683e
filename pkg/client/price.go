package client

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/plan"
)

// affordable refuses a query that would cost more than its buyer agreed to pay. The
// prices are those of the manifests that the query names, so they can't change after it
// was signed.
func affordable(p *plan.Plan, buyer carnet.PartyID, now time.Time, pay map[string]carnet.Amount) error {
	lines, err := meter.Quote(meter.Uses(p), buyer, now)
	if err != nil {
		return err
	}
	totals, err := meter.Totals(lines)
	if err != nil {
		return err
	}
	var flags []string
	e := carnet.E(carnet.Precondition, "PRICE_NOT_ACCEPTED", "the answer would cost more than was agreed to")
	for _, c := range slices.Sorted(maps.Keys(totals)) {
		if most, ok := pay[c]; !ok || totals[c] > most {
			e = e.With(c, "it costs %s", totals[c])
		}
		flags = append(flags, fmt.Sprintf("--pay %s%s", totals[c], c))
	}
	if len(e.Violations) == 0 {
		return nil
	}
	return e.Fix("carnet explain shows the price of each dataset; to agree, ask with %s", strings.Join(flags, " "))
}
