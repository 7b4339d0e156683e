package evidence

import (
	"github.com/carnet-network/carnet/pkg/carnet"
)

// Entry is one entry of the journal: number Seq (from 0) holds an envelope. What the
// transparency log holds of it is its Leaf.
type Entry struct {
	Seq      int64
	Salt     carnet.Hash // 32 random bytes, drawn for the entry
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
