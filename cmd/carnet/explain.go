package main

import (
	"fmt"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/plan"
)

type explainCmd struct {
	sqlFlags
	JSON bool `name:"json" help:"Print JSON."`
}

func (explainCmd) Help() string {
	return `Compiles the query here, as every keyholder will, and asks the gateway whether owners'
terms allow it. Nothing is charged and no keyholder is asked. The exit code is 6 if the
query would be refused.

Example:
  carnet explain "SELECT month, SUM(value) FROM trade GROUP BY month"`
}

func (c *explainCmd) Run(a *app) error {
	sql, product, err := c.read(a)
	if err != nil {
		return err
	}
	cl, cfg, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	_, p, err := cl.Explain(a.ctx, product, sql)
	if err != nil {
		return inSQL(sql, err)
	}
	assessed, err := cl.Assess(a.ctx, product, sql, c.Purpose)
	if err != nil {
		return inSQL(sql, err)
	}
	refusals := assessed.Refusals
	quote, err := meter.Quote(meter.Uses(p), cfg.Party.ID, time.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		if err := a.explanation(p, assessed, quote); err != nil {
			return err
		}
	} else {
		for _, s := range p.Describe() {
			a.printf("%s\n", s)
		}
		if e := assessed.Estimate; e != nil && len(p.Openings) > 0 {
			a.printf("takes about %s: compiling %s, the gateway %s, a keyholder on such a machine %s\n",
				lasting(e.Total), lasting(e.Compile), lasting(e.Gateway), lasting(e.Keyholder))
			if e.Kept < e.Total {
				a.printf("  or %s, where cubes and sums of columns are kept from earlier questions\n", lasting(e.Kept))
			}
		}
		if err := a.quoted(quote); err != nil {
			return err
		}
		for _, k := range p.Cost.Keys() {
			if n, ok := assessed.Charged[k.String()]; ok {
				a.printf("of key %s, at most %d of %d releases are used by the queries in the gateway's journal\n", k.String()[:12], n, p.Cost.MaxReleases)
			}
		}
		for _, x := range assessed.Privacy {
			a.printf("takes %s of the privacy budget of %s, of which at most %s of %s are spent; numbers that were released before cost nothing\n", x.Cost, x.Dataset, x.Spent, x.Budget)
		}
	}
	if len(refusals) == 0 {
		if !c.JSON {
			a.printf("\nThe query would be accepted for purpose %q.\n", c.Purpose)
			for _, by := range assessed.Approvals {
				a.printf("It would wait for the approval of %s: give it time with --expires.\n", by)
			}
		}
		return nil
	}
	e := carnet.E(carnet.Refused, refusals[0].Reason, "the query would be refused")
	e.Remedy = refusals[0].Remedy
	for _, r := range refusals {
		e = e.With(string(r.By), "%s", r.Message)
	}
	return e
}

// explanation prints a plan for programs.
func (a *app) explanation(p *plan.Plan, assessed *client.Assessment, quote []meter.Line) error {
	var private any
	if x := p.Private; x != nil {
		private = map[string]any{"column": x.Column, "codes": len(x.Codes), "selected": x.Weight, "checks": x.Checks, "answers": p.Needed()}
	}
	out := map[string]any{
		"private": private,
		"plan":    p.Hash(), "steps": p.Describe(), "refusals": append([]client.Refusal{}, assessed.Refusals...),
		"approvals": append([]carnet.PartyID{}, assessed.Approvals...),
		"cost": map[string]any{
			"openings": p.Cost.Openings, "functionals": p.Cost.Functionals, "groups": p.Cost.Groups, "files": p.Cost.Files, "rows": p.Cost.Rows, "blocks": p.Cost.Blocks,
			"bytes": p.Cost.Bytes, "gateway_bytes": p.Cost.GatewayBytes, "answer_bytes": p.Cost.AnswerBytes, "releases": p.Cost.Releases, "max_releases": p.Cost.MaxReleases,
			"charged_at_most": assessed.Charged,
		},
		"certificate": map[string]any{
			"degree": p.Certificate.Degree, "flood_bits": p.Certificate.FloodBits, "noise_bits": p.Certificate.NoiseBits,
			"release_bits": p.Certificate.ReleaseBits, "bound": p.Certificate.Bound, "max_result": p.Certificate.MaxResult, "t": p.Certificate.T,
		},
		"work":    p.Work,
		"privacy": append([]client.PrivacyCost{}, assessed.Privacy...),
		"quote":   append([]meter.Line{}, quote...),
	}
	if e := assessed.Estimate; e != nil {
		out["estimate"] = map[string]float64{"compile_seconds": e.Compile.Seconds(), "gateway_seconds": e.Gateway.Seconds(),
			"keyholder_seconds": e.Keyholder.Seconds(), "total_seconds": e.Total.Seconds(), "kept_seconds": e.Kept.Seconds()}
	}
	return a.json(out)
}

// lasting writes a duration with two digits, from milliseconds up.
func lasting(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 995:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}
