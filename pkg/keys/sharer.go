package keys

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Sharer answers with the shares of dataset keys without showing seeds or shares to
// whoever asks. Package local does it in this process from the seeds of any Store; an
// engine inside Vault does it where the seeds never leave. Package keystest has the
// contract as tests. All methods may be called concurrently. No error contains a secret.
type Sharer interface {
	// SealingKey is the public HPKE key owners seal seed bundles to, and buyers the
	// seeds of private parameters.
	SealingKey() []byte

	// Accept opens seeds sealed to SealingKey, compares them with the commitments of the
	// dealing and keeps them for good. Accepting again changes nothing. Errors of kind
	// Refused are the owner's fault (SEEDS_UNREADABLE, SEEDS_MALFORMED,
	// SEEDS_FOR_ANOTHER, SEEDS_MISMATCH); Precondition (KEY_DESTROYED).
	Accept(ctx context.Context, d *Dealing, sealed []byte) error

	// Held returns nil if the seeds are kept and match the dealing. Errors: NotFound
	// (KEY_NOT_HELD), Precondition (KEY_DESTROYED), Refused (SEEDS_MISMATCH and the others).
	Held(ctx context.Context, d *Dealing) error

	// Destroy removes the seeds of a key for good, with everything made of them. No
	// answer is made of them after it returns.
	Destroy(ctx context.Context, key carnet.KeyID) error

	// Open begins the answer to a query that the caller has checked. The caller closes it.
	Open(ctx context.Context, r *Release) (Session, error)

	// Zero overwrites what is kept in memory; the Sharer can be used on.
	Zero()

	Resharer
}

// Session makes one answer. It belongs to one goroutine.
type Session interface {
	// Check returns the scalars of the check of the query's private parameter, scheme
	// §7; only for a plan that has one. Errors: Invalid (BAD_SELECTION_SEEDS), or Refused
	// if the keys or the profile admit none.
	Check(ctx context.Context) ([share.CheckScalars]he.Scalar, error)

	// Product hands over what the caller computed itself of functional i of the plan,
	// which is of degree 2 or more: one part for each of its keys, ascending. The
	// polynomials are read before it returns. Linear functionals need no data.
	Product(ctx context.Context, i int, parts []Part) error

	// Seal floods every opening and returns the answer sealed to the query's recipient:
	// one scalar for each opening in plan order and, from a home keyholder, as many home
	// scalars again. ids are the functional ids in plan order that the caller derived. A
	// Sharer that does not trust its caller derives them again from what it was given.
	Seal(ctx context.Context, ids []carnet.Hash) ([]byte, error)

	// Close overwrites what the session holds.
	Close()
}

// CrossSession is a Session that also answers products across keys. One that is none
// answers no query with such products.
type CrossSession interface {
	Session

	// Cross hands over what the caller computed itself of functional i of the plan, which
	// is across keys, and the first corrections of its keys as their dealings have them.
	// Both are read before it returns. No term of the share leaves the session. Errors:
	// Refused (CROSS_HOME, CROSS_COMMITTEE).
	Cross(ctx context.Context, i int, parts *scan.CrossParts, corrections map[carnet.KeyID]he.Poly) error
}

// Dealing is a key as the journal has it, after its statements were verified.
type Dealing struct {
	Key       carnet.KeyID
	Statement *evidence.Envelope // its hash is Key
	Body      *carnet.Dealing
	Committee *evidence.Envelope // its hash is Body.Committee
	Scheme    share.Committee
	Number    int // of this keyholder
	Profile   *he.Profile
	// As is the key that functionals name, if the key was dealt again and this is not the
	// dealing it is named after; zero: Key.
	As carnet.KeyID
	// Again has the statements that say so, for a Sharer that does not trust its caller;
	// nil without As.
	Again *Again
	// Handed says that the holders of another dealing handed this one on: of each part
	// there is a list of seeds.
	Handed bool
}

// Again shows that a dealing deals a key again.
type Again struct {
	First     *evidence.Envelope // the dealing that the key is named after
	Redealing *evidence.Envelope // of its owner
}

// Named is the key that functionals name.
func (d *Dealing) Named() carnet.KeyID {
	if d.As.IsZero() {
		return d.Key
	}
	return d.As
}

// Release is a query that is to be answered, with what it opens.
type Release struct {
	Hash      carnet.Hash // of Statement
	Statement *evidence.Envelope
	Query     *carnet.Query
	Plan      *plan.Plan
	Dealings  []*Dealing // of the query's keys, ascending, of one committee and profile
}

// Dealing returns the dealing of a key of the release, nil if it has none.
func (r *Release) Dealing(key carnet.KeyID) *Dealing {
	for _, d := range r.Dealings {
		if d.Named() == key {
			return d
		}
	}
	return nil
}

// Part is what a functional of degree d computes to under one key.
type Part struct {
	Key     carnet.KeyID
	D       []he.Poly   // D_1..D_d in the NTT domain
	Content carnet.Hash // H_D of the scheme: scan.HashProduct of D
}
