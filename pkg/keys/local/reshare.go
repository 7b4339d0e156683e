package local

import (
	"context"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

var _ keys.Resharer = (*Sharer)(nil)

// HandOver implements keys.Resharer.
func (s *Sharer) HandOver(ctx context.Context, d *keys.Dealing, m share.Move, recipients [][]byte) (*keys.HandedOver, error) {
	s.using.RLock()
	defer s.using.RUnlock()
	if d.Body.Home != nil {
		return nil, keys.NoHandOver(d.Named())
	}
	plain, err := s.seeds.Get(ctx, d.Key)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	b, err := checked(d, plain)
	if err != nil {
		return nil, err
	}
	out := &keys.HandedOver{Corrections: map[carnet.Hash][]byte{}}
	ring := he.NewRing(d.Profile)
	handed := map[share.Subset]*share.Handed{}
	for _, a := range slices.Sorted(maps.Keys(b.Seeds)) {
		h, err := m.HandOver(ring, b, a, d.Profile.MaxDegree())
		if err != nil {
			return nil, err
		}
		part := carnet.HandedPart{Part: int(a), Commitments: h.Commitments}
		for j, poly := range h.Corrections {
			bytes := wire.AppendPoly(nil, d.Profile, poly)
			digest := wire.CorrectionHash(j+1, bytes)
			out.Corrections[digest], part.Corrections = bytes, append(part.Corrections, digest)
		}
		handed[a], out.Parts = h, append(out.Parts, part)
	}
	for i, public := range recipients {
		seeds := m.AppendSeeds(nil, d.Number, i+1, handed)
		sealed, err := seal.Seal(public, m.SealedInfo(d.Number, i+1), seeds)
		clear(seeds)
		if err != nil {
			return nil, err
		}
		out.Sealed = append(out.Sealed, sealed)
	}
	return out, nil
}

// TakeOver implements keys.Resharer.
func (s *Sharer) TakeOver(ctx context.Context, d *keys.Dealing, m share.Move, agreed map[share.Subset]*carnet.HandedPart, sealed map[int][]byte) (liars []int, err error) {
	g := m.Gather(d.Number, agreed)
	for _, from := range slices.Sorted(maps.Keys(sealed)) {
		plain, err := s.seeds.Unseal(ctx, m.SealedInfo(from, d.Number), sealed[from])
		if err != nil && carnet.ReasonOf(err) != "UNSEAL_FAILED" {
			return liars, err
		}
		if err != nil || g.Add(from, plain) != nil {
			liars = append(liars, from)
		}
		clear(plain)
	}
	b, err := g.Bundle()
	if err != nil {
		return liars, err
	}
	if err := share.CheckBundle(d.Scheme, d.Body, b); err != nil {
		return liars, err
	}
	plain := b.AppendLists(nil, d.Scheme)
	defer clear(plain)
	return liars, s.seeds.Put(ctx, d.Key, plain)
}
