// Package historytest makes logs for tests: small, complete, with every key at hand, so
// that a test can write entries that nobody honest would.
package historytest

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Start is when the first statement was made; every further one is a second later.
var Start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// Key signs as a party.
type Key ed25519.PrivateKey

// Public implements evidence.Signer.
func (k Key) Public() ed25519.PublicKey { return ed25519.PrivateKey(k).Public().(ed25519.PublicKey) }

// Sign implements evidence.Signer.
func (k Key) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(k), message), nil
}

// KeyOf is the key that a party has first in every world.
func KeyOf(id carnet.PartyID) Key {
	seed := carnet.Digest("historytest", []byte(id))
	return Key(ed25519.NewKeyFromSeed(seed[:]))
}

// World is a network and its log: three keyholders of whom two release, two owners with a
// dataset each, their product, a buyer and the gateway's operator.
type World struct {
	T         testing.TB
	Entries   []*evidence.Entry
	Owners    []carnet.PartyID
	Committee carnet.Hash
	Schema    carnet.Hash
	Layout    carnet.Layout
	Dealings  map[carnet.PartyID]*evidence.Envelope
	Manifests map[carnet.PartyID]*evidence.Envelope
	Pieces    map[carnet.Nonce][]carnet.Hash

	tree    evidence.Tree
	rotated map[carnet.PartyID]carnet.PartyID // to the name of the present key
	clock   time.Time
}

// Keyholders and Owners are the parties by number.
var (
	Keyholders = []carnet.PartyID{"k1", "k2", "k3"}
	Owners     = []carnet.PartyID{"acme", "bolt"}
)

// Others of every world.
const (
	Registrar carnet.PartyID     = "registrar"
	Operator  carnet.PartyID     = "gateway"
	Buyer     carnet.PartyID     = "buyer"
	Product   carnet.ProductID   = "trade"
	Purpose                      = "statistics"
	committee carnet.CommitteeID = "corridor"
)

// New makes a world whose datasets are cubes.
func New(t testing.TB) *World { return NewOf(t, carnet.LayoutCube) }

// NewOf makes a world of a layout, with the given owners or else with all.
func NewOf(t testing.TB, layout carnet.Layout, owners ...carnet.PartyID) *World {
	return newWorld(t, layout, nil, owners)
}

// NewDemanding makes a world of cubes whose committee demands a policy bundle.
func NewDemanding(t testing.TB, d *carnet.PolicyDemand) *World {
	return newWorld(t, carnet.LayoutCube, d, nil)
}

func newWorld(t testing.TB, layout carnet.Layout, demand *carnet.PolicyDemand, owners []carnet.PartyID) *World {
	if len(owners) == 0 {
		owners = Owners
	}
	w := &World{T: t, Owners: owners, Layout: layout, Dealings: map[carnet.PartyID]*evidence.Envelope{}, Manifests: map[carnet.PartyID]*evidence.Envelope{},
		Pieces: map[carnet.Nonce][]carnet.Hash{}, rotated: map[carnet.PartyID]carnet.PartyID{}, clock: Start}
	w.Party(Operator, "CH", carnet.RoleOperator)
	w.Party(Buyer, "CH", carnet.RoleBuyer)
	for _, k := range Keyholders {
		w.Party(k, "CH", carnet.RoleKeyholder)
	}
	for i, o := range owners {
		w.Party(o, []carnet.Jurisdiction{"KZ", "UZ"}[i], carnet.RoleOwner)
	}
	w.Committee = w.Append(carnet.TypeCommittee, carnet.Committee{ID: committee, Members: Keyholders, Threshold: 2, Quorum: 3, Attestations: 1, PrivateChecks: 3, Created: w.Now(), Policy: demand}, Registrar).Hash()
	w.Schema = w.Append(carnet.TypeSchema, w.schema(), owners[0]).Hash()
	for _, o := range owners {
		w.Deal(o)
		w.Publish(o, nil)
	}
	p := carnet.Product{ID: Product, Publisher: owners[0], Title: "Trade", Schema: w.Schema, Created: w.Now()}
	for _, o := range owners {
		p.Datasets = append(p.Datasets, w.dataset(o))
	}
	w.Append(carnet.TypeProduct, p, owners[0])
	return w
}

// Now is a second after the time before.
func (w *World) Now() time.Time {
	w.clock = w.clock.Add(time.Second)
	return w.clock
}

// Pass lets time go by.
func (w *World) Pass(d time.Duration) { w.clock = w.clock.Add(d) }

func (w *World) schema() *schema.Schema {
	return &schema.Schema{Name: "trade", Version: 1, Limits: schema.Limits{Rows: 1000, Datasets: 4}, Layouts: []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords},
		Dimensions: []schema.Dimension{{Name: "month", Codes: []schema.Code{{Value: "1"}, {Value: "2"}}}},
		Measures:   []schema.Measure{{Name: "value", Min: "0", Max: "100"}}}
}

func (w *World) dataset(owner carnet.PartyID) carnet.DatasetID {
	return carnet.DatasetID(string(owner) + "/trade")
}

// Seal signs a statement in the names of parties.
func (w *World) Seal(t carnet.StatementType, body any, by ...carnet.PartyID) *evidence.Envelope {
	w.T.Helper()
	var signers []evidence.Signer
	for _, id := range by {
		signers = append(signers, w.Key(id))
	}
	env, err := evidence.Seal(t, body, signers...)
	require.NoError(w.T, err)
	return env
}

