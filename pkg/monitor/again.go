package monitor

import (
	"errors"

	"github.com/carnet-network/carnet/pkg/evidence"
)

// again applies entries in their order: those that others can refer to, and queries that others
// are judged by.
func (m *Monitor) again(s *snapshot, size int64) error {
	m.state.WithoutBudgets() // they are restored
	asked := s.Asked
	weigh := func(below int64) error {
		for ; len(asked) > 0 && asked[0].Entry < below; asked = asked[1:] {
			if err := m.read(&asked[0], size); err != nil {
				return err
			}
			m.state.Weigh(asked[0].Entry, asked[0].Statement)
		}
		return nil
	}
	for i := range s.Kept {
		k := &s.Kept[i]
		if err := m.read(k, size); err != nil {
			return err
		}
		if err := weigh(k.Entry); err != nil {
			return err
		}
		ev, err := m.state.Apply(k.Entry, k.Statement)
		if err != nil {
			return err
		}
		m.keep(&evidence.Entry{Seq: k.Entry, Envelope: k.Statement}, ev)
		if len(asked) > 0 && asked[0].Entry == k.Entry {
			asked = asked[1:]
		}
	}
	return weigh(size)
}

// read checks that a kept entry is one that was read.
func (m *Monitor) read(k *kept, size int64) error {
	if k.Statement == nil || k.Entry < 0 || k.Entry >= size || k.Statement.Hash() != m.hashes[k.Entry] {
		return errors.New("an entry is not the one that was read")
	}
	return nil
}
