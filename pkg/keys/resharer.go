package keys

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// Resharer hands the parts it holds on to another committee, and takes over what is handed
// to it.
type Resharer interface {
	// HandOver splits every part held of a dealing for the members of another committee.
	// Repeated, it makes the same seeds. A Sharer in this process leaves it to the caller
	// whether that committee may have them; one that does not trust its caller asks for what
	// the owner and its own operator said. Errors: as Held, and Refused (RESHARE_HOME) of a
	// dealing with a home part.
	HandOver(ctx context.Context, d *Dealing, h *Handing) (*HandedOver, error)

	// TakeOver opens what keyholders of the old dealing sealed to this one, by their
	// numbers, keeps the seeds that fit what was agreed on, and tells whose did not. Done
	// again, it changes nothing. Errors: Unavailable (RESHARE_INCOMPLETE) if some are
	// missing; Precondition (KEY_DESTROYED).
	TakeOver(ctx context.Context, d *Dealing, h *Handing, agreed map[share.Subset]*carnet.HandedPart, sealed map[int][]byte) (liars []int, err error)
}

// Handing is a resharing with the statements that it rests on. Who makes shares in this
// process needs Move and Recipients only.
type Handing struct {
	share.Move
	Recipients [][]byte // sealing keys of the new committee's members in their order; not to take over

	Succession *evidence.Envelope // of the owner, which lets the committee have the key
	To         *evidence.Envelope // the new committee; its hash is Move.Committee
	First      *evidence.Envelope // the dealing that the key is named after
	Source     *evidence.Envelope // the dealing, or resharing, whose parts are handed on; its hash is Move.From
	Redealing  *evidence.Envelope // of the owner, if Source is another dealing than First; else nil
	Holders    *evidence.Envelope // the committee of Source

	// Released tells how many numbers were released under the key so far, to a Sharer that
	// counts itself.
	Released func(ctx context.Context) (int64, error)
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
