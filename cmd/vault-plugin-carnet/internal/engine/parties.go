package engine

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Buyers, whose queries are answered, and owners, who may deal keys again, are entered by
// an operator with their signing keys, an owner with those that it had before, too: the engine
// knows no registrar.

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
	known, err := b.ownerKeys(ctx, carnet.PartyID(d.Get("owner").(string)))
	if err != nil || known == nil {
		return nil, err
	}
	list := make([]string, len(known))
	for i, k := range known {
		list[i] = base64.StdEncoding.EncodeToString(k)
	}
	last := len(list) - 1
	return map[string]any{"signing_key": list[last], "earlier": list[:last]}, nil
}

func (b *backend) writeOwner(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	key, err := fixed(d, "signing_key", ed25519.PublicKeySize)
	if err != nil {
		return nil, err
	}
	all, err := separate(d, "earlier", maxOwnerKeys-1)
	if err != nil {
		return nil, err
	}
	all = append(all, key)
	for i, k := range all {
		if len(k) != ed25519.PublicKeySize {
			return nil, invalid("earlier has a key of %d bytes, not %d", len(k), ed25519.PublicKeySize)
		}
		if slices.ContainsFunc(all[:i], func(o []byte) bool { return bytes.Equal(o, k) }) {
			return nil, invalid("a key is there twice: a party never returns to one")
		}
	}
	name := d.Get("owner").(string)
	if !carnet.ValidName(name) {
		return nil, invalid("%q is no identifier of a party", name)
	}
	return nil, b.store.put(ctx, storedOwners+name, bytes.Join(all, nil))
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

// maxOwnerKeys bounds the keys that an owner had.
const maxOwnerKeys = 64

// ownerKeys are the signing keys that an owner had, in the order in which each replaced the one
// before it; nil if none was entered. What was dealt stays signed with the key of its time, and the
// engine has no journal that tells the time, so what an owner says now counts with the last one
// only: whoever has an earlier one could date it back.
func (b *backend) ownerKeys(ctx context.Context, owner carnet.PartyID) (out []ed25519.PublicKey, err error) {
	v, err := b.partyKey(ctx, storedOwners, owner)
	if err != nil || v == nil {
		return nil, err
	}
	if len(v) == 0 || len(v)%ed25519.PublicKeySize != 0 {
		return nil, fmt.Errorf("the entry of owner %s is damaged", owner)
	}
	for k := range slices.Chunk(v, ed25519.PublicKeySize) {
		out = append(out, k)
	}
	return out, nil
}

// ownerSigned checks what an owner says now, nil if that is nothing, and what it said before.
// wrong makes the error.
func (b *backend) ownerSigned(ctx context.Context, owner carnet.PartyID, wrong func(string) error, now *evidence.Envelope, before ...*evidence.Envelope) error {
	known, err := b.ownerKeys(ctx, owner)
	if err != nil {
		return err
	}
	if known == nil {
		return carnet.E(carnet.Forbidden, "OWNER_NOT_KNOWN", "the engine can't tell what owner %s signed", owner).
			Fix("have the engine's operator enter the owner: vault write MOUNT/owners/%s signing_key=KEY", owner)
	}
	last := len(known) - 1
	if now != nil && !now.SignedBy(known[last]) {
		if slices.ContainsFunc(known[:last], now.SignedBy) {
			return wrong("what it says now is signed with a key that the owner has replaced")
		}
		return wrong("a statement is not signed by the owner that the engine knows")
	}
	for _, env := range before {
		if !slices.ContainsFunc(known, env.SignedBy) {
			return wrong("a statement is not signed by the owner that the engine knows")
		}
	}
	return nil
}

// partyKey is the signing key of a party, nil if it was not entered.
func (b *backend) partyKey(ctx context.Context, at string, party carnet.PartyID) (ed25519.PublicKey, error) {
	if !carnet.ValidName(string(party)) {
		return nil, nil
	}
	return b.store.get(ctx, at+string(party))
}
