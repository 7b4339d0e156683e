package carnet

import (
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"time"
)

// Role is what a party may do.
type Role string

const (
	RoleOwner     Role = "owner"
	RoleBuyer     Role = "buyer"
	RoleKeyholder Role = "keyholder"
	RoleAuditor   Role = "auditor"
	RoleOperator  Role = "operator"
)

// RoleNames lists roles for a sentence: "owner or operator".
func RoleNames(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, " or ")
}

// StatementType is the DSSE payload type of a signed statement. Each type is signed
// only by the role named beside it.
type StatementType string

const (
	TypeParty      StatementType = "application/vnd.carnet.party.v2+json"      // registrar, and the party itself, with its old key, too
	TypeCommittee  StatementType = "application/vnd.carnet.committee.v1+json"  // registrar
	TypeSchema     StatementType = "application/vnd.carnet.schema.v1+json"     // any registered owner or operator
	TypeDealing    StatementType = "application/vnd.carnet.dealing.v1+json"    // owner
	TypeDataset    StatementType = "application/vnd.carnet.dataset.v3+json"    // owner
	TypeProduct    StatementType = "application/vnd.carnet.product.v1+json"    // owner or operator
	TypeQuery      StatementType = "application/vnd.carnet.query.v2+json"      // buyer
	TypeDecision   StatementType = "application/vnd.carnet.decision.v2+json"   // gateway operator or keyholder
	TypeCheck      StatementType = "application/vnd.carnet.check.v1+json"      // keyholder
	TypeAnswer     StatementType = "application/vnd.carnet.answer.v2+json"     // keyholder
	TypeRevocation StatementType = "application/vnd.carnet.revocation.v1+json" // owner

	TypeRetirement  StatementType = "application/vnd.carnet.retirement.v1+json"  // owner
	TypeDestruction StatementType = "application/vnd.carnet.destruction.v1+json" // keyholder
	TypeRedealing   StatementType = "application/vnd.carnet.redealing.v1+json"   // owner

	TypeCertificate StatementType = "application/vnd.carnet.certificate.v1+json" // gateway operator
	TypeUsage       StatementType = "application/vnd.carnet.usage.v1+json"       // gateway operator
	TypeApproval    StatementType = "application/vnd.carnet.approval.v1+json"    // owner or operator
	TypeDeferral    StatementType = "application/vnd.carnet.deferral.v1+json"    // keyholder

	TypeSuccession   StatementType = "application/vnd.carnet.succession.v1+json"   // owner
	TypeContribution StatementType = "application/vnd.carnet.contribution.v1+json" // keyholder
	TypeResharing    StatementType = "application/vnd.carnet.resharing.v1+json"    // all keyholders of a committee

	TypeFigures         StatementType = "application/vnd.carnet.figures.v1+json"          // gateway operator; in no journal
	TypePartyRevocation StatementType = "application/vnd.carnet.party-revocation.v1+json" // registrar

	TypePolicyBundle StatementType = "application/vnd.carnet.policy-bundle.v1+json" // whom a judge trusts with policies; in no journal
)

// Party is an organisation that takes part. The registrar's signature makes it
// known; the party's own signature proves possession of the key.
type Party struct {
	ID           PartyID      `json:"id"`
	Name         string       `json:"name"`
	Jurisdiction Jurisdiction `json:"jurisdiction"`
	Roles        []Role       `json:"roles"`
	SigningKey   []byte       `json:"signing_key"`           // Ed25519 public key, 32 bytes
	SealingKey   []byte       `json:"sealing_key,omitempty"` // HPKE ML-KEM-768+X25519 public key; keyholders only
	Created      time.Time    `json:"created"`
	// Replaces is the hash of the party's statement before: its keys are others from now on.
	Replaces *Hash `json:"replaces,omitempty"`
	// ReplacesLost says that the old signing key is lost, so that nothing but the
	// registrar's word ties the new one to the party.
	ReplacesLost bool `json:"replaces_lost,omitempty"`
}

