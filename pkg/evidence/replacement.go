package evidence

import (
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Replacement is the statement with which a party has other keys than in the one with the hash
// given: next's, and the sealing key that is given, of whoever has one. Old and new signing key
// sign it, which can be the same; the registrar's signature is missing.
func Replacement(present *carnet.Party, hash carnet.Hash, old, next Signer, sealing []byte, created time.Time) (*Envelope, error) {
	body := replacing(present, hash, next, sealing, created)
	if next.Public().Equal(old.Public()) {
		return Seal(carnet.TypeParty, body, next)
	}
	return Seal(carnet.TypeParty, body, next, old)
}

// LostReplacement is Replacement of a party whose old signing key is lost. It says so, and new
// key and registrar alone sign it.
func LostReplacement(present *carnet.Party, hash carnet.Hash, next Signer, sealing []byte, created time.Time) (*Envelope, error) {
	body := replacing(present, hash, next, sealing, created)
	body.ReplacesLost = true
	return Seal(carnet.TypeParty, body, next)
}

func replacing(present *carnet.Party, hash carnet.Hash, next Signer, sealing []byte, created time.Time) carnet.Party {
	body := *present
	body.SigningKey, body.SealingKey, body.Created = next.Public(), sealing, created.UTC().Truncate(time.Second)
	body.Replaces, body.ReplacesLost = &hash, false
	return body
}
