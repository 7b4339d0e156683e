package keys

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Marker is a Store that also remembers, apart from the ledger, the newest state of the
// journal that the keyholder acted on. A ledger that was put back from an old copy is
// noticed by it, even if the gateway was put back with it.
type Marker interface {
	// Mark records a state, durably before it returns. Recording the same again does
	// nothing. Errors: Precondition (MARK_BEHIND) if a longer journal or another one of
	// this size was recorded.
	Mark(ctx context.Context, at carnet.Checkpoint) error

	// Marked returns the newest state recorded, the zero value if there is none.
	Marked(ctx context.Context) (carnet.Checkpoint, error)
}

// MarkBehind says that the keystore has seen more of the journal than the ledger.
func MarkBehind(at, marked carnet.Checkpoint) error {
	if at.Size == marked.Size {
		return carnet.E(carnet.Precondition, "MARK_BEHIND", "the keystore recorded another journal of size %d", at.Size).
			Fix("two keyholders run with one keystore, or the journal was rewritten: stop, and compare checkpoints with the other keyholders")
	}
	return carnet.E(carnet.Precondition, "MARK_BEHIND", "the ledger is at %d, but the keystore recorded a journal of size %d", at.Size, marked.Size).
		Fix("the ledger was restored from an old copy or two keyholders run with one keystore; stop all but one and let it replay the journal")
}
