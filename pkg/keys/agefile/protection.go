package agefile

import (
	"bytes"
	"os"

	"filippo.io/age"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Protection encrypts and decrypts the file.
type Protection struct {
	recipient age.Recipient
	identity  age.Identity
}

// MinPassphrase is the least length of a passphrase in bytes.
const MinPassphrase = 8

// Passphrase protects the file with a passphrase, by scrypt. Each read and each
// write takes about a second; that is the price of guessing it, too.
func Passphrase(p string) (Protection, error) { return passphrase(p, 18) }

func passphrase(p string, workFactor int) (Protection, error) {
	if len(p) < MinPassphrase {
		return Protection{}, carnet.E(carnet.Invalid, "PASSPHRASE_TOO_SHORT", "the passphrase has fewer than %d characters", MinPassphrase).
			Fix("choose a longer one, such as six random words")
	}
	r, err := age.NewScryptRecipient(p)
	if err != nil {
		return Protection{}, carnet.E(carnet.Invalid, "BAD_PASSPHRASE", "the passphrase can't be used")
	}
	r.SetWorkFactor(workFactor)
	i, err := age.NewScryptIdentity(p)
	if err != nil {
		return Protection{}, carnet.E(carnet.Invalid, "BAD_PASSPHRASE", "the passphrase can't be used")
	}
	return Protection{r, i}, nil
}

// IdentityFile protects the file with the age identity in the file at path, as
// written by age-keygen, with or without -pq. The file must hold exactly one.
func IdentityFile(path string) (Protection, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Protection{}, carnet.E(carnet.Invalid, "NO_IDENTITY_FILE", "the age identity file can't be read").Because(err).
			Fix("make one with: age-keygen -pq -o %s", path)
	}
	defer clear(b)
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil || len(ids) != 1 {
		// The parser's error may quote a line of the file, so it is not passed on.
		return Protection{}, carnet.E(carnet.Invalid, "BAD_IDENTITY_FILE", "%s does not hold exactly one age identity", path).
			Fix("make one with: age-keygen -pq -o FILE")
	}
	switch id := ids[0].(type) {
	case *age.X25519Identity:
		return Protection{id.Recipient(), id}, nil
	case *age.HybridIdentity:
		return Protection{id.Recipient(), id}, nil
	}
	return Protection{}, carnet.E(carnet.Invalid, "BAD_IDENTITY_FILE", "%s holds an age identity of an unsupported type", path).
		Fix("make one with: age-keygen -pq -o FILE")
}
