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

// defaultReleases is max_releases where none is configured.
const defaultReleases = 1 << 20

type config struct {
	TicketKey   ed25519.PublicKey `json:"ticket_key"`
	Epoch       int64             `json:"epoch"`
	MaxReleases int64             `json:"max_releases"`
}

func (b *backend) config(ctx context.Context) (*config, error) {
	c := &config{Epoch: 1, MaxReleases: defaultReleases}
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
	return map[string]any{"ticket_key": base64.StdEncoding.EncodeToString(c.TicketKey), "epoch": c.Epoch, "max_releases": c.MaxReleases}, nil
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

func (b *backend) listBuyers(ctx context.Context, _ *framework.FieldData) (map[string]any, error) {
	names, err := b.store.view.List(ctx, storedBuyers)
	return map[string]any{"keys": names}, err
}

func (b *backend) readBuyer(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	key, err := b.store.get(ctx, storedBuyers+d.Get("buyer").(string))
	if err != nil || key == nil {
		return nil, err
	}
	return map[string]any{"signing_key": base64.StdEncoding.EncodeToString(key)}, nil
}

func (b *backend) writeBuyer(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	key, err := fixed(d, "signing_key", ed25519.PublicKeySize)
	if err != nil {
		return nil, err
	}
	name := d.Get("buyer").(string)
	if !carnet.ValidName(name) {
		return nil, invalid("%q is no identifier of a party", name)
	}
	return nil, b.store.put(ctx, storedBuyers+name, key)
}

func (b *backend) deleteBuyer(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	return nil, b.store.view.Delete(ctx, storedBuyers+d.Get("buyer").(string))
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
	var key []byte
	if carnet.ValidName(string(q.Buyer)) {
		if key, err = b.store.get(ctx, storedBuyers+string(q.Buyer)); err != nil {
			return nil, nil, err
		}
	}
	if key == nil || !env.SignedBy(key) {
		return nil, nil, carnet.E(carnet.Forbidden, "RECIPIENT_NOT_APPROVED", "the recipient was not chosen by an approved buyer").
			Fix("have the engine's operator approve the buyer: vault write MOUNT/buyers/NAME signing_key=KEY")
	}
	return env, &q, nil
}
