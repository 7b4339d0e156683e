package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/client"
)

// decidedBy says by which policy bundles an answer was let pass, those of one bundle in a
// line.
func (a *app) decidedBy(ans *client.Answer, verbose bool) {
	if len(ans.DecidedBy) > 0 && !slices.ContainsFunc(ans.DecidedBy, func(d client.DecidedBy) bool { return d.Policy != nil }) {
		a.notef("decided by %s, without a policy bundle\n", ownersTerms)
		return
	}
	var rules []string
	who := map[string][]string{}
	for i := range ans.DecidedBy {
		d := &ans.DecidedBy[i]
		by := bundleText(d, verbose)
		if !slices.Contains(rules, by) {
			rules = append(rules, by)
		}
		name := fmt.Sprintf("keyholder %d (%s)", d.Number, d.Party)
		if d.Number == 0 {
			name = fmt.Sprintf("the gateway (%s)", d.Party)
		}
		if verbose {
			name += " by statement " + d.Statement.String()
		}
		who[by] = append(who[by], name)
	}
	if len(ans.DecidedBy) > 0 && ans.DecidedBy[0].Number != 0 {
		who[ownersTerms] = slices.Insert(who[ownersTerms], 0, "the gateway (it shows no decision by rules)")
		if !slices.Contains(rules, ownersTerms) {
			rules = append(rules, ownersTerms)
		}
	}
	for _, by := range rules {
		a.notef("decided by %s: %s\n", by, strings.Join(who[by], ", "))
	}
}

// ownersTerms decide where nobody chose a bundle.
const ownersTerms = "owners' terms alone"

// bundleText names a bundle, by the first digits of its digest unless all are wanted.
func bundleText(d *client.DecidedBy, verbose bool) string {
	if d.Policy == nil {
		return ownersTerms
	}
	digest := d.Policy.Digest.String()
	if !verbose {
		digest = digest[:12]
	}
	return fmt.Sprintf("policy %s version %d (%s)", d.Policy.Name, d.Policy.Version, digest)
}
