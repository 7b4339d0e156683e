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
func (s *Sharer) HandOver(ctx context.Context, d *keys.Dealing, h *keys.Handing) (*keys.HandedOver, error) {
	s.using.RLock()
	defer s.using.RUnlock()
	b, err := s.handing(ctx, d)
	if err != nil {
		return nil, err
	}
	out := &keys.HandedOver{Corrections: map[carnet.Hash][]byte{}}
	if out.Sealed, err = handSeeds(d, h.Move, b, h.Recipients); err != nil {
		return nil, err
	}
	ring := he.NewRing(d.Profile)
	for _, a := range slices.Sorted(maps.Keys(b.Seeds)) {
		part, polys, err := handPart(ring, d, h.Move, b, a)
		if err != nil {
			return nil, err
		}
		for j, b := range polys {
			out.Corrections[part.Corrections[j]] = b
		}
		out.Parts = append(out.Parts, *part)
	}
	return out, nil
}

// HandPart is what all holders of part a say of it, with the canonical bytes of its
// corrections, power 1 first. All of it is public.
func (s *Sharer) HandPart(ctx context.Context, d *keys.Dealing, m share.Move, a share.Subset) (*carnet.HandedPart, [][]byte, error) {
	s.using.RLock()
	defer s.using.RUnlock()
	b, err := s.handing(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	return handPart(he.NewRing(d.Profile), d, m, b, a)
}

func handPart(r *he.Ring, d *keys.Dealing, m share.Move, b share.Bundle, a share.Subset) (*carnet.HandedPart, [][]byte, error) {
	h, err := m.HandOver(r, b, a, d.Profile.MaxDegree())
	if err != nil {
		return nil, nil, err
	}
	part := &carnet.HandedPart{Part: int(a), Commitments: h.Commitments}
	var polys [][]byte
	for j, poly := range h.Corrections {
		polys = append(polys, wire.AppendPoly(nil, d.Profile, poly))
		part.Corrections = append(part.Corrections, wire.CorrectionHash(j+1, polys[j]))
	}
	return part, polys, nil
}

// HandSeeds seals to each member of the new committee, whose sealing keys are given, the
// seeds that its parts are given by the parts held here.
func (s *Sharer) HandSeeds(ctx context.Context, d *keys.Dealing, m share.Move, recipients [][]byte) ([][]byte, error) {
	s.using.RLock()
	defer s.using.RUnlock()
	b, err := s.handing(ctx, d)
	if err != nil {
		return nil, err
	}
	return handSeeds(d, m, b, recipients)
}

func handSeeds(d *keys.Dealing, m share.Move, b share.Bundle, recipients [][]byte) (out [][]byte, err error) {
	handed := map[share.Subset]*share.Handed{}
	for a := range b.Seeds {
		if handed[a], err = m.Split(b, a); err != nil {
			return nil, err
		}
	}
	for i, public := range recipients {
		seeds := m.AppendSeeds(nil, d.Number, i+1, handed)
		sealed, err := seal.Seal(public, m.SealedInfo(d.Number, i+1), seeds)
		clear(seeds)
		if err != nil {
			return nil, err
		}
		out = append(out, sealed)
	}
	return out, nil
}

// handing reads the seeds of a dealing whose parts can be handed on.
func (s *Sharer) handing(ctx context.Context, d *keys.Dealing) (share.Bundle, error) {
	if d.Body.Home != nil {
		return share.Bundle{}, keys.NoHandOver(d.Named())
	}
	plain, err := s.seeds.Get(ctx, d.Key)
	if err != nil {
		return share.Bundle{}, err
	}
	defer clear(plain)
	return checked(d, plain)
}

// TakeOver implements keys.Resharer.
func (s *Sharer) TakeOver(ctx context.Context, d *keys.Dealing, h *keys.Handing, agreed map[share.Subset]*carnet.HandedPart, sealed map[int][]byte) (liars []int, err error) {
	g := h.Gather(d.Number, agreed)
	for _, from := range slices.Sorted(maps.Keys(sealed)) {
		plain, err := s.seeds.Unseal(ctx, h.SealedInfo(from, d.Number), sealed[from])
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
