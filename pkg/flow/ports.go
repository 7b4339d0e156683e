package flow

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Store keeps everything but bytes. Update runs do in one transaction that is
// serialised with every other Update and durable when Update returns nil; if do
// returns an error nothing has happened. View shows one consistent state. Neither
// may be nested. Methods of a Tx return a *carnet.Error of kind NotFound where
// something named is absent, and may only be used inside the function.
//
// The journal is the only home of statements: whoever stores a statement appends it
// in the same Update, so a statement is stored if and only if it is journaled.
type Store interface {
	View(ctx context.Context, do func(Tx) error) error
	Update(ctx context.Context, do func(Tx) error) error
}

// Tx is one transaction.
type Tx interface {
	JournalTx
	RegistryTx
	PartyTx
	DealingTx
	ReshareTx
	UploadTx
	CatalogueTx
	QueryTx
	ApprovalTx
	CheckpointTx
	NotesTx
}

// JournalTx is the journal, whose entries are the leaves of the log.
type JournalTx interface {
	// Append adds a statement that is not in the journal yet, under a salt of 32 random
	// bytes drawn for it.
	Append(env *evidence.Envelope) (Ref, error)
	// Tree returns the tree over all entries.
	Tree() (evidence.Tree, error)
	// TreeAt returns the tree there was at a size from 0 to the present one.
	TreeAt(size int64) (evidence.Tree, error)
	// Entries returns up to limit entries from a sequence number on.
	Entries(from int64, limit int) ([]evidence.Entry, error)
	// Statement finds a statement by hash.
	Statement(h carnet.Hash) (Stored, error)
}

// RegistryTx is statements by name. A name is given once.
type RegistryTx interface {
	PutNamed(kind Named, id string, statement carnet.Hash) error
	GetNamed(kind Named, id string) (Stored, error)
	// ListNamed returns up to limit statements with ids after the given one, ascending.
	ListNamed(kind Named, after string, limit int) ([]NamedStatement, error)
}

// PartyTx is what was said about parties. The present statement is also NamedParty.
type PartyTx interface {
	// PutParty makes a statement the present one of its party.
	PutParty(id carnet.PartyID, statement carnet.Hash) error
	// PartyStatements lists the statements of a party, oldest first; none if it is unknown.
	PartyStatements(id carnet.PartyID) ([]Stored, error)
	// PutPartyRevocation ends a party, once.
	PutPartyRevocation(id carnet.PartyID, statement carnet.Hash) error
	PartyRevocation(id carnet.PartyID) (Stored, error)
}

// DealingTx is dealings, the hashes of their sealed seeds, and confirmations.
type DealingTx interface {
	PutDealing(d DealingRecord, seeds []carnet.Hash) error
	GetDealing(key carnet.KeyID) (DealingRecord, Stored, error)
	// DealingOf finds the dealing with an owner's dealing nonce.
	DealingOf(owner carnet.PartyID, nonce carnet.Nonce) (carnet.KeyID, error)
	// SetSeeds replaces the hash of the bundle sealed to keyholder number 1..n.
	SetSeeds(key carnet.KeyID, number int, sealed carnet.Hash) error
	// Seeds returns the hash of the bundle sealed to keyholder number 1..n.
	Seeds(key carnet.KeyID, number int) (carnet.Hash, error)
	PutConfirmation(key carnet.KeyID, c Confirmation) error
	Confirmations(key carnet.KeyID) ([]Confirmation, error)
	// PutRetirement ends the use of a key.
	PutRetirement(key carnet.KeyID, statement carnet.Hash) error
	GetRetirement(key carnet.KeyID) (Stored, error)
	// PutRedealing has a key opened with another dealing, which deals one key again.
	PutRedealing(r RedealingRecord) error
	// RedealingOf finds what a dealing deals again.
	RedealingOf(dealing carnet.KeyID) (RedealingRecord, error)
	// Redealings lists how a key was dealt again, oldest first.
	Redealings(key carnet.KeyID) ([]RedealingRecord, error)
	// PutDestruction records the statement of keyholder number; there is one for each.
	PutDestruction(key carnet.KeyID, number int, statement carnet.Hash) error
	// Destructions lists them by number.
	Destructions(key carnet.KeyID) ([]DestructionRecord, error)
}

