package keyholder

import (
	"context"
	"time"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// seedsAgain is how often missing or bad seeds are asked for again: the owner may
// have delivered them since.
const seedsAgain = time.Minute

// fetchSeeds fetches the sealed seeds of every dealing to this keyholder, compares
// them with the commitments, keeps them and tells the gateway.
func (k *Keyholder) fetchSeeds(ctx context.Context) error {
	for {
		all, err := k.ledger.Seeds(ctx)
		if err != nil {
			return err
		}
		wait := time.Hour
		for _, s := range all {
			if s.Told && s.State == SeedsHeld && !k.doomed(s.Key) {
				continue
			}
			if err := k.settleSeeds(ctx, s); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				k.log.Warn("seeds not settled yet; trying again", "key", s.Key, "error", offWire(err))
				wait = min(wait, k.retry*10)
			} else if s.State == SeedsBad || s.State == SeedsWanted {
				wait = min(wait, seedsAgain)
			}
		}
		if k.oldSealing() > 0 {
			if all, err = k.ledger.Seeds(ctx); err != nil {
				return err
			}
			if err := k.forget(ctx, all); isFatal(err) {
				return err
			} else if err != nil {
				k.log.Warn("replaced sealing keys could not be destroyed yet; trying again", "reason", carnet.ReasonOf(err), "error", err)
			}
			wait = min(wait, k.retry*10)
		}
		if err := k.seeds.wait(ctx, wait); err != nil {
			return err
		}
	}
}

// settleSeeds brings one key as far as it can: wanted or bad → held, or destroyed if that
// is what has to be, and tells the gateway what it does not know yet.
func (k *Keyholder) settleSeeds(ctx context.Context, s SeedsState) error {
	ctx, done := context.WithTimeout(ctx, callLimit)
	defer done()
	d := k.state.dealing(s.Key)
	if d == nil {
		return nil
	}
	before := s
	var err error
	switch {
	case s.State == SeedsDestroyed || k.doomed(s.Key):
		err = k.destroySeeds(ctx, d)
	case s.State == SeedsHeld || k.state.isOver(s.Key):
	default:
		if err = k.obtain(ctx, d); err == nil {
			s.State, s.Reason = SeedsHeld, ""
		}
	}
	switch reason := carnet.ReasonOf(err); {
	case err == nil:
	case reason == "KEY_DESTROYED":
		s.State, s.Reason = SeedsDestroyed, reason
	case isSeedFault(err):
		s.State, s.Reason = SeedsBad, reason
	default:
		return err
	}
	if s.State != before.State || s.Reason != before.Reason {
		s.Told = false
		if err := k.ledger.setSeeds(ctx, s); err != nil {
			return err
		}
		k.log.Info("seeds checked", "key", s.Key, "owner", d.body.Owner, "state", s.State, "reason", s.Reason)
		k.release.raise()
	}
	if s.Told || s.State == SeedsWanted {
		return nil
	}
	if s.State == SeedsDestroyed {
		if err := k.tellDestroyed(ctx, d); err != nil {
			return err
		}
	}
	_, err = k.api.dealing.ConfirmSeeds(ctx, &apiv1.ConfirmSeedsRequest{KeyId: s.Key.String(), Ok: s.State == SeedsHeld, Reason: s.Reason})
	if err != nil && !takenForGood(err) {
		return err
	}
	s.Told = true
	return k.ledger.setSeeds(ctx, s)
}

// obtain makes sure that seeds that match the dealing are held.
func (k *Keyholder) obtain(ctx context.Context, d *dealing) error {
	shared := d.shared()
	if err := k.sharer.Held(ctx, shared); carnet.KindOf(err) != carnet.NotFound {
		return err
	}
	if d.move != nil {
		agreed, said := k.state.agreedOn(d.move.id(), &d.move.Move) // as it was when the key was handed on
		_, err := k.gather(ctx, d.move, shared, agreed, said)
		return err
	}
	got, err := k.api.dealing.GetSealedSeeds(ctx, &apiv1.GetSealedSeedsRequest{KeyId: d.key.String()})
	if err != nil {
		return err
	}
	return k.sharer.Accept(ctx, shared, got.GetSeeds().GetSealed())
}

func isSeedFault(err error) bool { return carnet.KindOf(err) == carnet.Refused }
