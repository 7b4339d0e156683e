package keys

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/share"
)

// Resharer is a Sharer that hands the parts it holds on to another committee, and takes
// over what is handed to it. One that is none stays with the dealings of owners.
type Resharer interface {
	// HandOver splits every part held of a dealing for the members of another committee,
	// whose sealing keys are given in their order. Repeated, it makes the same seeds. Whether
	// that committee may have them is the caller's to know. Errors: as Held, and Refused
	// (RESHARE_HOME) of a dealing with a home part.
	HandOver(ctx context.Context, d *Dealing, m share.Move, recipients [][]byte) (*HandedOver, error)

	// TakeOver opens what keyholders of the old dealing sealed to this one, by their
	// numbers, keeps the seeds that fit what was agreed on, and tells whose did not. Done
	// again, it changes nothing. Errors: Unavailable (RESHARE_INCOMPLETE) if some are
	// missing; Precondition (KEY_DESTROYED).
	TakeOver(ctx context.Context, d *Dealing, m share.Move, agreed map[share.Subset]*carnet.HandedPart, sealed map[int][]byte) (liars []int, err error)
}

// HandedOver is what one keyholder contributes to a resharing.
type HandedOver struct {
	Parts       []carnet.HandedPart    // ascending
	Corrections map[carnet.Hash][]byte // their canonical bytes; public
	Sealed      [][]byte               // for each member of the new committee
}

// NoHandOver refuses a dealing with a home part: nobody but its keyholder could check that
// the part stays what it was, and the veto is the owner's, who can deal again.
func NoHandOver(key carnet.KeyID) error {
	return carnet.E(carnet.Refused, "RESHARE_HOME", "key %s has a home part, which is not handed on", key).
		Fix("its owner has to deal it again")
}
