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
		known, err := k.carried(ctx, d.key, d.since)
		if err != nil {
			return 0, err
		}
		before = max(since, chargedBy(d.before, d.since, known.at[d.key]))
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

// carries are the entries that charged keys for the first time for one functional,
// ascending, whoever the committee was; of all keys that their owners let move, and of the
// entries before upto.
type carries struct {
	upto int64
	at   map[carnet.KeyID][]int64
}

// carried is what charged a key before an entry. One pass over the journal serves all keys,
// and is repeated only for what came after it.
func (k *Keyholder) carried(ctx context.Context, key carnet.KeyID, before int64) (*carries, error) {
	k.carrying.Lock()
	defer k.carrying.Unlock()
	if c := k.carries; c != nil && c.upto >= before {
		if _, known := c.at[key]; known {
			return c, nil
		}
	}
	c := &carries{at: map[carnet.KeyID][]int64{key: nil}}
	k.state.mu.RLock()
	c.upto = k.state.applied
	for moving := range k.state.successions {
		c.at[moving] = nil
	}
	k.state.mu.RUnlock()
	s := newState(k.cfg.Registrar, k.cfg.Party)
	type charge struct {
		key carnet.KeyID
		f   carnet.Hash
	}
	seen := map[charge]bool{}
	enough := errors.New("enough")
	end, err := k.ledger.replay(ctx, func(e *evidence.Entry) error {
		if e.Seq >= c.upto {
			return enough
		}
		_ = s.apply(e.Envelope) // without effect here as it was then
		q := s.newCase(e.Seq, e.Envelope)
		if q == nil {
			return nil
		}
		s.forget(q.Hash)
		moves := func(in *dealing) bool { _, ok := c.at[in.key]; return ok }
		if !slices.ContainsFunc(q.inputs, func(in input) bool { return moves(in.dealing) }) {
			return nil
		}
		for _, ch := range q.charges(moves) {
			if f := (charge{ch.Key, ch.Functional}); !seen[f] {
				seen[f] = true
				c.at[ch.Key] = append(c.at[ch.Key], e.Seq)
			}
		}
		return nil
	})
	switch {
	case err == nil:
		c.upto = min(c.upto, end.Size())
	case !errors.Is(err, enough):
		return nil, err
	}
	k.carries = c
	return c, nil
}

// releasedBefore is how many numbers were asked to be opened under a key that moves, up to
// the last contribution or later. The old committee goes on until the switch.
func (k *Keyholder) releasedBefore(ctx context.Context, m *move) (int64, error) {
	c, err := k.carried(ctx, m.key, m.contributed+1)
	if err != nil {
		return 0, err
	}
	return chargedBy(m.from, c.upto, c.at[m.key]), nil
}
