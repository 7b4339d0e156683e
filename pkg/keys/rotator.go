package keys

import (
	"context"
	"crypto/ed25519"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Rotator is a Store whose signing and sealing keys can be replaced. The order of calls is
// that of the journal: keys are drawn, a statement that names them is registered, and only
// when the journal has it are they adopted. Each step is durable when it returns and may be
// repeated.
type Rotator interface {
	// Draw makes the keys that are to replace the present ones, and keeps them beside those.
	// What was drawn before and not adopted stays: only what is missing is made. The store
	// goes on to sign with the present key.
	Draw(ctx context.Context, signing, sealing bool) (Next, error)

	// Next returns what was drawn, false if nothing was.
	Next() (Next, bool)

	// Adopt makes the keys given, of which each is the present one or the one drawn, those
	// that the store signs with and is sealed to. A signing key that is replaced is
	// destroyed, as far as that is the store's to do; a sealing key is kept to open what was
	// sealed to it, until Forget. Error: Precondition (KEYS_NOT_HELD) if a key is neither.
	Adopt(ctx context.Context, signing ed25519.PublicKey, sealing []byte) error

	// Replaced is how many sealing keys are kept that were replaced.
	Replaced() int

	// Forget destroys them.
	Forget(ctx context.Context) error

	// Discard destroys what was drawn.
	Discard(ctx context.Context) error
}

// Next is what was drawn, together with what stays: the keys of the next party statement.
type Next struct {
	Signer     evidence.Signer
	SealingKey []byte
}

// NotOurs says that the journal names keys that the store does not have.
func NotOurs(signing ed25519.PublicKey) error {
	return carnet.E(carnet.Precondition, "KEYS_NOT_HELD", "the registered keys of this keyholder, %s, are not in the keystore", evidence.KeyHint(signing)).
		Fix("put back the newest copy of the keystore; if the keys are lost, make new ones and have the registrar replace them (carnet-keyholder init --lost)")
}

// SignerGone says that a signer is of a key that was replaced since it was asked for.
func SignerGone(pub ed25519.PublicKey) error {
	return carnet.E(carnet.Unavailable, "KEY_REPLACED", "the signing key %s was replaced meanwhile", evidence.KeyHint(pub)).
		Fix("nothing: it is signed again with the present key")
}
