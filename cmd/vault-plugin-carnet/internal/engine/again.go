package engine

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/keys"
)

// again is what a dealing deals again.
type again struct {
	Key carnet.KeyID `json:"key"` // as functionals name it
	// Carried are numbers released elsewhere before: by the owner's word, or the keyholder's
	// if the key was handed on. Of which kind they were is not known.
	Carried int64 `json:"carried"`
}

// againOf returns nil for a dealing that deals a key for the first time.
func (b *backend) againOf(ctx context.Context, dealing carnet.KeyID) (*again, error) {
	v, err := b.store.get(ctx, storedAgain+dealing.String())
	if err != nil || v == nil {
		return nil, err
	}
	a := &again{}
	return a, json.Unmarshal(v, a)
}

func (b *backend) carried(ctx context.Context, dealing carnet.KeyID) (int64, error) {
	a, err := b.againOf(ctx, dealing)
	if err != nil || a == nil {
		return 0, err
	}
	return a.Carried, nil
}

// dealtAgain gives a key's name to the seeds of another dealing, decision 16: both
// dealings and the statement that joins them are of one owner, whom the engine knows. It
// is for ever: a dealing deals one key, and none of its own once it was used.
func (b *backend) dealtAgain(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	b.configuring.Lock()
	defer b.configuring.Unlock()
	id, err := keyID(d)
	if err != nil {
		return nil, err
	}
	dealing, err := b.held(ctx, id)
	if err != nil {
		return nil, err
	}
	first, err := envelope(d, "first")
	if err != nil {
		return nil, err
	}
	redealing, err := envelope(d, "redealing")
	if err != nil {
		return nil, err
	}
	r, err := b.redealing(ctx, dealing, first, redealing)
	if err != nil {
		return nil, err
	}
	if dealing.Key != dealing.Named() {
		if dealing.Named() != r.Key {
			return nil, badRedealing("the dealing deals another key again")
		}
		return nil, nil // shown before
	}
	if used, err := b.counts.all.count(ctx, id); err != nil || used > 0 {
		if err == nil {
			err = badRedealing("numbers were released under the dealing itself")
		}
		return nil, err
	}
	if other, err := b.againOf(ctx, r.Key); err != nil || other != nil {
		if err == nil {
			err = badRedealing("the key is itself another key dealt again")
		}
		return nil, err
	}
	known, err := b.counts.all.count(ctx, r.Key)
	if err != nil {
		return nil, err
	}
	v, err := json.Marshal(again{r.Key, max(0, r.Released-int64(known))})
	if err != nil {
		return nil, err
	}
	return nil, b.store.put(ctx, storedAgain+id.String(), v)
}

// redealing checks the statements against each other and the owner's key.
func (b *backend) redealing(ctx context.Context, d *keys.Dealing, first, statement *evidence.Envelope) (*carnet.Redealing, error) {
	var r carnet.Redealing
	if err := statement.Decode(carnet.TypeRedealing, &r); err != nil {
		return nil, err
	}
	var body carnet.Dealing
	if err := first.Decode(carnet.TypeDealing, &body); err != nil {
		return nil, err
	}
	switch {
	case r.Key != carnet.KeyID(first.Hash()) || r.Dealing != d.Key || r.Key == r.Dealing:
		return nil, badRedealing("the statement joins other dealings")
	case r.Owner != d.Body.Owner || r.Owner != body.Owner:
		return nil, badRedealing("the dealings are of different owners")
	case body.Params != d.Body.Params:
		return nil, badRedealing("the dealings have different parameters")
	case r.Released < 0:
		return nil, badRedealing("a negative number of releases")
	}
	return &r, b.ownerSigned(ctx, r.Owner, badRedealing, statement, first, d.Statement)
}

func badRedealing(what string) error {
	return carnet.E(carnet.Refused, "BAD_REDEALING", "the dealing does not deal the key again: %s", what).
		Fix("if the owner replaced its key, have the engine's operator enter all of them: vault write MOUNT/owners/NAME signing_key=KEY earlier=KEY,KEY; else have the owner deal the key again with carnet redeal")
}

// dealtAgain lists the dealings that keys are opened with, and whether one of them is not
// the one its key is named after.
func dealtAgain(r *keys.Release, ks []functional.KeyTerms) (dealings []carnet.KeyID, again bool) {
	for i := range ks {
		d := r.Dealing(ks[i].Key)
		dealings = append(dealings, d.Key)
		again = again || d.Key != d.Named()
	}
	return slices.Clip(dealings), again
}
