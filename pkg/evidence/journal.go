package evidence

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Entry is one link of the journal: entry number Seq (from 0) holds an envelope and
// the hash of the entry before it (zero for the first).
type Entry struct {
	Seq      int64
	Salt     carnet.Hash // 32 random bytes, drawn for the entry
	Prev     carnet.Hash
	Envelope *Envelope
}

// Leaf is what the log holds of an entry: a commitment to the whole envelope with its
// signatures. The salt is random, so whoever sees only the log can't tell what an entry
// is, not even by guessing it.
func (e *Entry) Leaf() carnet.Hash { return Leaf(e.Salt, e.Envelope) }

// Leaf commits to an envelope.
func Leaf(salt carnet.Hash, env *Envelope) carnet.Hash {
	st := env.Hash()
	fields := [][]byte{salt[:], st[:]}
	for _, s := range env.Signatures {
		fields = append(fields, []byte(s.KeyID), s.Sig)
	}
	return carnet.Digest("carnet/log/leaf/1", fields...)
}

// Hash binds position, predecessor, statement and its signatures.
func (e *Entry) Hash() carnet.Hash {
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], uint64(e.Seq))
	st := e.Envelope.Hash()
	fields := [][]byte{seq[:], e.Prev[:], st[:]}
	for _, s := range e.Envelope.Signatures {
		fields = append(fields, []byte(s.KeyID), s.Sig)
	}
	return carnet.Digest("carnet/journal/1", fields...)
}

// Chain follows a journal: it accepts entries in order and nothing else. The zero
// value is an empty journal. It is not safe for concurrent use.
type Chain struct {
	Size int64
	Head carnet.Hash
}

// Append accepts the next entry or says what is wrong with it. On error the chain
// is unchanged.
func (c *Chain) Append(e *Entry) error {
	if e.Seq != c.Size {
		return carnet.E(carnet.Invalid, "JOURNAL_GAP", "the journal continues with entry %d, want %d", e.Seq, c.Size)
	}
	if e.Prev != c.Head {
		return carnet.E(carnet.Invalid, "JOURNAL_FORK", "entry %d does not follow the entry seen before it", e.Seq).
			Fix("the journal was rewritten; stop and compare checkpoints with the other keyholders")
	}
	c.Size, c.Head = c.Size+1, e.Hash()
	return nil
}

// Checkpoint is the state to be co-signed.
func (c *Chain) Checkpoint() carnet.Checkpoint { return carnet.Checkpoint{Size: c.Size, Head: c.Head} }
