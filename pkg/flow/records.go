package flow

import (
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Ref names a journaled statement: its hash and its place.
type Ref struct {
	Hash carnet.Hash
	Seq  int64
}

// Stored is a journaled statement.
type Stored struct {
	Ref
	Envelope *evidence.Envelope
}

// Named says which table of named statements is meant.
type Named string

const (
	NamedParty     Named = "parties"    // by party id
	NamedCommittee Named = "committees" // by committee id
	NamedSchema    Named = "schemas"    // by "name@version"
)

// NamedStatement is a statement with its name.
type NamedStatement struct {
	ID string
	Stored
}

// Upload is one file version on its way in, and, once committed, for ever: a nonce
// that was seen once is never free again.
type Upload struct {
	Nonce    carnet.Nonce
	Owner    carnet.PartyID
	Dataset  carnet.DatasetID
	Profile  string
	Columns  int
	Blocks   int
	State    UploadState
	Manifest carnet.Hash // statement that committed it; zero before
	Active   time.Time   // when it was begun or last received a piece
}

// UploadState is where an upload stands: pending until its manifest commits it, or
// abandoned when nobody committed it in time.
type UploadState string

const (
	UploadPending   UploadState = "pending"
	UploadCommitted UploadState = "committed"
	UploadAbandoned UploadState = "abandoned"
)

// PieceHash is the hash of one piece; Index is column x leaves + leaf.
type PieceHash struct {
	Index int64
	Hash  carnet.Hash
}

// DealingRecord is what is looked up about a dealing without decoding it.
type DealingRecord struct {
	Key       carnet.KeyID // = hash of the statement
	Owner     carnet.PartyID
	Nonce     carnet.Nonce
	Committee carnet.Hash
}

// Confirmation is one keyholder's word about the seeds it was dealt.
type Confirmation struct {
	Number int
	OK     bool
	Reason string
}

// DatasetRecord is the catalogue's view of a dataset's newest manifest.
type DatasetRecord struct {
	ID         carnet.DatasetID
	Manifest   Stored
	Owner      carnet.PartyID
	Schema     carnet.Hash
	Layout     carnet.Layout
	Profile    string
	Key        carnet.KeyID
	Rows       int64
	Bytes      int64   // what is stored
	Revocation *Stored // nil: not revoked
	Retirement *Stored // of its key; nil: not retired
}

// InUse reports whether queries may read the dataset.
func (d *DatasetRecord) InUse() bool { return d.Revocation == nil && d.Retirement == nil }

// RedealingRecord says that a key is opened with another dealing.
type RedealingRecord struct {
	Key, Dealing carnet.KeyID
	Extra        int64 // numbers opened before, beyond those counted here
	Statement    Stored
}

// ContributionRecord is what one keyholder of a dealing handed on to a committee.
type ContributionRecord struct {
	From      carnet.KeyID
	Committee carnet.Hash
	Number    int
	Statement carnet.Hash
}

// DestructionRecord is a keyholder's statement that it destroyed its seeds of a key.
type DestructionRecord struct {
	Number    int
	Statement Stored
}

// ProductRecord is the catalogue's view of a product's newest statement. Text holds
// the lower-case words a search looks at.
type ProductRecord struct {
	ID        carnet.ProductID
	Statement Stored
	Text      string
}

// QueryState is a state of the query state machine; see the package comment.
type QueryState string

const (
	QueryWaiting   QueryState = "waiting"
	QueryComputing QueryState = "computing"
	QueryReleasing QueryState = "releasing"
	QueryReady     QueryState = "ready"
	QueryRefused   QueryState = "refused"
	QueryFailed    QueryState = "failed"
	QueryExpired   QueryState = "expired"
)

// QueryRecord is an accepted query and how far it has come.
type QueryRecord struct {
	Statement   Stored
	ID          carnet.Hash // the buyer's random id, unique per buyer
	Buyer       carnet.PartyID
	Product     carnet.ProductID
	Published   []carnet.Hash // statements of its products that it was compiled against
	Committee   carnet.Hash
	Threshold   int // answers that are needed
	Checks      int // keyholders that must agree on the check of a private parameter, 0 without one
	Keyholders  int
	Openings    int
	ScalarBytes int // canonical bytes of one opened number
	Expires     time.Time

	State       QueryState
	Values      carnet.Hash // SHA-256 of the stored public values; zero before
	BlocksDone  int64
	BlocksTotal int64
	Attempts    int    // computations that ended by our own fault
	Failure     string // reason identifier of QueryFailed
	Updated     time.Time
}

// AnswerRecord is one keyholder's answer to a query.
type AnswerRecord struct {
	Number    int
	By        carnet.PartyID
	Statement Stored
	Sealed    carnet.Hash // SHA-256 of the sealed message
	Bytes     int64       // its length
}

// CheckRecord is one keyholder's check of a private parameter.
type CheckRecord struct {
	Number    int
	By        carnet.PartyID
	Statement Stored
}

// DecisionRecord is one party's decision about a query.
type DecisionRecord struct {
	By        carnet.PartyID
	Statement Stored
}

// ApprovalRecord is a party that was asked to approve a query. Statement is nil while it
// has not.
type ApprovalRecord struct {
	By        carnet.PartyID
	Binding   bool // nothing is computed before; else only a keyholder waits for it
	Statement *Stored
}

// DeferralRecord is a keyholder's word that it waits for people.
type DeferralRecord struct {
	By        carnet.PartyID
	Statement Stored
}

// Published is a checkpoint that the log has published, with the co-signatures it has.
// Signers are in the order of the signatures after the log's own.
type Published struct {
	*evidence.SignedCheckpoint
	Signers []carnet.PartyID
}
