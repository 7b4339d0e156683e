package engine

import (
	"context"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

const (
	// defaultReleases is max_releases where none is configured.
	defaultReleases = 1 << 20

	// defaultProducts is max_product_releases where none is configured. The polynomials of
	// a product come from the keyholder. Whoever has its token and policy key, an approved
	// buyer, and the seeds of t-1 other keyholders chooses them so that an answer tells
	// every bit above the flood: some 50, which is 30 coefficients of the owner's ternary
	// secret. So many answers leave its dimension above what 128 bits of security need, in
	// every profile and with every committee, at almost twice the number.
	defaultProducts = 64
)

// counts are what was released: numbers of all kinds, those of products, and those of
// products across keys, which are among both others.
type counts struct{ all, products, across *counter }

func newCounts(view logical.Storage) *counts {
	return &counts{newCounter(view, storedReleases, "releases"), newCounter(view, storedProducts, "releases of products"),
		newCounter(view, storedAcross, "releases across keys")}
}

func (c *counts) forget() {
	c.all.forget()
	c.products.forget()
	c.across.forget()
}

// allowance is how many numbers of a kind may be released under a key, and what counts towards it
// besides what the engine counted.
type allowance struct{ limit, carried int64 }

func (c *counter) exhausted(key carnet.KeyID, used, more int, a allowance) error {
	e := carnet.E(carnet.Refused, "RELEASES_EXHAUSTED", "%d more distinct numbers under key %s are too many: its limit of %s is %d, of which %d are used here and %d were carried over from where it was before",
		more, key, c.what, a.limit, used, a.carried)
	if c.at == storedProducts {
		// For a person to decide, so that queries wait.
		return carnet.E(carnet.Forbidden, "PRODUCTS_EXHAUSTED", "%s", e.Msg).
			Fix("have the engine's operator decide: vault write MOUNT/config max_product_releases=NUMBER; docs/howto/vault-plugin.md says what that means")
	}
	return e.Fix("the owner has to publish the dataset again under a new key")
}

// charge counts every functional under each of its keys, durably, before anything is
// computed of it. What fails while it is written stays counted; what is refused is not.
//
// A key is counted by its name over all its dealings. Under other seeds the same
// functional is flooded anew, and counts anew for all of its keys.
func (b *backend) charge(ctx context.Context, c *config, r *keys.Release, ids []carnet.Hash, limit int64) error {
	type charged struct{ all, products, across []carnet.Hash }
	of := map[carnet.KeyID]*charged{}
	for _, d := range r.Dealings {
		of[d.Named()] = &charged{}
	}
	for i := range r.Plan.Openings {
		f := r.Plan.Openings[i].Functionals()[0]
		id := ids[i]
		if dealings, again := dealtAgain(r, f.Keys); again {
			id = plan.Redealt(id, dealings)
		}
		for _, k := range f.Keys {
			to := of[k.Key]
			to.all = append(to.all, id)
			if f.Degree > 1 {
				to.products = append(to.products, id)
			}
			if len(f.Cross) > 0 {
				to.across = append(to.across, id)
			}
		}
	}
	for _, put := range []func(*counter, context.Context, carnet.KeyID, []carnet.Hash, allowance) error{(*counter).room, (*counter).add} {
		for _, d := range r.Dealings {
			key, before := d.Named(), int64(0)
			if d.Key != key {
				var err error
				if before, err = b.carried(ctx, d.Key); err != nil {
					return err
				}
			}
			to := of[key]
			if err := put(b.counts.all, ctx, key, to.all, allowance{limit, before}); err != nil {
				return err
			}
			// Numbers released elsewhere may all have been products.
			if err := put(b.counts.products, ctx, key, to.products, allowance{c.MaxProducts, before}); err != nil {
				return err
			}
			if err := put(b.counts.across, ctx, key, to.across, allowance{limit: share.MaxCrossReleases}); err != nil {
				return err
			}
		}
	}
	return nil
}
