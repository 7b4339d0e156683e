package flow

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/share"
)

// MaxSealedSeeds bounds one keyholder's sealed bundle in bytes.
const MaxSealedSeeds = 64 << 10

// DealingShape is what a dealing needs, for the transport to bound what it collects.
type DealingShape struct {
	Members         int
	Powers          int
	CorrectionBytes int // bytes of each correction
}

// CheckDealing checks a dealing statement before its contents are sent.
func (g *Gateway) CheckDealing(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (s DealingShape, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		_, s, err = g.checkDealing(tx, as, env)
		return err
	})
	return s, err
}

func (g *Gateway) checkDealing(tx Tx, as *carnet.Party, env *evidence.Envelope) (d carnet.Dealing, s DealingShape, err error) {
	if err := env.Decode(carnet.TypeDealing, &d); err != nil {
		return d, s, err
	}
	if err := sameCaller(as, d.Owner); err != nil {
		return d, s, err
	}
	if _, err := signer(tx, env, d.Owner, carnet.RoleOwner); err != nil {
		return d, s, err
	}
	c, _, err := committee(tx, d.Committee)
	if err != nil {
		return d, s, err
	}
	shares, err := share.NewCommittee(len(c.Members), c.Threshold)
	if err != nil {
		return d, s, err
	}
	p, err := he.Lookup(d.Profile)
	if err != nil {
		return d, s, err
	}
	e := bad("BAD_DEALING", "the dealing does not fit its committee and profile")
	switch {
	case d.Params != p.ID():
		return d, s, e.With("params", "are not those of profile %s; owner and gateway run different versions", d.Profile)
	case d.Nonce.IsZero():
		return d, s, e.With("nonce", "is zero")
	case len(d.Commitments) != shares.Parts():
		return d, s, e.With("commitments", "want %d, have %d", shares.Parts(), len(d.Commitments))
	case len(d.Corrections) != p.MaxDegree():
		return d, s, e.With("corrections", "want %d, have %d", p.MaxDegree(), len(d.Corrections))
	case d.Home != nil && (d.Home.Member < 1 || d.Home.Member > len(c.Members)):
		return d, s, e.With("home", "there is no member %d", d.Home.Member)
	}
	switch k, err := tx.DealingOf(d.Owner, d.Nonce); {
	case err == nil && k != carnet.KeyID(env.Hash()):
		return d, s, known("DEALING_NONCE_USED", "the dealing nonce was used for another dealing").Fix("deal again with a fresh nonce")
	case err != nil && !absent(err):
		return d, s, err
	}
	if err := notRetired(tx, carnet.KeyID(env.Hash())); err != nil {
		return d, s, err
	}
	return d, DealingShape{len(c.Members), p.MaxDegree(), p.BlockBytes()}, nil
}

// SubmitDealing stores a dealing: the statement, the canonical bytes of the
// correction for every power (power 1 first), and a sealed seed bundle for every
// keyholder. Sending it again replaces the bundles of those keyholders that have
// not confirmed theirs, and changes nothing else.
func (g *Gateway) SubmitDealing(ctx context.Context, as *carnet.Party, env *evidence.Envelope, corrections, sealed [][]byte) (Ref, error) {
	var d carnet.Dealing
	var s DealingShape
	err := g.Store.View(ctx, func(tx Tx) (err error) { d, s, err = g.checkDealing(tx, as, env); return err })
	if err != nil {
		return Ref{}, err
	}
	if err := g.checkCorrections(&d, s, corrections); err != nil {
		return Ref{}, err
	}
	if err := checkSealed(s, sealed); err != nil {
		return Ref{}, err
	}
	key := carnet.KeyID(env.Hash())
	gone, err := g.destroyed(ctx, key)
	if err != nil {
		return Ref{}, err
	}
	var seeds []carnet.Hash
	for j, b := range corrections {
		if _, err := g.Blobs.Put(ctx, correctionKey(key, j+1), b); err != nil {
			return Ref{}, err
		}
	}
	for i, b := range sealed {
		// Sealing is randomised: named by content, a second attempt never collides.
		h := carnet.Hash(sha256.Sum256(b))
		seeds = append(seeds, h)
		if gone[i+1] {
			continue // what was destroyed does not come back
		}
		if _, err := g.Blobs.Put(ctx, seedsKey(key, i+1, h), b); err != nil {
			return Ref{}, err
		}
	}
	for _, prefix := range []string{"dealings/" + key.String(), "seeds/" + key.String()} {
		if err := g.Blobs.Sync(ctx, prefix); err != nil {
			return Ref{}, err
		}
	}
	ref, err := g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, _, err := g.checkDealing(tx, as, env); err != nil {
			return err
		}
		return tx.PutDealing(DealingRecord{key, d.Owner, d.Nonce, d.Committee}, seeds)
	})
	if err != nil {
		return Ref{}, err
	}
	return ref, g.replaceSeeds(ctx, key, seeds)
}

