package engine

import (
	"context"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// Successors are committees that an operator lets parts be handed on to, by statement
// hash, each with the sealing keys that its members have: the engine knows no registrar.

func (b *backend) listSuccessors(ctx context.Context, _ *framework.FieldData) (map[string]any, error) {
	return b.listParties(ctx, storedSuccessor)
}

func (b *backend) readSuccessor(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	v, err := b.store.get(ctx, storedSuccessor+d.Get("committee").(string))
	if err != nil || v == nil {
		return nil, err
	}
	return map[string]any{"recipients": string(v)}, nil
}

func (b *backend) writeSuccessor(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	h, err := carnet.ParseHash(d.Get("recipients").(string))
	if err != nil {
		return nil, invalid("recipients is no digest of sealing keys")
	}
	return nil, b.store.put(ctx, storedSuccessor+d.Get("committee").(string), []byte(h.String()))
}

func (b *backend) deleteSuccessor(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return nil, b.store.view.Delete(ctx, storedSuccessor+d.Get("committee").(string))
}

// approved refuses sealing keys that no operator approved for the committee.
func (b *backend) approved(ctx context.Context, committee carnet.Hash, recipients [][]byte) error {
	v, err := b.store.get(ctx, storedSuccessor+committee.String())
	if err != nil {
		return err
	}
	if string(v) != ticket.RecipientsDigest(recipients).String() {
		return carnet.E(carnet.Forbidden, "SUCCESSOR_NOT_APPROVED", "nobody approved committee %s with these sealing keys", committee).
			Fix("have the engine's operator decide: vault write MOUNT/successors/%s recipients=DIGEST, with the digest that carnet committee show tells", committee)
	}
	return nil
}
