// Package keys says what a keyholder needs from the place its secrets live in.
//
// A keyholder has three kinds of secrets: the part seeds of every dataset key it
// helps to guard, the HPKE key those seeds are sealed to on their way from the
// owner, and the Ed25519 key it signs checkpoints, answers and refusals with.
// Store is the smallest interface that serves all three, so that a file, Vault or a
// hardware module can stand behind it. Package agefile keeps everything in one
// age-encrypted file; package keystest is the contract as tests, which every
// implementation runs.
package keys

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// MaxBundle bounds the canonical bytes of one seed bundle: 255 part seeds and a
// home part take less than 16 KiB, the lists of a resharing less than 136 KiB.
const MaxBundle = 136 << 10

// Store keeps a keyholder's secrets. All methods may be called concurrently. No
// error contains secret bytes.
type Store interface {
	// Put keeps a seed bundle under the key it belongs to, durably before it
	// returns. Putting the same bytes again does nothing. Errors: Exists
	// (BUNDLE_DIFFERS) if other bytes are kept under the key, Precondition
	// (KEY_DESTROYED) if the key was destroyed, Invalid (BAD_BUNDLE) if the bundle
	// is empty or longer than MaxBundle.
	Put(ctx context.Context, key carnet.KeyID, bundle []byte) error

	// Get returns a copy of the bundle, which the caller should clear after use.
	// Errors: NotFound (KEY_NOT_HELD), Precondition (KEY_DESTROYED).
	Get(ctx context.Context, key carnet.KeyID) ([]byte, error)

	// List returns the keys held, ascending, without the destroyed ones.
	List(ctx context.Context) ([]carnet.KeyID, error)

	// Destroy removes the bundle for good and remembers that it did: the key can
	// never be put again. Destroying a key that is not held is recorded too;
	// destroying twice does nothing.
	Destroy(ctx context.Context, key carnet.KeyID) error

	// Signer signs statements in the keyholder's name.
	Signer() evidence.Signer

	// SealingKey is the public HPKE key owners seal seed bundles to.
	SealingKey() []byte

	// Unseal opens a message sealed to SealingKey with the given info. Error:
	// Invalid (UNSEAL_FAILED), the same for every cause.
	Unseal(ctx context.Context, info, sealed []byte) ([]byte, error)

	// Close gives up the store. Later calls fail.
	Close() error
}

// Errors every implementation returns, so that callers can rely on kind and reason.

// NotHeld says that no bundle is kept under the key.
func NotHeld(key carnet.KeyID) error {
	return carnet.E(carnet.NotFound, "KEY_NOT_HELD", "no seeds are held for key %s", key).
		Fix("wait until the owner's dealing has been fetched, or restore the keystore from a backup")
}

// Destroyed says that the bundle was destroyed, which is final.
func Destroyed(key carnet.KeyID) error {
	return carnet.E(carnet.Precondition, "KEY_DESTROYED", "the seeds of key %s were destroyed", key).
		Fix("ask the owner to publish the dataset again under a new dealing")
}

// Differs says that other bytes are kept under the key already.
func Differs(key carnet.KeyID) error {
	return carnet.E(carnet.Exists, "BUNDLE_DIFFERS", "other seeds are already held for key %s", key).
		Fix("a key is dealt once; ask the owner to make a new dealing")
}

// CheckBundle checks the length of a bundle.
func CheckBundle(bundle []byte) error {
	if len(bundle) == 0 || len(bundle) > MaxBundle {
		return carnet.E(carnet.Invalid, "BAD_BUNDLE", "a seed bundle has 1 to %d bytes, this one has %d", MaxBundle, len(bundle))
	}
	return nil
}

// UnsealFailed is the one error for a message that can't be opened.
func UnsealFailed() error {
	return carnet.E(carnet.Invalid, "UNSEAL_FAILED", "the message is not sealed to this keyholder's key").
		Fix("check that the owner used the sealing key of this keyholder's registered party statement")
}