// Put appends a statement to the log, whatever it says.
func (w *World) Put(env *evidence.Envelope) *evidence.Entry {
	w.T.Helper()
	n := len(w.Entries)
	e := &evidence.Entry{Seq: int64(n), Salt: carnet.Digest("historytest/salt", []byte{byte(n >> 8), byte(n)}), Envelope: env}
	require.NoError(w.T, w.tree.Append(e))
	w.Entries = append(w.Entries, e)
	return e
}

// Append seals a statement and puts it into the log.
func (w *World) Append(t carnet.StatementType, body any, by ...carnet.PartyID) *evidence.Envelope {
	w.T.Helper()
	env := w.Seal(t, body, by...)
	w.Put(env)
	return env
}

// Party registers a party.
func (w *World) Party(id carnet.PartyID, j carnet.Jurisdiction, roles ...carnet.Role) {
	w.T.Helper()
	w.Append(carnet.TypeParty, carnet.Party{ID: id, Name: "The " + string(id), Jurisdiction: j, Roles: roles,
		SigningKey: KeyOf(id).Public(), Created: w.Now()}, id, Registrar)
}

// Key is the key that a party signs with now. The name with "#1" has the first one, with
// "#2" the second, whichever is present.
func (w *World) Key(id carnet.PartyID) Key {
	if now := w.rotated[id]; now != "" {
		return KeyOf(now)
	}
	first, _ := strings.CutSuffix(string(id), "#1")
	return KeyOf(carnet.PartyID(first))
}

// Replacement is a statement with which a party has its second key.
func (w *World) Replacement(id carnet.PartyID) carnet.Party {
	w.T.Helper()
	list := w.State().Registered(id)
	last := list[len(list)-1]
	p := last.Body
	p.Replaces, p.SigningKey, p.Created = &last.Hash, KeyOf(id+"#2").Public(), w.Now()
	return p
}

// Rotate replaces the key of a party by its second one.
func (w *World) Rotate(id carnet.PartyID) *evidence.Envelope {
	w.T.Helper()
	env := w.Append(carnet.TypeParty, w.Replacement(id), id+"#1", id+"#2", Registrar)
	w.rotated[id] = id + "#2"
	return env
}

// Lose replaces the key of a party by its second one on the registrar's word alone.
func (w *World) Lose(id carnet.PartyID) {
	w.T.Helper()
	p := w.Replacement(id)
	p.ReplacesLost = true
	w.Append(carnet.TypeParty, p, id+"#2", Registrar)
	w.rotated[id] = id + "#2"
}

// RevokeParty has the registrar revoke a party.
func (w *World) RevokeParty(id carnet.PartyID) {
	w.T.Helper()
	w.Append(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: id, Created: w.Now()}, Registrar)
}

// Deal deals an owner's key.
func (w *World) Deal(owner carnet.PartyID) carnet.KeyID {
	w.T.Helper()
	p := w.Profile()
	d := carnet.Dealing{Owner: owner, Committee: w.Committee, Profile: p.Name(), Params: p.ID(), Created: w.Now(),
		Nonce: carnet.Nonce(carnet.Digest("dealing", []byte(owner), []byte{byte(len(w.Entries))}))}
	for i := range 3 {
		d.Commitments = append(d.Commitments, carnet.Digest("commitment", []byte{byte(i)}))
	}
	for j := range p.MaxDegree() {
		d.Corrections = append(d.Corrections, wire.CorrectionHash(j+1, make([]byte, p.BlockBytes()))) // of zero
	}
	env := w.Append(carnet.TypeDealing, d, owner)
	if w.Dealings[owner] == nil {
		w.Dealings[owner] = env
	}
	return carnet.KeyID(env.Hash())
}

// Profile is that of the world's datasets.
func (w *World) Profile() *he.Profile {
	enc, err := w.schema().Encode(w.Layout)
	require.NoError(w.T, err)
	p, err := he.Lookup(enc.Profile)
	require.NoError(w.T, err)
	return p
}

// Manifest makes the manifest of an owner's dataset with one fresh file.
func (w *World) Manifest(owner carnet.PartyID) carnet.Dataset {
	w.T.Helper()
	enc, err := w.schema().Encode(w.Layout)
	require.NoError(w.T, err)
	nonce := carnet.Nonce(carnet.Digest("file", []byte(owner), []byte{byte(len(w.Entries))}))
	f := carnet.File{Nonce: nonce, Rows: 10, Columns: len(enc.Columns), Blocks: enc.Blocks(10)}
	file, err := columnfile.NewFile(w.Profile(), nonce, f.Columns, f.Blocks)
	require.NoError(w.T, err)
	for i := range f.Columns * file.Leaves() {
		w.Pieces[nonce] = append(w.Pieces[nonce], carnet.Digest("piece", nonce[:], []byte{byte(i)}))
	}
	f.Root = file.RootOf(append([]carnet.Hash(nil), w.Pieces[nonce]...))
	return carnet.Dataset{ID: w.dataset(owner), Owner: owner, Jurisdiction: "KZ", Schema: w.Schema, Layout: w.Layout, Profile: enc.Profile,
		Key: carnet.KeyID(w.Dealings[owner].Hash()), Files: []carnet.File{f}, Created: w.Now(),
		Terms: carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{Purpose}, Expires: Start.AddDate(1, 0, 0)}}
}

// Publish publishes an owner's dataset.
func (w *World) Publish(owner carnet.PartyID, change func(*carnet.Dataset)) *evidence.Envelope {
	w.T.Helper()
	d := w.Manifest(owner)
	if change != nil {
		change(&d)
	}
	env := w.Append(carnet.TypeDataset, d, owner)
	w.Manifests[owner] = env
	return env
}
