package keyholder

import (
	"context"
	"errors"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// charged is how many numbers queries up to and including entry seq ask to open under a
// key, with all dealings of it together. Before a dealing this keyholder may have been no
// member. If the owner dealt again, its word counts, which only its own secret depends on,
// or what was charged here if that is more. If holders handed the key on, nobody speaks for
// the owner: what came before is counted anew from the journal, which has all of it.
func (k *Keyholder) charged(ctx context.Context, d *dealing, seq int64) (int64, error) {
	n, err := k.ledger.Charged(ctx, d.key, seq)
	if err != nil || d.before == nil {
		return n, err
	}
	since, err := k.ledger.Charged(ctx, d.key, d.since)
	if err != nil {
		return 0, err
	}
	before := max(since, d.released)
	if d.move != nil {
		at, err := k.carried(ctx, d)
		if err != nil {
			return 0, err
		}
		before = max(since, chargedBy(d.before, d.since, at))
	}
	return saturated(before, n-since), nil
}

// chargedBy is charged of an earlier dealing, from the entries that charged its key.
func chargedBy(d *dealing, seq int64, at []int64) int64 {
	count := func(seq int64) int64 {
		n, _ := slices.BinarySearch(at, seq+1)
		return int64(n)
	}
	if d.before == nil {
		return count(seq)
	}
	before := max(count(d.since), d.released)
	if d.move != nil {
		before = chargedBy(d.before, d.since, at)
	}
	return saturated(before, count(seq)-count(d.since))
}

// saturated adds without overflow.
func saturated(a, b int64) int64 {
	if a > 1<<62-b {
		return 1 << 62
	}
	return a + b
}

// carried lists the entries before a dealing that charged its key for the first time for
// one functional, ascending, whoever the committee was.
func (k *Keyholder) carried(ctx context.Context, d *dealing) ([]int64, error) {
	k.mu.Lock()
	at, known := k.carries[d.id]
	k.mu.Unlock()
	if known {
		return at, nil
	}
	s := newState(k.cfg.Registrar, k.cfg.Party)
	seen := map[carnet.Hash]bool{}
	enough := errors.New("enough")
	_, err := k.ledger.replay(ctx, func(e *evidence.Entry) error {
		if e.Seq >= d.since {
			return enough
		}
		_ = s.apply(e.Envelope) // without effect here as it was then
		c := s.newCase(e.Seq, e.Envelope)
		if c == nil {
			return nil
		}
		s.forget(c.Hash)
		if c.dealing(d.key) == nil {
			return nil
		}
		for _, ch := range c.charges(func(in *dealing) bool { return in.key == d.key }) {
			if !seen[ch.Functional] {
				seen[ch.Functional] = true
				at = append(at, e.Seq)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	k.mu.Lock()
	k.carries[d.id] = at
	k.mu.Unlock()
	return at, nil
}
