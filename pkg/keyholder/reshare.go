package keyholder

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// handing is what the loop that hands on and takes over remembers. All of it can be made
// again, to the same seeds.
type handing struct {
	sent  map[moveID]carnet.Hash          // to which sealing keys this process contributed
	taken map[moveID]map[carnet.Hash]*due // by what was agreed on
	said  map[string]bool                 // what was logged once
}

// due is a resharing this keyholder signed.
type due struct {
	env  *evidence.Envelope
	sent time.Time // when the gateway took it last
}

func newHanding() handing {
	return handing{map[moveID]carnet.Hash{}, map[moveID]map[carnet.Hash]*due{}, map[string]bool{}}
}

// reshare hands on the parts this keyholder holds of keys that may move, and takes over
// what is handed to it.
func (k *Keyholder) reshare(ctx context.Context) error {
	for {
		wait := longestWait
		retry := func(what string, key carnet.KeyID, err error) {
			if carnet.KindOf(err) != carnet.Refused {
				wait = min(wait, k.retry*10)
			}
			k.log.Warn(what, "key", key, "error", offWire(err), "remedy", remedy(offWire(err)))
		}
		give, take := k.state.moves(k.consents)
		for _, m := range give {
			if k.handing.sent[m.id()] == m.recipients {
				continue
			}
			switch done, err := k.contribute(ctx, m); {
			case ctx.Err() != nil:
				return ctx.Err()
			case isFatal(err):
				return err
			case err != nil:
				retry("parts could not be handed on yet", m.key, err)
			case done:
				k.handing.sent[m.id()] = m.recipients
			default: // what the owner said is not co-signed yet
				wait = min(wait, k.retry)
			}
		}
		for _, m := range take {
			if err := k.takeOverKey(ctx, m); err != nil {
				if ctx.Err() != nil || isFatal(err) {
					return cmp.Or(ctx.Err(), err)
				}
				retry("a key could not be taken over yet", m.key, err)
			}
		}
		if err := k.dropStale(ctx); err != nil {
			if ctx.Err() != nil || isFatal(err) {
				return cmp.Or(ctx.Err(), err)
			}
			retry("seeds of a resharing could not be destroyed yet", carnet.KeyID{}, err)
		}
		if err := k.moves.wait(ctx, wait); err != nil {
			return err
		}
	}
}

// consents reports whether the operator lets parts be handed on to a committee.
func (k *Keyholder) consents(c *committee) bool {
	return slices.Contains(k.cfg.ReshareTo, string(c.body.ID)) || slices.Contains(k.cfg.ReshareTo, c.hash.String())
}

// moves lists the resharings to which this keyholder has to contribute, and those whose
// contributions it can take over. A key does not return to a committee that had it before:
// two permissions would have it go to and fro.
func (s *state) moves(consents func(*committee) bool) (give, take []*move) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key := range s.successions {
		d := s.opened(key)
		for _, c := range s.committees {
			if d.had(c.hash) || d.committee.number == 0 && c.number == 0 {
				continue
			}
			m, err := s.movable(key, d.id, c.hash)
			if err != nil {
				continue
			}
			// Again, to the same seeds, if a new member has another sealing key by now: it may
			// have forgotten the one that they are sealed to.
			m.recipients = s.recipients(c)
			old := s.contributions[m.id()][d.committee.number]
			if d.committee.number > 0 && (old == nil || old.to != m.recipients) && consents(c) {
				give = append(give, m)
			}
			if c.number > 0 && m.Agree(s.said(m.id())).Enough {
				take = append(take, m)
			}
		}
	}
	byID := func(a, b *move) int {
		if c := bytes.Compare(a.key[:], b.key[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.Committee[:], b.Committee[:])
	}
	slices.SortFunc(give, byID)
	slices.SortFunc(take, byID)
	return give, take
}

// agreedOn is what the contributions come to, with their statements.
func (s *state) agreedOn(id moveID, m *share.Move) (share.Agreement, map[int]*contribution) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := map[int]*contribution{}
	for i, c := range s.contributions[id] {
		all[i] = c
	}
	return m.Agree(s.said(id)), all
}

// recipients tells committees apart by the sealing keys that their members have now. The
// caller holds the lock.
func (s *state) recipients(c *committee) carnet.Hash { return ticket.RecipientsDigest(s.sealTo(c)) }

// sealingKeys are those of a committee's members in their order.
func (s *state) sealingKeys(c *committee) [][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sealTo(c)
}

func (s *state) sealTo(c *committee) (out [][]byte) {
	for _, m := range c.body.Members {
		out = append(out, s.parties[m].Present().SealingKey)
	}
	return out
}

// wordSeq is the entry from which on the owner lets the committee have the key. allowed is
// false if the key may not move there any more: handing on others that were found together
// with this one takes time.
func (s *state) wordSeq(m *move) (seq int64, allowed bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, err := s.movable(m.key, m.From, m.Committee); err != nil {
		return 0, false
	}
	return max(s.successions[m.key].seq, m.committee.seq), true
}

// handing is the resharing as whoever makes shares is told of it.
func (m *move) handing() *keys.Handing {
	h := &keys.Handing{Move: m.Move, Succession: m.word, To: m.committee.env, First: m.first, Source: m.from.env, Holders: m.from.committee.env}
	if m.from.again != nil {
		h.Redealing = m.from.again.Redealing
	}
	return h
}

// dropStale destroys seeds that were taken over for a resharing that will not be: the key
// went another way or was retired.
func (k *Keyholder) dropStale(ctx context.Context) error {
	all, err := k.ledger.takeovers(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		k.state.mu.RLock()
		d := k.state.opened(t.key)
		known := k.state.dealings[t.dealing] != nil // from then on it is a dealing like others
		open := d != nil && d.id == t.source && !k.state.retired[t.key]
		k.state.mu.RUnlock()
		if !known && (open || d == nil) { // nil: a ledger that does not know the journal yet
			continue
		}
		if !known {
			if err := k.sharer.Destroy(ctx, t.dealing); err != nil {
				return err
			}
			if err := k.crash("stale seeds destroyed"); err != nil {
				return &fatalError{err}
			}
			k.log.Info("destroyed the seeds of a resharing that is not to be any more", "key", t.key)
		}
		if err := k.ledger.dropTakeover(ctx, t.dealing); err != nil {
			return err
		}
	}
	return nil
}
