package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
)

// estimatesFigure compares what a gateway would tell a buyer before the question, from
// rates that it measures at its start on a few blocks, with the time its scan takes.
func estimatesFigure(ctx context.Context, b *bench, r *Report) error {
	worst := 0.0
	for _, groups := range []int{1, 10} {
		t, err := newTable("records", b.groupBlocks, groups)
		if err != nil {
			return err
		}
		s := t.r.DeriveSecret(t.seed)
		powers := map[carnet.KeyID][]he.Poly{t.key: {s.Power(1), s.Power(2)}}
		off, err := b.estimated(ctx, r, fmt.Sprintf("%d filtered sums, %s rows", groups, millions(t.rows())), t.r.Profile(), t.filtered(), true, func() error {
			_, err := scan.PublicValues(ctx, t.r, t.filtered(), powers, t.stored, scan.Options{Workers: 1, MaxBytes: 1 << 30})
			return err
		})
		if err != nil {
			return err
		}
		worst = max(worst, off)
	}
	c, err := newCube(b.cubeSide)
	if err != nil {
		return err
	}
	g := c.groups(false)
	what := fmt.Sprintf("cube of %s cells, %d groups", millions(float64(len(c.values))), c.side)
	for _, anew := range []bool{true, false} {
		cubes, name := scan.NewCubes(0), what+", set-up anew"
		if !anew {
			cubes, name = scan.NewCubes(1<<30), what+", set-up kept"
			if err := c.sum(ctx, cubes, g, 1); err != nil {
				return err
			}
		}
		off, err := b.estimated(ctx, r, name, c.r.Profile(), g.fs, anew, func() error { return c.sum(ctx, cubes, g, 1) })
		if err != nil {
			return err
		}
		worst = max(worst, off)
	}
	r.Goals = append(r.Goals, Goal{"time of a scan estimated before it, worst of four", "within 25 %", fmt.Sprintf("off by %.0f %%", 100*worst), yesNo(worst <= 0.25)})
	return nil
}

// estimated measures a scan by one thread and returns how far off its estimate was.
func (b *bench) estimated(ctx context.Context, r *Report, what string, p *he.Profile, fs []*functional.Functional, anew bool, run func() error) (off float64, err error) {
	rates, err := flow.Calibrate(ctx, p, 1)
	if err != nil {
		return 0, err
	}
	work := plan.WorkOf(p, fs)
	if !anew {
		work = work.Kept()
	}
	want := work.Estimate(rates, 0).Gateway
	least := time.Duration(0)
	for i := range b.rounds {
		took, err := b.clock(1, run)
		if err != nil {
			return 0, err
		}
		if i == 0 || took < least {
			least = took
		}
	}
	const name = "estimate of the gateway's time"
	r.row(Row{Work: name, How: what + ", estimated", Cores: 1, Seconds: want.Seconds(), Value: want.Seconds() * 1000, Unit: "ms"})
	r.row(Row{Work: name, How: what + ", measured", Cores: 1, Seconds: least.Seconds(), Value: least.Seconds() * 1000, Unit: "ms", Ratio: least.Seconds() / want.Seconds(), Against: "the estimate"})
	return math.Abs(least.Seconds()/want.Seconds() - 1), nil
}
