package ticket

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	tagRecipients = "carnet/ticket/recipients/1"
	tagReleased   = "carnet/ticket/released/1"
)

// ForHandOver is the ticket for handing on the parts that keyholder number holds of
// dealing from: on whose word, to which committee, and sealed to which keys.
func ForHandOver(epoch uint64, number int, succession carnet.Hash, from carnet.KeyID, committee carnet.Hash, recipients [][]byte) *Ticket {
	return &Ticket{Op: HandOver, Number: uint8(number), Epoch: epoch, Count: uint32(len(recipients)), Query: succession, Plan: carnet.Hash(from),
		Recipient: committee, Content: RecipientsDigest(recipients)}
}

// ForTakeOver is the ticket for keeping what is handed to member number of a committee
// for a resharing, and for how many numbers were released under the key before.
func ForTakeOver(epoch uint64, number int, succession carnet.Hash, resharing carnet.KeyID, committee carnet.Hash, released int64) *Ticket {
	return &Ticket{Op: TakeOver, Number: uint8(number), Epoch: epoch, Query: succession, Plan: carnet.Hash(resharing), Recipient: committee,
		Content: carnet.Digest(tagReleased, binary.BigEndian.AppendUint64(nil, uint64(released)))}
}

// RecipientsDigest names the sealing keys of a committee's members, in their order. The
// engine's operator approves a committee by it.
func RecipientsDigest(sealingKeys [][]byte) carnet.Hash {
	return carnet.Digest(tagRecipients, sealingKeys...)
}
