// Package local makes a keyholder's shares in this process, from the seeds of a
// keystore that gives them out.
package local

import (
	"context"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

// maxKeys bounds how many expanded keys stay in memory, about 1 MiB each.
const maxKeys = 64

// Seeds is the part of a keys.Store that shares are made of.
type Seeds interface {
	Put(ctx context.Context, key carnet.KeyID, bundle []byte) error
	Get(ctx context.Context, key carnet.KeyID) ([]byte, error)
	Destroy(ctx context.Context, key carnet.KeyID) error
	SealingKey() []byte
	Unseal(ctx context.Context, info, sealed []byte) ([]byte, error)
}

// Options bound what sums over many blocks take.
type Options struct {
	Scan  scan.Options
	Cubes *scan.Cubes // set-ups of cubes; nil keeps none
	Keys  int         // expanded keys kept in memory; 0: 64
}

// Sharer implements keys.Sharer.
type Sharer struct {
	seeds Seeds
	opt   Options

	// Held for reading while shares are used, for writing while they are overwritten.
	using sync.RWMutex

	mu    sync.Mutex
	items map[shareOf]*share.KeyShare
	order []shareOf // oldest first
}

// shareOf is a dealing and the key that its shares answer for.
type shareOf struct{ dealing, named carnet.KeyID }

var _ keys.Sharer = (*Sharer)(nil)

// New makes shares from the seeds in a store.
func New(seeds Seeds, opt Options) *Sharer {
	if opt.Cubes == nil {
		opt.Cubes = scan.NewCubes(0)
	}
	if opt.Keys <= 0 {
		opt.Keys = maxKeys
	}
	return &Sharer{seeds: seeds, opt: opt, items: map[shareOf]*share.KeyShare{}}
}

// SealingKey implements keys.Sharer.
func (s *Sharer) SealingKey() []byte { return s.seeds.SealingKey() }

// Accept implements keys.Sharer.
func (s *Sharer) Accept(ctx context.Context, d *keys.Dealing, sealed []byte) error {
	plain, err := s.seeds.Unseal(ctx, share.SeedsInfo(d.Key, d.Number), sealed)
	if carnet.ReasonOf(err) == "UNSEAL_FAILED" {
		return seedFault("SEEDS_UNREADABLE", "the sealed seeds are not sealed to this keyholder for this key")
	}
	if err != nil {
		return err
	}
	defer clear(plain)
	if _, err := checked(d, plain); err != nil {
		return err
	}
	return s.seeds.Put(ctx, d.Key, plain)
}

// Held implements keys.Sharer.
func (s *Sharer) Held(ctx context.Context, d *keys.Dealing) error {
	_, err := s.keyShare(ctx, d)
	return err
}

// Destroy implements keys.Sharer.
func (s *Sharer) Destroy(ctx context.Context, key carnet.KeyID) error {
	s.using.Lock()
	defer s.using.Unlock()
	err := s.seeds.Destroy(ctx, key)
	s.zero() // also if the store failed: what it will say next is what counts
	return err
}

// Zero implements keys.Sharer.
func (s *Sharer) Zero() {
	s.using.Lock()
	defer s.using.Unlock()
	s.zero()
}

func (s *Sharer) zero() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.items {
		k.Zero()
	}
	s.items, s.order = map[shareOf]*share.KeyShare{}, nil
	s.opt.Cubes.Zero()
}

// checked is the part of scheme §6.1 that needs the seeds: one for every subset this
// keyholder is not in, each matching its commitment, nothing else.
func checked(d *keys.Dealing, plain []byte) (share.Bundle, error) {
	parse := share.ParseBundle
	if d.Handed {
		parse = func(plain []byte) (share.Bundle, error) { return share.ParseLists(d.Scheme, plain) }
	}
	b, err := parse(plain)
	if err != nil {
		return b, seedFault("SEEDS_MALFORMED", "the seed bundle is malformed")
	}
	if b.Number != d.Number {
		return b, seedFault("SEEDS_FOR_ANOTHER", "the seed bundle belongs to keyholder %d", b.Number)
	}
	if err := share.CheckBundle(d.Scheme, d.Body, b); err != nil {
		return b, seedFault("SEEDS_MISMATCH", "the seeds do not match the dealing's commitments")
	}
	return b, nil
}

// seedFault is a public reason why seeds can't be used; it never says more than
// which comparison failed.
func seedFault(reason, format string, args ...any) error {
	return carnet.E(carnet.Refused, reason, format, args...).
		Fix("the owner has to send the seeds again, or deal a new key")
}
