package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// maxReasonText bounds an owner's public reason in bytes.
const maxReasonText = 1000

// RetireKey stores an owner's retirement of a key. From then on no dataset under the key
// is in any product's inputs, and none is published under it. It is final; keyholders
// destroy their seeds upon it.
func (g *Gateway) RetireKey(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var r carnet.Retirement
	if err := env.Decode(carnet.TypeRetirement, &r); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, r.Owner); err != nil {
		return Ref{}, err
	}
	if len(r.Reason) > maxReasonText {
		return Ref{}, bad("BAD_REQUEST", "the request is malformed").With("reason", "want at most %d bytes", maxReasonText)
	}
	ref, err := g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, r.Owner, carnet.RoleOwner); err != nil {
			return err
		}
		d, _, err := tx.GetDealing(r.Key)
		if err != nil && !absent(err) {
			return err
		}
		switch again, missing := tx.RedealingOf(r.Key); {
		case missing == nil:
			return bad("BAD_RETIREMENT", "this dealing deals key %s again; retire that", again.Key)
		case !absent(missing):
			return missing
		}
		if err != nil || d.Owner != r.Owner {
			return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no key %s of yours", r.Key).Fix("carnet datasets --json names the keys of your datasets")
		}
		if _, err := tx.GetRetirement(r.Key); !absent(err) {
			return orElse(err, retired(r.Key))
		}
		return tx.PutRetirement(r.Key, st.Hash)
	})
	if err != nil {
		return Ref{}, err
	}
	return ref, g.dropHanded(ctx, r.Key)
}

// dropHanded deletes seeds that were handed on to committees that did not take them over.
// Nobody destroys seeds that it never got.
func (g *Gateway) dropHanded(ctx context.Context, key carnet.KeyID) error {
	var moves []share.Move
	err := g.Store.View(ctx, func(tx Tx) error {
		d, err := dealtBefore(tx, key, endOfJournal)
		if err != nil {
			return err
		}
		to, err := tx.Resharings(d.id)
		for _, h := range to {
			moves = append(moves, share.Move{From: d.id, Committee: h})
		}
		return err
	})
	for _, m := range moves {
		if err == nil {
			err = g.Blobs.DeletePrefix(ctx, handedSealed(m))
		}
	}
	return err
}

// retired says that a key is not used any more.
func retired(key carnet.KeyID) *carnet.Error {
	return carnet.E(carnet.Precondition, "KEY_RETIRED", "key %s was retired by its owner", key).
		Fix("deal a new key and publish the table under it")
}

// notRetired refuses what would use a retired key.
func notRetired(tx Tx, key carnet.KeyID) error {
	if _, err := tx.GetRetirement(key); !absent(err) {
		return orElse(err, retired(key))
	}
	return nil
}
