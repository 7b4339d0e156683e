package evidence

import (
	"errors"

	"github.com/transparency-dev/merkle/proof"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// SplitFormat names the version of the form of Split.
const SplitFormat = "carnet/split/1"

// Split proves that a log showed two histories: two signed checkpoints of which the larger
// one's log did not begin with the smaller one's. Whoever knows the signers' keys checks it
// without anything else.
type Split struct {
	Format string            `json:"format"`
	Older  *SignedCheckpoint `json:"older"`
	Newer  *SignedCheckpoint `json:"newer"` // of at least the size
	// Root is what the newer one's log had at the older one's size, and Path the proof of
	// that: RFC 6962, section 2.1.2; empty if both are of one size.
	Root carnet.Hash   `json:"root"`
	Path []carnet.Hash `json:"path"`
	// Parties are the statements of those who sign the log and of keyholders: the registrar
	// signed them, so that its key is enough to check the rest.
	Parties []*Envelope `json:"parties"`
}

// Verify checks that the checkpoints contradict each other, not who signed them.
func (s *Split) Verify() error {
	a, b := s.Older, s.Newer
	switch {
	case s.Format != SplitFormat || a == nil || b == nil || a.Origin != b.Origin || a.Size < 1 || a.Size > b.Size:
		return notSplit("it is not of two checkpoints of one log, the smaller one first")
	case s.Root == a.Head:
		return notSplit("the newer log begins with the older one")
	}
	if err := VerifyConsistency(carnet.Checkpoint{Size: a.Size, Head: s.Root}, b.Checkpoint, s.Path); err != nil {
		return notSplit("the path does not lead to the newer checkpoint")
	}
	return nil
}

func notSplit(why string) error {
	return carnet.E(carnet.Invalid, "NO_SPLIT", "this does not prove that the log showed two histories: %s", why).
		Fix("have the monitor that found it write the proof again")
}

// RootBefore is the root that a consistency proof gives for the older size, if it can be
// told: a proof from a size that is a power of two does not have it.
func RootBefore(size int64, newer carnet.Checkpoint, path []carnet.Hash) (root carnet.Hash, ok bool) {
	if size < 1 || size&(size-1) == 0 || size >= newer.Size {
		return root, false
	}
	var mismatch proof.RootMismatchError
	if err := VerifyConsistency(carnet.Checkpoint{Size: size}, newer, path); !errors.As(err, &mismatch) || len(mismatch.CalculatedRoot) != len(root) {
		return root, false
	}
	copy(root[:], mismatch.CalculatedRoot)
	return root, VerifyConsistency(carnet.Checkpoint{Size: size, Head: root}, newer, path) == nil
}
