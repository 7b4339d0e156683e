package history

import (
	"bytes"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// SavedBudgets is Budgets as they are kept: by dataset what was spent, and the numbers that
// were released, 32 bytes each, ascending.
type SavedBudgets map[carnet.DatasetID]SavedBudget

// SavedBudget is the account of one dataset.
type SavedBudget struct {
	Spent int64  `json:"spent"`
	Known []byte `json:"known"`
}

// Save returns the accounts.
func (b *Budgets) Save() SavedBudgets {
	out := SavedBudgets{}
	for id, spent := range b.spent {
		var known []carnet.Hash
		for h := range b.known[id] {
			known = append(known, h)
		}
		slices.SortFunc(known, func(x, y carnet.Hash) int { return bytes.Compare(x[:], y[:]) })
		s := SavedBudget{Spent: spent}
		for _, h := range known {
			s.Known = append(s.Known, h[:]...)
		}
		out[id] = s
	}
	return out
}

// RestoreBudgets puts accounts in place of those that the entries applied so far gave: for
// who applies only some of the entries again.
func (s *State) RestoreBudgets(saved SavedBudgets) {
	b := NewBudgets()
	for id, x := range saved {
		b.spent[id], b.known[id] = x.Spent, map[carnet.Hash]bool{}
		for part := range slices.Chunk(x.Known, 32) {
			var h carnet.Hash
			copy(h[:], part)
			b.known[id][h] = true
		}
	}
	s.budgets = b
}
