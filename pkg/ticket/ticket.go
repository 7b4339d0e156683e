// Package ticket says what a keyholder permits the place that keeps its seeds to answer.
//
// A keyholder whose seeds live elsewhere, in an engine inside Vault, decides on a query
// and signs a release ticket with its policy key. The engine answers nothing without one:
// whoever can only talk to it, with a stolen token, gets no share. A ticket names the
// query, its plan, the recipient, the functional ids, and an epoch that the engine's
// operator can raise to void all tickets signed before. OpeningsDigest and ReadOpenings
// are the description of what is opened, small enough to travel with it.
//
// The bytes are described in docs/formats/ticket.md.
package ticket

import (
	"crypto/ed25519"
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

const (
	tag         = "carnet/ticket/1"
	tagOpenings = "carnet/ticket/openings/1"
	tagKeys     = "carnet/ticket/keys/1"

	body = len(tag) + 3 + 8 + 4 + 4*32
	// Size is the length of a signed ticket in bytes.
	Size = body + ed25519.SignatureSize
)

// Op is what a ticket permits.
type Op uint8

const (
	Answer   Op = 1 // answer openings, sealed to the recipient
	Check    Op = 2 // publish the check of a private parameter
	HandOver Op = 3 // hand parts of a key on to another committee
	TakeOver Op = 4 // keep what is handed on, see ForTakeOver for the fields of both
)

// Ticket is one permission. Nothing in it is secret.
type Ticket struct {
	Op        Op
	Number    uint8 // of the keyholder
	Degree    uint8 // the largest of the openings; 0 for a check
	Epoch     uint64
	Count     uint32      // of openings; of keys for a check
	Query     carnet.Hash // statement hash of the query
	Plan      carnet.Hash // as the query names it
	Recipient carnet.Hash // SHA-256 of the query's HPKE key
	Content   carnet.Hash // OpeningsDigest; KeysDigest for a check
}

func (t *Ticket) bytes() []byte {
	b := append(make([]byte, 0, Size), tag...)
	b = append(b, byte(t.Op), t.Number, t.Degree)
	b = binary.BigEndian.AppendUint64(b, t.Epoch)
	b = binary.BigEndian.AppendUint32(b, t.Count)
	for _, h := range []*carnet.Hash{&t.Query, &t.Plan, &t.Recipient, &t.Content} {
		b = append(b, h[:]...)
	}
	return b
}

// Sign returns the signed ticket. The bytes signed start with a tag that no statement
// starts with, so the key may be one that signs statements too.
func (t *Ticket) Sign(policy evidence.Signer) ([]byte, error) {
	b := t.bytes()
	sig, err := policy.Sign(b)
	if err != nil {
		return nil, err
	}
	return append(b, sig...), nil
}

// Verify returns nil if signed is this very ticket, signed with the policy key. Tickets
// are not read but compared with what the verifier found out itself. NO_TICKET says that
// none has the right length, BAD_TICKET_SIGNATURE that another key signed it, TICKET_EPOCH
// that it was signed in another epoch, TICKET_DIFFERS that it permits something else.
func (t *Ticket) Verify(policy ed25519.PublicKey, signed []byte) error {
	if len(signed) != Size || string(signed[:len(tag)]) != tag {
		return carnet.E(carnet.Forbidden, "NO_TICKET", "there is no release ticket").
			Fix("sign one with the keyholder's policy key after its checks")
	}
	if len(policy) != ed25519.PublicKeySize || !ed25519.Verify(policy, signed[:body], signed[body:]) {
		return carnet.E(carnet.Forbidden, "BAD_TICKET_SIGNATURE", "the release ticket is not signed with the policy key").
			Fix("configure the engine with the public half of the keyholder's policy key")
	}
	if epoch := binary.BigEndian.Uint64(signed[len(tag)+3:]); epoch != t.Epoch {
		return carnet.E(carnet.Forbidden, "TICKET_EPOCH", "the release ticket is of epoch %d, and the present one is %d", epoch, t.Epoch).
			Fix("decide on the query again and sign a new ticket")
	}
	if string(signed[:body]) != string(t.bytes()) {
		return carnet.E(carnet.Forbidden, "TICKET_DIFFERS", "the release ticket permits something else").
			Fix("sign one for this query, recipient and these functionals")
	}
	return nil
}

// Permit is one opening as a ticket names it.
type Permit struct {
	F            carnet.Hash   // functional id
	Descriptions []carnet.Hash // functional.Digest of what it opens, or chooses from, of degree 2 or more; F has linear ones
	Degree, K    int
}

// OpeningsDigest names what a ticket permits to answer.
func OpeningsDigest(openings []Permit) carnet.Hash {
	var fields [][]byte
	for i := range openings {
		o := &openings[i]
		n := binary.BigEndian.AppendUint32(nil, uint32(o.Degree))
		n = binary.BigEndian.AppendUint32(n, uint32(o.K))
		n = binary.BigEndian.AppendUint32(n, uint32(len(o.Descriptions)))
		fields = append(fields, o.F[:], n)
		for j := range o.Descriptions {
			fields = append(fields, o.Descriptions[j][:])
		}
	}
	return carnet.Digest(tagOpenings, fields...)
}

// KeysDigest names the keys whose masks hide a check.
func KeysDigest(keys []carnet.KeyID) carnet.Hash {
	fields := make([][]byte, len(keys))
	for i := range keys {
		fields[i] = keys[i][:]
	}
	return carnet.Digest(tagKeys, fields...)
}
