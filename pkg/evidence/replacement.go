package evidence

import (
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Replacement is the statement with which a party has another signing key than in the one with
// the hash given, signed with both; the registrar's signature is missing.
func Replacement(present *carnet.Party, hash carnet.Hash, old, next Signer, created time.Time) (*Envelope, error) {
	body := *present
	body.SigningKey, body.Created = next.Public(), created.UTC().Truncate(time.Second)
	body.Replaces, body.ReplacesLost = &hash, false
	return Seal(carnet.TypeParty, body, next, old)
}
