package keyholder

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// ReshareStatus is how far a key is on its way to another committee.
type ReshareStatus struct {
	Key       carnet.KeyID       `json:"key"`
	From      carnet.KeyID       `json:"from"` // dealing
	Committee carnet.CommitteeID `json:"committee"`
	Hash      carnet.Hash        `json:"committee_hash"`
	Number    int                `json:"number,omitempty"`     // of this keyholder in the committee that has it
	NewNumber int                `json:"new_number,omitempty"` // and in the one that is to have it
	Handed    []carnet.PartyID   `json:"handed"`               // who handed its parts on
	Needed    int                `json:"needed"`               // how many have to, if all say the same
	Agreed    bool               `json:"agreed"`               // every part is agreed on: the new committee can take it over
	Liars     []carnet.PartyID   `json:"liars,omitempty"`      // said something else than enough others
	Split     []ReshareSplit     `json:"split,omitempty"`
}

// ReshareSplit is a part of which its holders say different things, none of them enough.
type ReshareSplit struct {
	Part  int                `json:"part"`
	Sides [][]carnet.PartyID `json:"sides"`
}

// Resharings lists what may move now by what owners said, as the ledger has the journal:
// keys that this keyholder guards, and those it is to guard.
func (l *Ledger) Resharings(ctx context.Context) ([]ReshareStatus, error) {
	party, err := l.meta(ctx, "party")
	if err != nil {
		return nil, ledgerError(l.path, err)
	}
	registrar, err := l.meta(ctx, "registrar")
	if err != nil {
		return nil, ledgerError(l.path, err)
	}
	s := newState(registrar, carnet.PartyID(party))
	if _, err := l.replay(ctx, func(e *evidence.Entry) error {
		_ = s.apply(e.Envelope) // without effect here as it was then
		return nil
	}); err != nil {
		return nil, err
	}
	return s.resharings(), nil
}

func (s *state) resharings() []ReshareStatus {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []ReshareStatus{}
	for key := range s.successions {
		d := s.opened(key)
		for _, c := range s.committees {
			m, err := s.movable(key, d.id, c.hash)
			if err != nil || d.had(c.hash) || d.committee.number == 0 && c.number == 0 {
				continue
			}
			out = append(out, s.reshareStatus(m))
		}
	}
	slices.SortFunc(out, func(a, b ReshareStatus) int {
		if c := bytes.Compare(a.Key[:], b.Key[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.Hash[:], b.Hash[:])
	})
	return out
}

func (s *state) reshareStatus(m *move) ReshareStatus {
	said := s.said(m.id())
	got := m.Agree(said)
	r := ReshareStatus{Key: m.key, From: m.From, Committee: m.committee.body.ID, Hash: m.Committee, Number: m.from.committee.number,
		NewNumber: m.committee.number, Handed: m.named(slices.Sorted(maps.Keys(said))), Needed: m.Contributors(), Agreed: got.Enough, Liars: m.named(got.Liars)}
	for _, x := range got.Split {
		split := ReshareSplit{Part: int(x.Part)}
		for _, side := range x.Sides {
			split.Sides = append(split.Sides, m.named(side))
		}
		r.Split = append(r.Split, split)
	}
	return r
}

// named are the keyholders of the present committee with these numbers.
func (m *move) named(numbers []int) []carnet.PartyID {
	out := []carnet.PartyID{}
	for _, i := range numbers {
		out = append(out, m.from.committee.body.Members[i-1])
	}
	return out
}
