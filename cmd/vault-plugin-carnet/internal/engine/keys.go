package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
)

// statements are the public facts that seeds were checked against.
type statements struct {
	Dealing   *evidence.Envelope `json:"dealing"`
	Committee *evidence.Envelope `json:"committee"`
	Number    int                `json:"number"`
}

// dealing checks the statements against each other and the key. Who signed them is for
// the keyholder to check: a key is the hash of its dealing, and what an owner sealed under
// one key opens under no other.
func (s *statements) dealing(key carnet.KeyID) (*keys.Dealing, error) {
	bad := func(what string) (*keys.Dealing, error) {
		return nil, carnet.E(carnet.Invalid, "BAD_DEALING", "the dealing of key %s can't be used: %s", key, what)
	}
	if s.Dealing == nil || s.Committee == nil || carnet.KeyID(s.Dealing.Hash()) != key {
		return bad("it is another one")
	}
	d := &keys.Dealing{Key: key, Statement: s.Dealing, Committee: s.Committee, Number: s.Number}
	var err error
	if d.Body, d.As, err = dealingOf(s.Dealing); err != nil {
		return nil, err
	}
	d.Handed = !d.As.IsZero()
	var c carnet.Committee
	if err := s.Committee.Decode(carnet.TypeCommittee, &c); err != nil {
		return nil, err
	}
	switch {
	case s.Committee.Hash() != d.Body.Committee:
		return bad("its committee is another one")
	case d.Number < 1 || d.Number > len(c.Members):
		return bad("the committee has no such member")
	}
	if d.Scheme, err = share.NewCommittee(len(c.Members), c.Threshold); err != nil {
		return nil, err
	}
	if d.Profile, err = he.Lookup(d.Body.Profile); err != nil {
		return nil, err
	}
	if d.Body.Params != d.Profile.ID() || len(d.Body.Commitments) != d.Scheme.Parts() {
		return bad("parameters or commitments are not those of its profile and committee")
	}
	return d, nil
}

// dealingOf reads what an owner dealt, or what holders made of it; then named is the key
// that functionals name, else it is zero.
func dealingOf(env *evidence.Envelope) (body *carnet.Dealing, named carnet.KeyID, err error) {
	if env.PayloadType != carnet.TypeResharing {
		body = &carnet.Dealing{}
		return body, named, env.Decode(carnet.TypeDealing, body)
	}
	var r carnet.Resharing
	err = env.Decode(carnet.TypeResharing, &r)
	dealt := r.Dealing()
	return &dealt, r.Key, err
}

// held returns the dealing of a key whose seeds are held.
func (b *backend) held(ctx context.Context, key carnet.KeyID) (*keys.Dealing, error) {
	if err := b.store.destroyed(ctx, key); err != nil {
		return nil, err
	}
	v, err := b.store.get(ctx, storedDealings+key.String())
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, keys.NotHeld(key)
	}
	var s statements
	if err := json.Unmarshal(v, &s); err != nil {
		return nil, err
	}
	d, err := s.dealing(key)
	if err != nil {
		return nil, err
	}
	a, err := b.againOf(ctx, key)
	if err == nil && a != nil {
		d.As = a.Key
	}
	return d, err
}

func (b *backend) listKeys(ctx context.Context, _ *framework.FieldData) (map[string]any, error) {
	names, err := b.store.view.List(ctx, storedDealings)
	return map[string]any{"keys": names}, err
}

// readKey tells nothing secret: a fingerprint of seeds that have 256 bits of entropy each.
func (b *backend) readKey(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	key, err := keyID(d)
	if err != nil {
		return nil, err
	}
	dealing, err := b.held(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := b.shares.Held(ctx, dealing); err != nil {
		return nil, err
	}
	bundle, err := b.store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer clear(bundle)
	carried, err := b.carried(ctx, key)
	if err != nil {
		return nil, err
	}
	var n [3]int
	for i, c := range []*counter{b.counts.all, b.counts.products, b.counts.across} {
		if n[i], err = c.count(ctx, dealing.Named()); err != nil {
			return nil, err
		}
	}
	f := carnet.Digest("carnet/vault/fingerprint/1", key[:], bundle)
	data := map[string]any{"fingerprint": hex.EncodeToString(f[:8]), "number": dealing.Number, "owner": string(dealing.Body.Owner),
		"profile": dealing.Profile.Name(), "released": int64(n[0]) + carried, "released_products": int64(n[1]) + carried, "released_across": n[2]}
	if dealing.Named() != key {
		data["key"] = dealing.Named().String()
	}
	return data, nil
}

func (b *backend) importKey(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	key, err := keyID(d)
	if err != nil {
		return nil, err
	}
	var s statements
	if s.Dealing, err = envelope(d, "dealing"); err != nil {
		return nil, err
	}
	if s.Committee, err = envelope(d, "committee"); err != nil {
		return nil, err
	}
	sealed, err := joined(d, "sealed")
	if err != nil {
		return nil, err
	}
	s.Number = d.Get("number").(int)
	dealing, err := s.dealing(key)
	if err != nil {
		return nil, err
	}
	if dealing.Handed {
		return nil, invalid("a resharing is taken over, not imported")
	}
	if err := b.shares.Accept(ctx, dealing, sealed); err != nil {
		return nil, err
	}
	v, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return nil, b.store.put(ctx, storedDealings+key.String(), v)
}

// destroyKey also bars a key that was never held.
func (b *backend) destroyKey(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	key, err := keyID(d)
	if err != nil {
		return nil, err
	}
	return nil, b.shares.Destroy(ctx, key)
}
