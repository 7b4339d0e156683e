package bundle

import (
	"cmp"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Format names the version of the form. Another form has another name.
const Format = "carnet/bundle/1"

// Limits of what Decode reads.
const (
	MaxBytes   = 64 << 20 // of the archive
	MaxMembers = 20_000
	maxProof   = 64 // hashes: a log has less than 2^63 entries
	maxOlder   = 100
)

// Bundle is what is known about one query. Its parts are in the order that Sort gives.
type Bundle struct {
	Query      carnet.Hash // statement hash of the query
	Checkpoint *evidence.SignedCheckpoint
	Older      []Older  // ascending by size
	Entries    []Entry  // ascending by number
	Policies   []Policy // ascending by digest
	Pieces     []Pieces // ascending by nonce
}

// Older is an earlier checkpoint, and the proof that the log of the bundle's checkpoint
// begins with it.
type Older struct {
	Checkpoint *evidence.SignedCheckpoint
	Proof      []carnet.Hash
}

// Entry is an entry of the log with the proof that it is in the checkpoint.
type Entry struct {
	Seq      int64
	Salt     carnet.Hash
	Envelope *evidence.Envelope
	Proof    []carnet.Hash
}

// Policy is a policy bundle: what is signed of it, and the files it lists.
type Policy struct {
	Statement []byte // payload of the policy bundle's statement
	Files     map[string][]byte
}

// Digest is what decisions name the policy bundle by.
func (p *Policy) Digest() carnet.Hash {
	return (&evidence.Envelope{PayloadType: carnet.TypePolicyBundle, Payload: p.Statement}).Hash()
}

// Pieces are the hashes of all pieces of a file, column by column.
type Pieces struct {
	File   carnet.Nonce
	Hashes []carnet.Hash
}

// Sort brings the parts into their order.
func (b *Bundle) Sort() {
	slices.SortFunc(b.Older, func(x, y Older) int { return cmp.Compare(x.Checkpoint.Size, y.Checkpoint.Size) })
	slices.SortFunc(b.Entries, func(x, y Entry) int { return cmp.Compare(x.Seq, y.Seq) })
	slices.SortFunc(b.Policies, func(x, y Policy) int { return compare(x.Digest(), y.Digest()) })
	slices.SortFunc(b.Pieces, func(x, y Pieces) int { return compare(carnet.Hash(x.File), carnet.Hash(y.File)) })
}

func compare(x, y carnet.Hash) int { return slices.Compare(x[:], y[:]) }

// damaged says which part of a bundle is not as it was written.
func damaged(part, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, "BUNDLE_DAMAGED", "the bundle is damaged or was changed").With(part, format, args...).
		Fix("get it again from whoever exported it")
}
