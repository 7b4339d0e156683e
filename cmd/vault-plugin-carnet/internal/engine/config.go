package engine

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

type config struct {
	TicketKey   ed25519.PublicKey `json:"ticket_key"`
	Epoch       int64             `json:"epoch"`
	MaxReleases int64             `json:"max_releases"`
	MaxProducts int64             `json:"max_product_releases"`
}

func (b *backend) config(ctx context.Context) (*config, error) {
	c := &config{Epoch: 1, MaxReleases: defaultReleases, MaxProducts: defaultProducts}
	v, err := b.store.get(ctx, storedConfig)
	if err != nil || v == nil {
		return c, err
	}
	return c, json.Unmarshal(v, c)
}

func (b *backend) readConfig(ctx context.Context, _ *framework.FieldData) (map[string]any, error) {
	c, err := b.config(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ticket_key": base64.StdEncoding.EncodeToString(c.TicketKey), "epoch": c.Epoch, "max_releases": c.MaxReleases,
		"max_product_releases": c.MaxProducts}, nil
}

func (b *backend) writeConfig(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	b.configuring.Lock()
	defer b.configuring.Unlock()
	c, err := b.config(ctx)
	if err != nil {
		return nil, err
	}
	if v, ok := d.GetOk("epoch"); ok {
		if v.(int64) < c.Epoch {
			return nil, carnet.E(carnet.Precondition, "EPOCH_BACK", "the epoch is %d and can only be raised", c.Epoch)
		}
		c.Epoch = v.(int64)
	}
	if _, ok := d.GetOk("ticket_key"); ok {
		key, err := fixed(d, "ticket_key", ed25519.PublicKeySize)
		if err != nil {
			return nil, err
		}
		if c.TicketKey != nil && !c.TicketKey.Equal(ed25519.PublicKey(key)) {
			c.Epoch++ // should the old key come back one day, its old tickets don't
		}
		c.TicketKey = key
	}
	if v, ok := d.GetOk("max_releases"); ok {
		if c.MaxReleases = v.(int64); c.MaxReleases < 1 {
			return nil, invalid("max_releases is not positive")
		}
	}
	if v, ok := d.GetOk("max_product_releases"); ok {
		if c.MaxProducts = v.(int64); c.MaxProducts < 0 {
			return nil, invalid("max_product_releases is negative")
		}
	}
	v, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return nil, b.store.put(ctx, storedConfig, v)
}

// info is what the keyholder has to know.
func (b *backend) info(ctx context.Context, _ *framework.FieldData) (map[string]any, error) {
	c, err := b.config(ctx)
	if err != nil {
		return nil, err
	}
	key, err := b.store.sealingKey(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"sealing_key": base64.StdEncoding.EncodeToString(key), "epoch": c.Epoch,
		"ticket_key": base64.StdEncoding.EncodeToString(c.TicketKey), "version": b.RunningVersion}, nil
}

// query reads a query and checks that an approved buyer signed it: with it the recipient
// of the answer is that buyer's choice, and nobody else's.
func (b *backend) query(ctx context.Context, d *framework.FieldData) (*evidence.Envelope, *carnet.Query, error) {
	env, err := envelope(d, "query")
	if err != nil {
		return nil, nil, err
	}
	var q carnet.Query
	if err := env.Decode(carnet.TypeQuery, &q); err != nil {
		return nil, nil, err
	}
	key, err := b.partyKey(ctx, storedBuyers, q.Buyer)
	if err != nil {
		return nil, nil, err
	}
	if key == nil || !env.SignedBy(key) {
		return nil, nil, carnet.E(carnet.Forbidden, "RECIPIENT_NOT_APPROVED", "the recipient was not chosen by an approved buyer").
			Fix("have the engine's operator approve the buyer: vault write MOUNT/buyers/NAME signing_key=KEY")
	}
	return env, &q, nil
}
