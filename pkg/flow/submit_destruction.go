package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// SubmitDestruction stores the calling keyholder's statement that it destroyed its seeds
// of a key, and deletes the bundle that was sealed to it: whoever finds the keyholder's
// sealing key later must not find the seeds here. A keyholder may destroy the seeds of a
// key that its owner has not retired; it is its own decision.
func (g *Gateway) SubmitDestruction(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var d carnet.Destruction
	if err := env.Decode(carnet.TypeDestruction, &d); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, d.By); err != nil {
		return Ref{}, err
	}
	ref, err := g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, d.By, carnet.RoleKeyholder); err != nil {
			return err
		}
		number, err := dealingMember(tx, as, d.Key)
		if err != nil {
			return err
		}
		if d.Number != number {
			return bad("BAD_DESTRUCTION", "the statement does not fit its key").With("number", "%q is keyholder %d", as.ID, number)
		}
		done, err := tx.Destructions(d.Key)
		if err != nil {
			return err
		}
		for _, o := range done {
			if o.Number == number {
				return known("DESTROYED_BEFORE", "keyholder %d said before that it destroyed its seeds of this key", number)
			}
		}
		return tx.PutDestruction(d.Key, number, st.Hash)
	})
	if err != nil && carnet.ReasonOf(err) != "DESTROYED_BEFORE" {
		return Ref{}, err
	}
	// Also after a stop between recording and deleting.
	if err := g.dropSeeds(ctx, d.Key, d.Number); err != nil {
		return Ref{}, err
	}
	return ref, err
}

// dropSeeds deletes the bundle sealed to a keyholder, or what others handed on to it.
func (g *Gateway) dropSeeds(ctx context.Context, key carnet.KeyID, number int) error {
	var h carnet.Hash
	var handed *carnet.Resharing
	if err := g.Store.View(ctx, func(tx Tx) (err error) {
		if h, err = tx.Seeds(key, number); err != nil {
			return err
		}
		_, st, err := tx.GetDealing(key)
		if err == nil {
			_, handed, err = st.Envelope.DecodeDealing()
		}
		return err
	}); err != nil {
		return err
	}
	if handed != nil {
		m := share.Move{From: handed.From, Committee: handed.Committee}
		return g.Blobs.DeletePrefix(ctx, handedTo(m, number))
	}
	return g.Blobs.Delete(ctx, seedsKey(key, number, h))
}

// destroyed is the set of keyholders that destroyed their seeds of a key.
func (g *Gateway) destroyed(ctx context.Context, key carnet.KeyID) (map[int]bool, error) {
	gone := map[int]bool{}
	err := g.Store.View(ctx, func(tx Tx) error {
		list, err := tx.Destructions(key)
		for _, d := range list {
			gone[d.Number] = true
		}
		return err
	})
	return gone, err
}