// HasRole reports whether the party may act in the role.
func (p *Party) HasRole(r Role) bool {
	for _, x := range p.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// Follows reports whether the statement puts a signing key in the place of that of another
// one, which has the hash.
func (p *Party) Follows(other Hash, key ed25519.PublicKey) bool {
	return p.Replaces != nil && *p.Replaces == other && key.Equal(ed25519.PublicKey(p.SigningKey))
}

// Committee is the set of keyholders that together release answers. Number i of
// the scheme is Members[i-1].
type Committee struct {
	ID           CommitteeID `json:"id"`
	Members      []PartyID   `json:"members"`      // n keyholders, 1 <= n <= 12
	Threshold    int         `json:"threshold"`    // t: any t answers open, t-1 learn nothing
	Quorum       int         `json:"quorum"`       // co-signatures a checkpoint needs: ceil((n+t)/2)
	Attestations int         `json:"attestations"` // least number of keyholders that re-executed, else marked unattested
	// PrivateChecks is how many check scalars must agree before a private parameter is
	// answered, at least 2t-1. 0 stands for 3t-2; with fewer, a buyer helped by a
	// keyholder could select anything, which the committee accepts by setting it.
	PrivateChecks int       `json:"private_checks,omitempty"`
	Created       time.Time `json:"created"`
	// Policy is the bundle that its members, and the gateway, have to decide by; nil: any.
	Policy *PolicyDemand `json:"policy,omitempty"`
}

// Dealing publishes how a dataset key was shared. KeyID = SHA-256 of its payload.
type Dealing struct {
	Owner       PartyID   `json:"owner"`
	Committee   Hash      `json:"committee"`   // statement hash of the committee
	Profile     string    `json:"profile"`     // parameter profile, by name
	Params      Hash      `json:"params"`      // parameter id: digest of the profile's constants
	Nonce       Nonce     `json:"nonce"`       // dealing nonce, in every commitment
	Commitments []Hash    `json:"commitments"` // com_A, subsets in ascending bit-mask order
	Corrections []Hash    `json:"corrections"` // digest of delta_j's canonical bytes, j = 1..d
	Home        *HomePart `json:"home,omitempty"`
	Created     time.Time `json:"created"`
}

// HomePart is the extra additive part of a home veto: nothing opens without the
// keyholder that holds it.
type HomePart struct {
	Member     int  `json:"member"` // keyholder number, 1..n
	Commitment Hash `json:"commitment"`
}

// Layout is how rows become plaintext slots.
type Layout string

const (
	LayoutCube    Layout = "cube"    // one coefficient per combination of dimension codes
	LayoutRecords Layout = "records" // one slot per record, dimensions as encrypted indicators
)

// Dataset is the signed manifest of one owner's published table.
type Dataset struct {
	ID           DatasetID    `json:"id"` // "owner/name"
	Owner        PartyID      `json:"owner"`
	Jurisdiction Jurisdiction `json:"jurisdiction"`
	Title        string       `json:"title,omitempty"`
	Schema       Hash         `json:"schema"` // statement hash of the schema
	Layout       Layout       `json:"layout"`
	Profile      string       `json:"profile"`
	Key          KeyID        `json:"key"`
	Files        []File       `json:"files"` // one per combination of public partition values
	Terms        Terms        `json:"terms"`
	Declaration  *Declaration `json:"declaration,omitempty"` // what the law wants to know about the data
	Created      time.Time    `json:"created"`
	Groups       []Groups     `json:"groups,omitempty"` // of all files, with Terms.MinGroup
}

// File is one encrypted file version: Columns x Blocks ciphertext blocks.
type File struct {
	Nonce     Nonce             `json:"nonce"`
	Partition map[string]string `json:"partition,omitempty"` // partition column -> value, public
	Rows      int64             `json:"rows"`                // records encoded; public
	Columns   int               `json:"columns"`
	Blocks    int               `json:"blocks"`
	Root      Hash              `json:"root"` // over all pieces of all columns, see package columnfile
}

// Terms are the owner's conditions, part of the signed manifest. Empty lists allow
// everything except Buyers and Purposes, where "*" means anyone and any purpose.
type Terms struct {
	Buyers     []PartyID `json:"buyers"`
	Purposes   []string  `json:"purposes"`
	Aggregates []string  `json:"aggregates,omitempty"` // allowed SQL aggregate names, lower case
	GroupBy    []string  `json:"group_by,omitempty"`   // dimensions that may appear in GROUP BY
	Filters    []string  `json:"filters,omitempty"`    // dimensions that may appear in WHERE
	MinOwners  int       `json:"min_owners,omitempty"` // least number of owners every released number combines
	// Jurisdictions a buyer may be registered in.
	Jurisdictions []Jurisdiction `json:"jurisdictions,omitempty"`
	// ProductsWith are the owners whose numbers may be multiplied with those of the
	// dataset, if they list this owner, too.
	ProductsWith []PartyID `json:"products_with,omitempty"`
	Privacy      *Privacy  `json:"privacy,omitempty"` // numbers are released with noise only
	Expires      time.Time `json:"expires"`
	Price        *Price    `json:"price,omitempty"` // nil: for nothing
	// MinGroup is the least number of persons or firms (rows, if the schema names no unit)
	// that any combination of released numbers tells about, besides none.
	MinGroup int `json:"min_group,omitempty"`
	// MaxShare is the largest share, in percent, that one of them may have in a group's sum
	// of a measure.
	MaxShare int `json:"max_share,omitempty"`
	// Approval is whose people have to approve every query: ApprovalOwner; empty: nobody's.
	Approval string `json:"approval,omitempty"`
}

// Product is what buyers query: a union of datasets of one schema, one layout, one
// profile and one committee.
type Product struct {
	ID          ProductID   `json:"id"`
	Publisher   PartyID     `json:"publisher"`
	Title       string      `json:"title"`
	Description string      `json:"description,omitempty"`
	Schema      Hash        `json:"schema"`
	Datasets    []DatasetID `json:"datasets"`
	Created     time.Time   `json:"created"`
}

// MaxQueryLife is the longest time from the submission of a query to its expiry.
const MaxQueryLife = 30 * 24 * time.Hour

// Query is the buyer's signed request. It pins everything a keyholder recomputes.
type Query struct {
	ID        Hash              `json:"id"` // random
	Buyer     PartyID           `json:"buyer"`
	Product   ProductID         `json:"product"`        // the first one after FROM
	With      []ProductID       `json:"with,omitempty"` // the others, in the order of the text, each once
	SQL       string            `json:"sql"`
	Purpose   string            `json:"purpose"`
	Inputs    []Hash            `json:"inputs"`    // dataset statement hashes, ascending
	Plan      Hash              `json:"plan"`      // digest of the compiled plan
	Recipient []byte            `json:"recipient"` // HPKE public key answers are sealed to
	Private   *PrivateParameter `json:"private,omitempty"`
	Created   time.Time         `json:"created"`
	Expires   time.Time         `json:"expires"`
}

// Products are those that the query asks about, in the order of its text.
func (q *Query) Products() []ProductID { return append([]ProductID{q.Product}, q.With...) }

// PrivateParameter is the selection of codes that the private parameters of a query
// stand for, shared among the committee. The query's id is the id of the sharing.
type PrivateParameter struct {
	Weight      int      `json:"weight"`          // how many entries are selected
	Spare       int      `json:"spare,omitempty"` // entries after those of the codes that stand for no code
	Deltas      []byte   `json:"deltas"`          // 1 - Delta_g, 11 bytes big-endian for each entry: the codes in the order of the schema, then the spare ones
	Commitments []Hash   `json:"commitments"`     // to the seed of every part, subsets in ascending bit-mask order
	Seeds       [][]byte `json:"seeds"`           // seed bundles, sealed to the members of the committee in their order
}

// Check publishes a keyholder's scalars of the check of a private parameter. They show
// that a selection was shared, and nothing else.
type Check struct {
	Query   Hash      `json:"query"` // statement hash of the query
	By      PartyID   `json:"by"`
	Number  int       `json:"number"`  // keyholder number in the committee
	Scalars []byte    `json:"scalars"` // two scalars in canonical form
	Created time.Time `json:"created"`
}

// Decision says that a party allowed or refused a query, and why. Refusals depend
// on public facts only.
type Decision struct {
	Query   Hash      `json:"query"` // statement hash of the query
	By      PartyID   `json:"by"`
	Allow   bool      `json:"allow"`
	Reason  string    `json:"reason,omitempty"` // stable identifier
	Message string    `json:"message,omitempty"`
	Remedy  string    `json:"remedy,omitempty"`
	Judged  []Judged  `json:"judged,omitempty"` // by a policy bundle, one for each flow
	Created time.Time `json:"created"`
}

// Judged is one decision of a policy bundle, with all that is needed to repeat it: the
// bundle is named by its digest, input and output are the canonical bytes.
type Judged struct {
	Flow    string          `json:"flow"`
	Allow   bool            `json:"allow"`
	Bundle  Hash            `json:"bundle"`
	Name    string          `json:"name"`
	Version int64           `json:"version"`
	Input   json.RawMessage `json:"input"`
	Output  json.RawMessage `json:"output"`
}

// Answer announces a keyholder's shares for a query. The shares themselves travel
// sealed; only their hash is public.
type Answer struct {
	Query       Hash      `json:"query"`
	By          PartyID   `json:"by"`
	Number      int       `json:"number"`      // keyholder number in the committee
	Functionals Hash      `json:"functionals"` // digest over all functional ids, in plan order
	Openings    int       `json:"openings"`
	Sealed      Hash      `json:"sealed"`             // SHA-256 of the sealed message
	Attested    *Hash     `json:"attested,omitempty"` // digest over the public values z, if re-executed
	Created     time.Time `json:"created"`
	// Policy is the bundle by which the keyholder let the query pass; nil: owners' terms
	// alone.
	Policy *PolicyBundle `json:"policy,omitempty"`
}

// Revocation ends the use of a dataset. It stops new releases; it does not undo
// earlier ones.
type Revocation struct {
	Dataset DatasetID `json:"dataset"`
	Owner   PartyID   `json:"owner"`
	Reason  string    `json:"reason,omitempty"`
	Created time.Time `json:"created"`
}

// Retirement ends the use of a dataset key, and so of every dataset under it, for good.
// It asks the keyholders to destroy their seeds.
type Retirement struct {
	Key     KeyID     `json:"key"`
	Owner   PartyID   `json:"owner"`
	Reason  string    `json:"reason,omitempty"`
	Created time.Time `json:"created"`
}

// Redealing says that a key is opened with another dealing of the same secret from now
// on, mostly one to another committee. The key keeps its identifier: its ciphertext was
// made under it.
type Redealing struct {
	Key      KeyID     `json:"key"`     // what datasets name
	Dealing  KeyID     `json:"dealing"` // of the same secret; names no dataset
	Owner    PartyID   `json:"owner"`
	Released int64     `json:"released"` // numbers opened under all dealings before, at least
	Created  time.Time `json:"created"`
}

// Destruction is a keyholder's word that it destroyed its seeds of a key.
type Destruction struct {
	Key     KeyID     `json:"key"`
	By      PartyID   `json:"by"`
	Number  int       `json:"number"` // keyholder number in the committee
	Created time.Time `json:"created"`
}

// Checkpoint names a state of the journal: its size, and the root of the transparency log
// of that size. The log signs it, and keyholders co-sign it after following the journal
// that far; package evidence has the form. It is no statement.
type Checkpoint struct {
	Size int64 `json:"size"`
	Head Hash  `json:"head"`
}