func (g *Gateway) replaceSeeds(ctx context.Context, key carnet.KeyID, seeds []carnet.Hash) error {
	return g.Store.Update(ctx, func(tx Tx) error {
		said, err := tx.Confirmations(key)
		if err != nil {
			return err
		}
		good := map[int]bool{}
		for _, c := range said {
			good[c.Number] = c.OK
		}
		for i, h := range seeds {
			old, err := tx.Seeds(key, i+1)
			if err != nil {
				return err
			}
			if old != h && !good[i+1] {
				if err := tx.SetSeeds(key, i+1, h); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// checkCorrections: exactly one for every power, exactly its size, canonical, and
// the one whose hash the owner signed.
func (g *Gateway) checkCorrections(d *carnet.Dealing, s DealingShape, corrections [][]byte) error {
	if len(corrections) != s.Powers {
		return bad("BAD_CORRECTIONS", "want %d corrections, have %d", s.Powers, len(corrections))
	}
	p, err := he.Lookup(d.Profile)
	if err != nil {
		return err
	}
	scratch := g.ring(p).NewPoly()
	for j, b := range corrections {
		if err := wire.ReadPoly(p, b, scratch); err != nil {
			return err
		}
		if wire.CorrectionHash(j+1, b) != d.Corrections[j] {
			return bad("CORRECTIONS_DIFFER", "the correction of power %d is not the one the owner signed", j+1)
		}
	}
	return nil
}

func checkSealed(s DealingShape, sealed [][]byte) error {
	if len(sealed) != s.Members {
		return bad("BAD_SEEDS", "want a sealed bundle for each of %d keyholders, have %d", s.Members, len(sealed))
	}
	for i, b := range sealed {
		if len(b) == 0 || len(b) > MaxSealedSeeds {
			return bad("BAD_SEEDS", "the sealed bundle of keyholder %d has %d bytes, want 1 to %d", i+1, len(b), MaxSealedSeeds)
		}
	}
	return nil
}

func correctionKey(k carnet.KeyID, power int) string { return fmt.Sprintf("dealings/%s/%d", k, power) }

func seedsKey(k carnet.KeyID, number int, h carnet.Hash) string {
	return fmt.Sprintf("seeds/%s/%d-%s", k, number, h)
}

// correction reads and checks the correction of one power.
func (g *Gateway) correction(ctx context.Context, d *carnet.Dealing, key carnet.KeyID, power int) ([]byte, error) {
	b, err := g.Blobs.Get(ctx, correctionKey(key, power))
	if err == nil && wire.CorrectionHash(power, b) != d.Corrections[power-1] {
		err = damaged("correction %d of key %s", power, key)
	}
	return b, err
}

// damaged says that stored bytes are not what they were. Only the operator can
// repair that.
func damaged(format string, args ...any) error {
	return carnet.E(carnet.Internal, "STORAGE_DAMAGED", "stored bytes do not have their hash: "+format, args...)
}
