package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/meter"
)

// memo is what the store knows of the queries in a page of the journal, and what the book
// worked out of them.
type memo struct {
	known map[carnet.Hash][]byte
	fresh map[carnet.Hash]meter.Used
}

// recall reads what is noted of the queries among entries.
func (m *memo) recall(tx Tx, page []evidence.Entry) (err error) {
	var queries []carnet.Hash
	for i := range page {
		if page[i].Envelope.PayloadType == carnet.TypeQuery {
			queries = append(queries, page[i].Envelope.Hash())
		}
	}
	m.known, err = tx.UsesOf(queries)
	m.fresh = map[carnet.Hash]meter.Used{}
	return err
}

// Recall implements meter.Memo.
func (m *memo) Recall(query carnet.Hash) (meter.Used, bool) { return meter.ParseUsed(m.known[query]) }

// Keep implements meter.Memo.
func (m *memo) Keep(query carnet.Hash, u meter.Used) { m.fresh[query] = u }

// note stores what was worked out.
func (m *memo) note(ctx context.Context, s Store) error {
	if len(m.fresh) == 0 {
		return nil
	}
	return s.Update(ctx, func(tx Tx) error {
		for query, u := range m.fresh {
			if err := putUses(tx, query, u); err != nil {
				return err
			}
		}
		return nil
	})
}

func putUses(tx Tx, query carnet.Hash, u meter.Used) error {
	b, err := u.Bytes()
	if err != nil {
		return err
	}
	return tx.PutUses(query, b)
}
