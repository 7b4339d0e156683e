package keyholder

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/terms"
)

// checkAcross is scheme §8, for products of columns of different keys. It does not depend
// on this keyholder's policy: that owners agree to be multiplied with each other is what
// the bound on releases rests on.
func checkAcross(ctx context.Context, k *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	crossing := map[carnet.KeyID]bool{}
	for i := range p.Openings {
		for _, f := range p.Openings[i].Functionals() {
			if len(f.Cross) > 0 != p.Across {
				return planDiffers("opening %d is across keys, or not, unlike its plan", i)
			}
			for j := range f.Keys {
				crossing[f.Keys[j].Key] = true
			}
		}
	}
	if !p.Across {
		return nil
	}
	if c.redealt() {
		// Nobody carries over how many such numbers were opened before, and they are few.
		return refuse("KEY_REDEALT", "products across owners are not opened under keys that were dealt again").
			Fix("the owner has to publish the dataset again under a new key")
	}
	if p.Private != nil {
		return refuse("PRIVATE_COLUMN", "a private parameter and products across owners would need products of three shares").
			Fix("write the value into the query")
	}
	if err := c.committee().scheme.AllowsCross(); err != nil {
		return asRefusal(err)
	}
	for key := range crossing {
		if c.dealing(key).body.Home != nil {
			return share.CrossHome(key)
		}
	}
	for _, r := range terms.Unlisted(p) {
		return r.Error()
	}
	for key := range crossing {
		n, err := k.ledger.ChargedAcross(ctx, key, c.Seq)
		if err != nil {
			return err
		}
		if n > share.MaxCrossReleases {
			return refuse("RELEASES_EXHAUSTED", "key %s has %d distinct numbers across owners asked for, the limit is %d", key, n, share.MaxCrossReleases).
				Fix("the owner has to publish the dataset again under a new key")
		}
	}
	return nil
}

// deriveCrosses re-executes products across keys from ciphertext that belongs to the
// owners' signed roots, and hands them to the session.
func (j *job) deriveCrosses(ctx context.Context) error {
	fs := j.crosses.fs
	if len(fs) == 0 {
		return nil
	}
	session, ok := j.session.(keys.CrossSession)
	if !ok {
		return refuse("CROSS_KEYSTORE", "this keyholder's keystore makes no shares of products across owners").
			Fix("ask about each product with a query of its own")
	}
	source, err := j.source()
	if err != nil {
		return err
	}
	delta := map[carnet.KeyID]he.Poly{}
	for key, d := range j.deltas {
		delta[key] = d[0]
	}
	return scan.Cross(ctx, j.ring, fs, source, j.k.scanning(), func(n int, parts *scan.CrossParts) error {
		i := j.crosses.at[n]
		j.out.contents[i] = parts.Contents(j.ring)
		if j.out.public != nil {
			j.out.public[i] = parts.Value(j.ring, delta)
		}
		return session.Cross(ctx, i, parts, delta)
	})
}
