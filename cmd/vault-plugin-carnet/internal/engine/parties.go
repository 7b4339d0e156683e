package engine

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Buyers, whose queries are answered, and owners, who may deal keys again, are entered by
// an operator with their signing keys: the engine knows no registrar.

func (b *backend) listBuyers(ctx context.Context, _ *framework.FieldData) (map[string]any, error) {
	return b.listParties(ctx, storedBuyers)
}

func (b *backend) readBuyer(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return b.readParty(ctx, d, storedBuyers, "buyer")
}

func (b *backend) writeBuyer(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return nil, b.writeParty(ctx, d, storedBuyers, "buyer")
}

func (b *backend) deleteBuyer(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return nil, b.store.view.Delete(ctx, storedBuyers+d.Get("buyer").(string))
}

func (b *backend) listOwners(ctx context.Context, _ *framework.FieldData) (map[string]any, error) {
	return b.listParties(ctx, storedOwners)
}

func (b *backend) readOwner(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return b.readParty(ctx, d, storedOwners, "owner")
}

func (b *backend) writeOwner(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return nil, b.writeParty(ctx, d, storedOwners, "owner")
}

func (b *backend) deleteOwner(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return nil, b.store.view.Delete(ctx, storedOwners+d.Get("owner").(string))
}

func (b *backend) listParties(ctx context.Context, at string) (map[string]any, error) {
	names, err := b.store.view.List(ctx, at)
	return map[string]any{"keys": names}, err
}

func (b *backend) readParty(ctx context.Context, d *framework.FieldData, at, field string) (map[string]any, error) {
	key, err := b.store.get(ctx, at+d.Get(field).(string))
	if err != nil || key == nil {
		return nil, err
	}
	return map[string]any{"signing_key": base64.StdEncoding.EncodeToString(key)}, nil
}

func (b *backend) writeParty(ctx context.Context, d *framework.FieldData, at, field string) error {
	key, err := fixed(d, "signing_key", ed25519.PublicKeySize)
	if err != nil {
		return err
	}
	name := d.Get(field).(string)
	if !carnet.ValidName(name) {
		return invalid("%q is no identifier of a party", name)
	}
	return b.store.put(ctx, at+name, key)
}

// partyKey is the signing key of a party, nil if it was not entered.
func (b *backend) partyKey(ctx context.Context, at string, party carnet.PartyID) (ed25519.PublicKey, error) {
	if !carnet.ValidName(string(party)) {
		return nil, nil
	}
	return b.store.get(ctx, at+string(party))
}