// ReshareTx is what moves a key to another committee without its owner.
type ReshareTx interface {
	// PutSuccession notes an owner's statement about who may have a key next.
	PutSuccession(key carnet.KeyID, statement carnet.Hash) error
	// Successions lists them, oldest first.
	Successions(key carnet.KeyID) ([]Stored, error)
	// PutContribution keeps a keyholder's contribution to a resharing, in place of its
	// earlier one.
	PutContribution(c ContributionRecord) error
	// Contributions lists those to one resharing, by keyholder number.
	Contributions(from carnet.KeyID, committee carnet.Hash) ([]Stored, error)
	// Resharings lists the committees that holders of a dealing contributed to.
	Resharings(from carnet.KeyID) ([]carnet.Hash, error)
	// PutTakeover keeps a resharing with the signature of member number of the new
	// committee, while not all have signed.
	PutTakeover(dealing carnet.KeyID, number int, env *evidence.Envelope) error
	// Takeovers lists them by number.
	Takeovers(dealing carnet.KeyID) ([]*evidence.Envelope, error)
}

// UploadTx is uploads and the index of piece hashes.
type UploadTx interface {
	PutUpload(u Upload) error
	GetUpload(nonce carnet.Nonce) (Upload, error)
	SetUploadState(nonce carnet.Nonce, s UploadState, manifest carnet.Hash) error
	// TouchUpload sets when the upload was last active.
	TouchUpload(nonce carnet.Nonce, now time.Time) error
	// Uploads lists uploads in a state, last active before a time.
	Uploads(s UploadState, before time.Time) ([]Upload, error)
	// PutPieceHash records a piece; added is false if it was there with the same
	// hash, and the error is of kind Exists if it was there with another.
	PutPieceHash(nonce carnet.Nonce, p PieceHash) (added bool, err error)
	// GetPieceHash returns a zero hash if the piece has not arrived.
	GetPieceHash(nonce carnet.Nonce, index int64) (carnet.Hash, error)
	// PieceHashes lists the pieces that have arrived, ascending by index.
	PieceHashes(nonce carnet.Nonce) ([]PieceHash, error)
	DeletePieceHash(nonce carnet.Nonce, index int64) error
	DeletePieceHashes(nonce carnet.Nonce) error
}

// CatalogueTx is datasets and products.
type CatalogueTx interface {
	// PutDataset stores or replaces the catalogue's view of a dataset.
	PutDataset(d DatasetRecord) error
	GetDataset(id carnet.DatasetID) (DatasetRecord, error)
	RevokeDataset(id carnet.DatasetID, revocation carnet.Hash) error
	// DatasetsUnder reports whether a dataset names the key.
	DatasetsUnder(key carnet.KeyID) (bool, error)
	// ListDatasets lists datasets by id; empty owner and zero schema mean any.
	ListDatasets(owner carnet.PartyID, schema carnet.Hash, after carnet.DatasetID, limit int) ([]DatasetRecord, error)
	// PutProduct stores or replaces the catalogue's view of a product.
	PutProduct(p ProductRecord) error
	GetProduct(id carnet.ProductID) (ProductRecord, error)
	// SearchProducts lists products by id whose text contains every word.
	SearchProducts(words []string, after carnet.ProductID, limit int) ([]ProductRecord, error)
}

