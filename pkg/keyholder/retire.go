package keyholder

import (
	"context"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

// doomed reports whether the journal says that this keyholder is to have no seeds of the
// key: its owner retired it or dealt it again, unless that is left to the operator, or this
// keyholder published that it destroyed them. They are back if the keystore was put back from an
// older copy. Queries that came before a key was dealt again are answered first; those under a retired
// key never are.
func (k *Keyholder) doomed(key carnet.KeyID) bool {
	if k.state.saidDestroyed(key) {
		return true
	}
	if k.cfg.KeepRetired || !k.state.isOver(key) {
		return false
	}
	k.taking.Lock() // a query that is being taken in is not listed yet
	defer k.taking.Unlock()
	return k.state.isEnded(key) || !k.awaited(key)
}

// awaited reports whether a query is still to be answered with the dealing.
func (k *Keyholder) awaited(id carnet.KeyID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.pending {
		if c.uses(id) {
			return true
		}
	}
	return false
}

// destroySeeds makes sure that the seeds of a key are destroyed and returns KEY_DESTROYED
// then. The ledger and the network are told only afterwards, so that nothing is claimed
// that was not done; after a stop in between it is found done.
func (k *Keyholder) destroySeeds(ctx context.Context, d *dealing) error {
	if carnet.ReasonOf(k.sharer.Held(ctx, d.shared())) != "KEY_DESTROYED" {
		if err := k.sharer.Destroy(ctx, d.key); err != nil {
			return err
		}
		k.log.Info("seeds destroyed", "key", d.key, "retired", k.state.isRetired(d.key))
	}
	return keys.Destroyed(d.key)
}

// tellDestroyed publishes that this keyholder's seeds of a key are destroyed.
func (k *Keyholder) tellDestroyed(ctx context.Context, d *dealing) error {
	if k.state.saidDestroyed(d.key) {
		return nil
	}
	env, err := evidence.Seal(carnet.TypeDestruction, carnet.Destruction{Key: d.key, By: k.cfg.Party, Number: d.committee.number,
		Created: k.now().UTC()}, k.signer())
	if err != nil {
		return err
	}
	_, err = k.api.dealing.SubmitDestruction(ctx, &apiv1.SubmitDestructionRequest{Statement: apiconv.ToEnvelope(env)})
	if err != nil && !takenForGood(err) {
		return err
	}
	return nil
}
