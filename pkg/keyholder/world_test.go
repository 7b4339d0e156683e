package keyholder

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// identity is a party with its key.
type identity struct {
	id  carnet.PartyID
	key ed25519.PrivateKey
}

func newIdentity(id carnet.PartyID) *identity {
	seed := sha256.Sum256([]byte("test identity " + id))
	return &identity{id, ed25519.NewKeyFromSeed(seed[:])}
}

func (i *identity) Public() ed25519.PublicKey           { return i.key.Public().(ed25519.PublicKey) }
func (i *identity) Sign(message []byte) ([]byte, error) { return ed25519.Sign(i.key, message), nil }

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// options choose a world; worlds are built once for each.
type options struct {
	layout carnet.Layout
	owners int
	home   bool
	asks   bool // the first owner's terms have queries wait for its approval
	apart  bool // the second owner deals to another committee, of the same keyholders

	company int  // least number of owners by the first owner's terms
	grouped bool // by the first owner's terms months 02 and 03 are not told apart

	budget int64 // of privacy, in millionths of rho, a hundredth of it a number; 0: no noise
}

// world is a network at rest: everybody registered, keys dealt, tables encrypted.
type world struct {
	options
	registrar, buyer *identity
	operator         *identity // of the gateway, whose key is the log's
	owners           []*identity
	stores           func() []*keystest.Memory // fresh stores with the same keys
	scheme           share.Committee
	committee, other carnet.Hash
	schema           *schema.Schema
	encoding         *schema.Encoding
	profile          *he.Profile
	base             []*evidence.Envelope // in journal order, up to the product
	dealings         []*evidence.Envelope
	manifests        []*evidence.Envelope
	product          plan.Product
	files            map[string]*signedFile
	pieces           map[carnet.Nonce]map[columnfile.Piece][]uint64
	columns          map[carnet.Nonce][]*columnfile.Column
	corrections      map[carnet.KeyID][][]byte
	sealed           map[carnet.KeyID][][]byte // number-1
	recipient        *seal.PrivateKey
	secrets          [][]byte // that must never be seen in logs or errors
	rows             int
}

const holders, threshold = 3, 2

var (
	worldsMu sync.Mutex
	worlds   = map[options]*world{}
)

func theWorld(t *testing.T, o options) *world {
	t.Helper()
	worldsMu.Lock()
	defer worldsMu.Unlock()
	if worlds[o] == nil {
		worlds[o] = newWorld(t, o)
	}
	return worlds[o]
}

func sign(t *testing.T, typ carnet.StatementType, body any, signers ...evidence.Signer) *evidence.Envelope {
	t.Helper()
	env, err := evidence.Seal(typ, body, signers...)
	require.NoError(t, err)
	return env
}

func testSchema(t *testing.T) *schema.Schema {
	s, err := schema.Parse("trade.yaml", []byte(`
name: trade
version: 1
title: Trade
dimensions:
  - name: month
    ordered: true
    codes: [{value: "01"}, {value: "02"}, {value: "03"}]
  - name: partner
    codes: [{value: XA}, {value: XB}]
measures:
  - {name: value, min: "0", max: "1000000"}
limits: {rows: 100000, datasets: 4}
layouts: [cube, records]
`))
	require.NoError(t, err)
	return s
}