// QueryTx is queries, what they open, checks, answers and decisions.
type QueryTx interface {
	PutQuery(q QueryRecord) error
	GetQuery(statement carnet.Hash) (QueryRecord, error)
	// QueryOf finds a query by the buyer's own id for it.
	QueryOf(buyer carnet.PartyID, id carnet.Hash) (carnet.Hash, error)
	// SetQuery changes state, values, progress, attempts, failure and time of change.
	SetQuery(q QueryRecord) error
	// ListQueries lists queries newest first, before a sequence number; empty buyer
	// means any.
	ListQueries(buyer carnet.PartyID, before int64, limit int) ([]QueryRecord, error)
	// QueriesIn lists queries in one of the states, oldest first.
	QueriesIn(states ...QueryState) ([]QueryRecord, error)
	PutAnswer(query carnet.Hash, a AnswerRecord) error
	Answers(query carnet.Hash) ([]AnswerRecord, error)
	PutCheck(query carnet.Hash, number int, by carnet.PartyID, statement carnet.Hash) error
	// Checks lists the checks of a query's private parameter, by keyholder number.
	Checks(query carnet.Hash) ([]CheckRecord, error)
	// PutCharges notes numbers that are opened under a key; those noted before stay.
	PutCharges(key carnet.KeyID, functionals []carnet.Hash) error
	// Charged counts the numbers noted for a key, and how many of the given ones, each
	// listed once, are among them.
	Charged(key carnet.KeyID, functionals []carnet.Hash) (total, among int64, err error)
	// PutSpent notes numbers of a dataset that are released with noise; those noted before
	// stay. It adds what they cost to what was spent of the dataset's privacy budget.
	PutSpent(dataset carnet.DatasetID, functionals []carnet.Hash, cost int64) error
	// Spent returns what was spent, and which of the given numbers are noted.
	Spent(dataset carnet.DatasetID, functionals []carnet.Hash) (spent int64, known map[carnet.Hash]bool, err error)
	PutDecision(query carnet.Hash, by carnet.PartyID, statement carnet.Hash) error
	Decisions(query carnet.Hash) ([]DecisionRecord, error)
}

// ApprovalTx is queries that wait for people.
type ApprovalTx interface {
	// AskApproval notes that a party is to approve a query; one that was asked stays asked,
	// and binding stays binding.
	AskApproval(query carnet.Hash, by carnet.PartyID, binding bool) error
	// PutApproval stores a party's approval or refusal, whether or not it was asked.
	PutApproval(query carnet.Hash, by carnet.PartyID, statement carnet.Hash) error
	// Approvals lists who was asked about a query or said something, by party.
	Approvals(query carnet.Hash) ([]ApprovalRecord, error)
	// ApprovalsAsked lists the queries in one of the states about which a party was asked
	// and has said nothing, oldest first.
	ApprovalsAsked(by carnet.PartyID, states ...QueryState) ([]QueryRecord, error)
	PutDeferral(query carnet.Hash, by carnet.PartyID, statement carnet.Hash) error
	// Deferrals lists the keyholders that wait for people, by party.
	Deferrals(query carnet.Hash) ([]DeferralRecord, error)
}

// CheckpointTx is what the log has published, with keyholders' signatures.
type CheckpointTx interface {
	// PutCheckpoint adds a checkpoint with the log's signature; one that is there stays. Of
	// those that nobody co-signs only the newest are kept.
	PutCheckpoint(c *evidence.SignedCheckpoint) error
	// PutCosignature adds a party's signature of a checkpoint that is there; added is false
	// if the party's was there.
	PutCosignature(size int64, by carnet.PartyID, sig note.Signature) (added bool, err error)
	// PublishedAt returns the checkpoint of a size with the co-signatures it has.
	PublishedAt(size int64) (Published, error)
	// RecentPublished lists the newest checkpoints, largest first.
	RecentPublished(limit int) ([]Published, error)
}

// NotesTx is what is noted beside the journal, so that a gateway that starts again need not
// find it out anew.
type NotesTx interface {
	// PutUses notes what a journaled query uses of datasets, in place of what was noted before.
	PutUses(query carnet.Hash, uses []byte) error
	// UsesOf returns what was noted of queries, of those of which something was.
	UsesOf(queries []carnet.Hash) (map[carnet.Hash][]byte, error)
	// PutMark notes a time under a name, in place of what was noted before.
	PutMark(name string, at time.Time) error
	// Mark returns the time noted under a name.
	Mark(name string) (time.Time, error)
	DeleteMark(name string) error
}

