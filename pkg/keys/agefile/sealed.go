package agefile

import (
	"errors"
	"io"

	"filippo.io/age"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Encrypt encrypts what is written to the result, which must be closed, so that the same
// protection opens it.
func (p Protection) Encrypt(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, p.recipient) }

// EncryptTo is Encrypt for age recipients, as age-keygen -y prints them. Any of their
// identities opens it.
func EncryptTo(w io.Writer, recipients []string) (io.WriteCloser, error) {
	var to []age.Recipient
	for _, text := range recipients {
		r, err := recipient(text)
		if err != nil {
			return nil, carnet.E(carnet.Invalid, "BAD_AGE_RECIPIENT", "%q is no age recipient", text).
				Fix("give what age-keygen -y prints; age1… or age1pq…")
		}
		to = append(to, r)
	}
	return age.Encrypt(w, to...)
}

func recipient(text string) (age.Recipient, error) {
	if r, err := age.ParseHybridRecipient(text); err == nil {
		return r, nil
	}
	return age.ParseX25519Recipient(text)
}

// Decrypt reads what Encrypt or EncryptTo wrote. Errors: Forbidden (WRONG_PASSPHRASE). A
// file that is cut short fails when its end is read.
func (p Protection) Decrypt(r io.Reader) (io.Reader, error) {
	plain, err := age.Decrypt(r, p.identity)
	var noMatch *age.NoIdentityMatchError
	if errors.As(err, &noMatch) {
		return nil, carnet.E(carnet.Forbidden, "WRONG_PASSPHRASE", "the passphrase or identity does not open the file").
			Fix("try again with the right one")
	}
	return plain, err
}