func newWorld(t *testing.T, o options) *world {
	w := &world{options: o, registrar: newIdentity("registrar"), buyer: newIdentity("buyer"), operator: newIdentity("operator"),
		files: map[string]*signedFile{}, pieces: map[carnet.Nonce]map[columnfile.Piece][]uint64{}, columns: map[carnet.Nonce][]*columnfile.Column{}, corrections: map[carnet.KeyID][][]byte{}, sealed: map[carnet.KeyID][][]byte{}, rows: 40}
	var err error
	w.recipient, err = seal.DeriveKey(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	w.stores = func() (out []*keystest.Memory) {
		for i := range holders {
			seed := sha256.Sum256(fmt.Append(nil, "keyholder", i))
			m, err := keystest.NewMemory(bytes.NewReader(append(seed[:], seed[:]...)))
			require.NoError(t, err)
			out = append(out, m)
		}
		return out
	}
	party := func(i evidence.Signer, id carnet.PartyID, sealing []byte, roles ...carnet.Role) {
		w.base = append(w.base, sign(t, carnet.TypeParty, carnet.Party{ID: id, Name: string(id), Jurisdiction: "CH", Roles: roles,
			SigningKey: i.Public(), SealingKey: sealing, Created: testTime}, w.registrar, i))
	}
	party(w.buyer, "buyer", nil, carnet.RoleBuyer)
	party(w.operator, "operator", nil, carnet.RoleOperator)
	var members []carnet.PartyID
	for i, m := range w.stores() {
		id := carnet.PartyID(fmt.Sprintf("kh%d", i+1))
		members = append(members, id)
		party(m.Signer(), id, m.SealingKey(), carnet.RoleKeyholder)
	}
	for i := range o.owners {
		w.owners = append(w.owners, newIdentity(carnet.PartyID(fmt.Sprintf("owner%d", i+1))))
		party(w.owners[i], w.owners[i].id, nil, carnet.RoleOwner)
	}
	w.scheme, err = share.NewCommittee(holders, threshold)
	require.NoError(t, err)
	com := sign(t, carnet.TypeCommittee, carnet.Committee{ID: "com", Members: members, Threshold: threshold, Quorum: 3, Attestations: 1, PrivateChecks: holders, Created: testTime}, w.registrar)
	w.committee = com.Hash()
	w.schema = testSchema(t)
	sc := sign(t, carnet.TypeSchema, w.schema, w.owners[0])
	w.base = append(w.base, com, sc)
	if o.apart {
		other := sign(t, carnet.TypeCommittee, carnet.Committee{ID: "other", Members: members, Threshold: threshold, Quorum: 3, Attestations: 1, PrivateChecks: holders, Created: testTime}, w.registrar)
		w.base, w.other = append(w.base, other), other.Hash()
	}
	w.encoding, err = w.schema.Encode(o.layout)
	require.NoError(t, err)
	w.profile, err = he.Lookup(w.encoding.Profile)
	require.NoError(t, err)
	w.product = plan.Product{ID: "trade", Schema: w.schema, Encoding: w.encoding, Profile: w.profile, Committee: w.scheme, Homes: map[carnet.KeyID]int{}, PrivateChecks: holders}
	var ids []carnet.DatasetID
	for i := range w.owners {
		ids = append(ids, w.publish(t, i, sc.Hash()))
	}
	w.base = append(w.base, sign(t, carnet.TypeProduct, carnet.Product{ID: "trade", Publisher: "owner1", Title: "Trade",
		Schema: sc.Hash(), Datasets: ids, Created: testTime}, w.owners[0]))
	return w
}

func (w *world) deal(t *testing.T, i int, ring *he.Ring, seed he.Seed) carnet.KeyID {
	owner := w.owners[i]
	nonce := carnet.Nonce(sha256.Sum256(fmt.Append(nil, "dealing", i, w.options)))
	d, err := share.NewDeal(ring, ring.DeriveSecret(seed), w.scheme, nonce, w.profile.MaxDegree(), w.home, rand.Reader)
	require.NoError(t, err)
	committee := w.committee
	if w.apart && i > 0 {
		committee = w.other
	}
	body := carnet.Dealing{Owner: owner.id, Committee: committee, Profile: w.profile.Name(), Params: w.profile.ID(),
		Nonce: nonce, Commitments: d.Commitments, Created: testTime}
	home := 0
	if w.home {
		home = 1
		body.Home = &carnet.HomePart{Member: home, Commitment: d.HomeCommitment}
	}
	var deltas [][]byte
	for j, c := range d.Corrections {
		deltas = append(deltas, wire.AppendPoly(nil, w.profile, c))
		body.Corrections = append(body.Corrections, wire.CorrectionHash(j+1, deltas[j]))
	}
	env := sign(t, carnet.TypeDealing, body, owner)
	key := carnet.KeyID(env.Hash())
	w.corrections[key] = deltas
	w.dealings = append(w.dealings, env)
	w.base = append(w.base, env)
	for n, m := range w.stores() {
		b := d.Bundle(w.scheme, n+1, home).Append(nil)
		w.secrets = append(w.secrets, b)
		for _, s := range d.Seeds {
			w.secrets = append(w.secrets, bytes.Clone(s[:]))
		}
		sealed, err := seal.Seal(m.SealingKey(), share.SeedsInfo(key, n+1), b)
		require.NoError(t, err)
		w.sealed[key] = append(w.sealed[key], sealed)
	}
	if w.home {
		w.product.Homes[key] = home
	}
	return key
}

// row is row r of owner i: deterministic, so that tests know every total.
func row(i, r int) *schema.Row {
	return &schema.Row{Dims: []int{r % 3, (r / 3) % 2}, Measures: []int64{int64(100*i + r)}, Null: []bool{false}}
}

func (w *world) publish(t *testing.T, i int, sc carnet.Hash) carnet.DatasetID {
	ring := he.NewRing(w.profile)
	seed := he.Seed(sha256.Sum256(fmt.Append(nil, "dataset key", i)))
	w.secrets = append(w.secrets, seed[:])
	key := w.deal(t, i, ring, seed)
	b, err := w.encoding.NewBuilder(nil, 0)
	require.NoError(t, err)
	for r := range w.rows {
		require.NoError(t, b.Add(row(i, r)))
	}
	file := carnet.File{Nonce: sha256.Sum256(fmt.Append(nil, "file", i, w.options)), Rows: b.Rows(), Columns: len(w.encoding.Columns), Blocks: b.Blocks()}
	enc := he.NewEncryptor(ring, seed, key)
	var hashes []carnet.Hash
	values, out := make([]uint64, w.profile.N()), ring.NewPoly()
	f, err := columnfile.NewFile(w.profile, file.Nonce, file.Columns, file.Blocks)
	require.NoError(t, err)
	require.Equal(t, 1, f.Chunks(), "one chunk a column is enough here")
	pieces := map[columnfile.Piece][]uint64{}
	for c := range file.Columns {
		chunk := f.NewChunk()
		for bl := range file.Blocks {
			b.Column(c, bl, values)
			require.NoError(t, enc.EncryptBlock(he.BlockID{File: file.Nonce, Column: uint32(c), Block: uint32(bl)}, values, out))
			chunk.Put(bl, out)
		}
		for leaf := range f.Leaves() {
			at := f.At(uint32(c), leaf)
			pieces[at] = chunk.Piece(int(at.Limb), int(at.Piece))
			hashes = append(hashes, columnfile.HashPiece(pieces[at]))
		}
	}
	file.Root = f.RootOf(hashes)
	w.files[f.Nonce().String()], w.pieces[f.Nonce()] = &signedFile{f, file.Root}, pieces
	for c := range file.Columns {
		col, err := f.ReadTrailer(f.AppendTrailer(nil, uint32(c), hashes[c*f.Leaves():][:f.Leaves()], f.ColumnTree(hashes)), uint32(c), file.Root)
		require.NoError(t, err)
		w.columns[f.Nonce()] = append(w.columns[f.Nonce()], col)
	}
	id := carnet.DatasetID(fmt.Sprintf("owner%d/trade", i+1))
	m := carnet.Dataset{ID: id, Owner: w.owners[i].id, Jurisdiction: "CH", Schema: sc, Layout: w.layout, Profile: w.profile.Name(), Key: key,
		Files:   []carnet.File{file},
		Terms:   carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"statistics"}, Expires: testTime.AddDate(5, 0, 0)},
		Created: testTime}
	if w.asks && i == 0 {
		m.Terms.Approval = carnet.ApprovalOwner
	}
	if i == 0 {
		m.Terms.MinOwners = w.company
		if w.grouped {
			m.Terms.MinGroup = 5
			m.Groups = []carnet.Groups{{Files: 1, Dimensions: []carnet.GroupedDimension{{Dimension: "month", From: []int{0, 1}}, {Dimension: "partner"}}}}
		}
	}
	if w.budget > 0 {
		m.Terms.Privacy = &carnet.Privacy{Budget: w.budget, PerNumber: w.budget / 100, RowsPerUnit: 1}
	}
	env := sign(t, carnet.TypeDataset, m, w.owners[i])
	w.manifests = append(w.manifests, env)
	w.base = append(w.base, env)
	w.product.Datasets = append(w.product.Datasets, plan.Dataset{Hash: env.Hash(), Manifest: m})
	return id
}

// query is a query as an honest buyer makes it, before changes.
func (w *world) query(t *testing.T, sql string) carnet.Query {
	t.Helper()
	p, err := plan.Compile(sql, &w.product)
	require.NoError(t, err)
	q := carnet.Query{Buyer: "buyer", Product: "trade", SQL: sql, Purpose: "statistics", Plan: p.Hash(), Recipient: w.recipient.Public(),
		Created: testTime, Expires: testTime.Add(time.Hour)}
	rand.Read(q.ID[:])
	for _, d := range w.product.Datasets {
		q.Inputs = append(q.Inputs, d.Hash)
	}
	slices.SortFunc(q.Inputs, func(a, b carnet.Hash) int { return bytes.Compare(a[:], b[:]) })
	return q
}

func (w *world) ask(t *testing.T, sql string) *evidence.Envelope {
	t.Helper()
	return sign(t, carnet.TypeQuery, w.query(t, sql), w.buyer)
}