// Log is the transparency log that others read: tiles of a Merkle tree in a place of its
// own. It is fed from the store, which has everything to make it again.
type Log interface {
	// Tree returns the tree that the log holds, as its readers see it.
	Tree(ctx context.Context) (evidence.Tree, error)
	// Append adds leaves and returns when they are durable and can be read. The first one
	// has the number of the present size; where that has changed meanwhile nothing is added,
	// and the error has the reason LOG_MOVED. If the log gave another number to any, it is
	// broken: LOG_DIFFERS.
	Append(ctx context.Context, first int64, leaves []carnet.Hash) error
	// Inclusion returns the audit path of leaf number index in the tree of a size.
	Inclusion(ctx context.Context, index, size int64) ([]carnet.Hash, error)
	// Consistency proves that the tree of one size begins with that of an older one.
	Consistency(ctx context.Context, older, newer int64) ([]carnet.Hash, error)
}

// Blobs keeps immutable bytes. Put does nothing if the same bytes are there and
// fails with kind Exists if others are. Sync makes everything under a prefix
// durable; until then a power failure may lose or damage it.
type Blobs interface {
	Put(ctx context.Context, key string, data []byte) (added bool, err error)
	Get(ctx context.Context, key string) ([]byte, error)
	Exists(ctx context.Context, key string) (bool, error)
	Delete(ctx context.Context, key string) error
	DeletePrefix(ctx context.Context, prefix string) error
	List(ctx context.Context, prefix string, do func(key string, size int64) error) error
	Sync(ctx context.Context, prefix string) error
}

// Columns keeps column files: pieces are written in any order while a table is
// uploaded, Seal completes the file and makes it durable, and from then on it is
// read. What is read has the hashes that the given root commits to; otherwise the
// error has the reason STORAGE_DAMAGED.
type Columns interface {
	// Write puts the words of a piece in their place, again if need be.
	Write(ctx context.Context, f *columnfile.File, p columnfile.Piece, words []uint64) error
	// Holds reports whether a piece that was written is there with its hash.
	Holds(ctx context.Context, f *columnfile.File, p columnfile.Piece, hash carnet.Hash) (bool, error)
	// Seal takes the hashes of all pieces, as File.RootOf does. It may be repeated.
	Seal(ctx context.Context, f *columnfile.File, pieces []carnet.Hash) error
	// Chunk returns one limb of a chunk, read only and valid until release.
	Chunk(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32, chunk, limb int) (words []uint64, release func(), err error)
	// Constants returns for every limb of a column the sum of all words, modulo the prime. It
	// may be stored, made when it was first asked for; then nothing of the column is read.
	Constants(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32) ([]uint64, error)
	// Doubt has a sealed file opened and compared with its hashes anew, by who reads it
	// next: words that were given out could not be read after all, or others say that they
	// are not right.
	Doubt(nonce carnet.Nonce)
	// Piece returns a piece in packed form, and its proof.
	Piece(ctx context.Context, f *columnfile.File, root carnet.Hash, p columnfile.Piece) (packed, proof []byte, err error)
	// AppendHashes appends the hashes of the pieces of a column, in the order of its leaves.
	AppendHashes(ctx context.Context, dst []carnet.Hash, f *columnfile.File, root carnet.Hash, column uint32) ([]carnet.Hash, error)
	// Bytes returns how much a file takes.
	Bytes(f *columnfile.File) int64
	// Settle may move a sealed file whose manifest was accepted to where it is kept for
	// good. It may be repeated.
	Settle(ctx context.Context, nonce carnet.Nonce) error
	// Remove deletes all of a file version.
	Remove(ctx context.Context, nonce carnet.Nonce) error
}

// Clock tells the time; tests supply their own.
type Clock func() time.Time
