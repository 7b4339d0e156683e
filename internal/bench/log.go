package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/carnettest"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// callers is how many parties hand in statements at a time.
const callers = 32

// logFigure is how many statements a second become entries of the log under a
// checkpoint that a quorum of keyholders co-signed: one gateway and five keyholders in this
// process, over real sockets with TLS, all writing to one disk, where every statement,
// tile, ledger entry and co-signature is forced to the disk. The clock runs from the first
// statement to the checkpoint over the last one.
func logFigure(ctx context.Context, b *bench, r *Report) error {
	return b.withNetwork(ctx, threeOwners, func(t testing.TB, n *carnettest.Network) error {
		best, least := 0.0, time.Duration(0)
		for i := range b.rounds {
			list, err := registrations(n, i, b.statements)
			if err != nil {
				return err
			}
			start := time.Now()
			computed, measured := cpuTime()
			if err := registerAll(ctx, t, n, list); err != nil {
				return err
			}
			if err := cosigned(ctx, n); err != nil {
				return err
			}
			rate := float64(len(list)) / time.Since(start).Seconds()
			best = max(best, rate)
			if until, ok := cpuTime(); ok && measured {
				if each := (until - computed) / time.Duration(len(list)); least == 0 || each < least {
					least = each
				}
			}
			b.say("  round %d of %d: %.0f statements/s", i+1, b.rounds, rate)
		}
		r.row(Row{Work: "statements into the log, under a co-signed checkpoint", How: fmt.Sprintf("5 keyholders, %d callers, %d statements", callers, b.statements),
			Cores: b.cores(), Value: best, Unit: "statements/s"})
		if least > 0 {
			r.row(Row{Work: "processor time of one of them, at gateway, keyholders and caller together", How: "two signatures each, checked by six", Value: float64(least.Microseconds()) / 1000, Unit: "ms"})
		}
		r.Goals = append(r.Goals, Goal{"statements into the log, under a checkpoint that a quorum co-signed", "500 a second", fmt.Sprintf("%.0f a second", best), yesNo(best >= 500)})
		return nil
	})
}

// registrations are statements of parties that nobody has registered.
func registrations(n *carnettest.Network, round, count int) (list []*evidence.Envelope, err error) {
	for i := range count {
		id := carnet.PartyID(fmt.Sprintf("party-%d-%d", round, i))
		key, err := ident.New(id, rand.Reader)
		if err != nil {
			return nil, err
		}
		env, err := evidence.Seal(carnet.TypeParty, carnet.Party{ID: id, Name: "Somebody", Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleBuyer},
			SigningKey: key.Public(), Created: time.Now().UTC().Truncate(time.Second)}, key, n.Identity(carnettest.Registrar))
		if err != nil {
			return nil, err
		}
		list = append(list, env)
	}
	return list, nil
}

func registerAll(ctx context.Context, t testing.TB, n *carnettest.Network, list []*evidence.Envelope) error {
	c := n.Client(t, carnettest.Operator)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(callers)
	for _, env := range list {
		g.Go(func() error { _, err := c.RegisterParty(ctx, env); return err })
	}
	return g.Wait()
}

// cosigned waits for a checkpoint of all entries with the quorum of the committee.
func cosigned(ctx context.Context, n *carnettest.Network) error {
	for {
		entries, _, err := n.Gateway.Flow.Journal(ctx)
		if err != nil {
			return err
		}
		c, err := n.Gateway.Flow.Checkpoint(ctx)
		if err != nil || c.Size == entries && len(c.Signatures)-1 >= n.Committee.Quorum {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
