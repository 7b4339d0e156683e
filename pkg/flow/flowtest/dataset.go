package flowtest

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// Key is a dataset key that was dealt, with everything that was sent.
type Key struct {
	Seed        he.Seed
	ID          carnet.KeyID
	Body        carnet.Dealing
	Envelope    *evidence.Envelope
	Deal        *share.Deal
	Corrections [][]byte
	Sealed      [][]byte
}

// MakeKey makes a key and its dealing, and sends nothing.
func (n *Network) MakeKey(owner carnet.PartyID, layout carnet.Layout) *Key {
	enc, err := n.Schema.Encode(layout)
	require.NoError(n.T, err)
	p, err := he.Lookup(enc.Profile)
	require.NoError(n.T, err)
	ring := he.NewRing(p)
	k := &Key{}
	_, _ = rand.Read(k.Seed[:])
	k.Body = carnet.Dealing{Owner: owner, Committee: n.Hash, Profile: p.Name(), Params: p.ID(), Created: n.Now()}
	_, _ = rand.Read(k.Body.Nonce[:])
	shares := n.Shares()
	k.Deal, err = share.NewDeal(ring, ring.DeriveSecret(k.Seed), shares, k.Body.Nonce, p.MaxDegree(), false, rand.Reader)
	require.NoError(n.T, err)
	k.Body.Commitments = k.Deal.Commitments
	for j, c := range k.Deal.Corrections {
		b := wire.AppendPoly(nil, p, c)
		k.Corrections = append(k.Corrections, b)
		k.Body.Corrections = append(k.Body.Corrections, wire.CorrectionHash(j+1, b))
	}
	k.Envelope = n.Seal(carnet.TypeDealing, k.Body, owner)
	k.ID = carnet.KeyID(k.Envelope.Hash())
	for i, m := range n.Committee.Members {
		info := append(append([]byte("carnet/seeds/1"), k.ID[:]...), byte(i+1))
		b, err := seal.Seal(n.Sealing[m].Public(), info, k.Deal.Bundle(shares, i+1, 0).Append(nil))
		require.NoError(n.T, err)
		k.Sealed = append(k.Sealed, b)
	}
	return k
}

// Shares is the committee in terms of the scheme.
func (n *Network) Shares() share.Committee {
	c, err := share.NewCommittee(len(n.Committee.Members), n.Committee.Threshold)
	require.NoError(n.T, err)
	return c
}

// Deal makes a key and submits its dealing.
func (n *Network) Deal(owner carnet.PartyID, layout carnet.Layout) *Key {
	k := n.MakeKey(owner, layout)
	ref, err := n.G.SubmitDealing(context.Background(), n.Parties[owner], k.Envelope, k.Corrections, k.Sealed)
	require.NoError(n.T, err)
	require.Equal(n.T, k.ID, carnet.KeyID(ref.Hash))
	return k
}

// Table is an encrypted table that is ready to be uploaded.
type Table struct {
	Key      *Key
	Manifest carnet.Dataset
	Nonce    carnet.Nonce
	Pieces   map[columnfile.Piece][]byte // packed
	Order    []columnfile.Piece
}

// Encrypt encrypts rows of (chapter index, value) under fresh nonces.
func (n *Network) Encrypt(k *Key, name string, layout carnet.Layout, rows [][2]int64) *Table {
	owner := k.Body.Owner
	enc, err := n.Schema.Encode(layout)
	require.NoError(n.T, err)
	p, err := he.Lookup(enc.Profile)
	require.NoError(n.T, err)
	ring := he.NewRing(p)
	b, err := enc.NewBuilder(nil, int64(len(rows)))
	require.NoError(n.T, err)
	for _, r := range rows {
		require.NoError(n.T, b.Add(&schema.Row{Dims: []int{int(r[0])}, Measures: []int64{r[1]}, Null: []bool{false}}))
	}
	file := carnet.File{Rows: b.Rows(), Columns: len(enc.Columns), Blocks: b.Blocks()}
	_, _ = rand.Read(file.Nonce[:])
	shape, err := columnfile.NewFile(p, file.Nonce, file.Columns, file.Blocks)
	require.NoError(n.T, err)
	t := &Table{Key: k, Nonce: file.Nonce, Pieces: map[columnfile.Piece][]byte{}}
	crypt := he.NewEncryptor(ring, k.Seed, k.ID)
	values, poly := make([]uint64, p.N()), ring.NewPoly()
	var hashes []carnet.Hash
	require.Equal(n.T, 1, shape.Chunks(), "one chunk a column is enough here")
	chunk := shape.NewChunk()
	for c := range file.Columns {
		chunk.Begin(0)
		for i := range file.Blocks {
			id := he.BlockID{File: file.Nonce, Column: uint32(c), Block: uint32(i)}
			m := b.Column(c, i, values)
			require.NoError(n.T, crypt.EncryptBlock(id, values[:m], poly))
			chunk.Put(i, poly)
		}
		for leaf := range shape.Leaves() {
			at := shape.At(uint32(c), leaf)
			words := chunk.Piece(int(at.Limb), int(at.Piece))
			t.Pieces[at], t.Order = shape.Pack(words), append(t.Order, at)
			hashes = append(hashes, columnfile.HashPiece(words))
		}
	}
	file.Root = shape.RootOf(hashes)
	t.Manifest = carnet.Dataset{
		ID: carnet.DatasetID(string(owner) + "/" + name), Owner: owner, Jurisdiction: n.Parties[owner].Jurisdiction,
		Schema: n.SchemaRef, Layout: layout, Profile: p.Name(), Key: k.ID, Files: []carnet.File{file}, Created: n.Now(),
		Terms: carnet.Terms{Buyers: []carnet.PartyID{"bank"}, Purposes: []string{"statistics"}, Expires: n.Now().AddDate(1, 0, 0)},
	}
	return t
}

// Announce begins the upload of a table.
func (n *Network) Announce(t *Table) error {
	f := t.Manifest.Files[0]
	_, err := n.G.BeginUpload(context.Background(), n.Parties[t.Manifest.Owner], t.Manifest.ID, t.Manifest.Profile,
		[]flow.UploadFile{{Nonce: f.Nonce, Columns: f.Columns, Blocks: f.Blocks}})
	return err
}

// Upload sends pieces in one stream.
func (n *Network) Upload(t *Table, pieces ...columnfile.Piece) (stored, skipped int64, err error) {
	ctx := context.Background()
	w := n.G.WritePieces(n.Parties[t.Manifest.Owner])
	for _, p := range pieces {
		if err := w.Put(ctx, t.Nonce, p, t.Pieces[p]); err != nil {
			_, _, _ = w.Close(ctx)
			return 0, 0, err
		}
	}
	return w.Close(ctx)
}

// Commit signs and sends the manifest.
func (n *Network) Commit(t *Table) (flow.Ref, error) {
	return n.G.CommitDataset(context.Background(), n.Parties[t.Manifest.Owner], n.Seal(carnet.TypeDataset, t.Manifest, t.Manifest.Owner))
}

// Publish deals, encrypts, uploads and commits a table.
func (n *Network) Publish(owner carnet.PartyID, name string, layout carnet.Layout, rows [][2]int64) *Table {
	t := n.Encrypt(n.Deal(owner, layout), name, layout, rows)
	require.NoError(n.T, n.Announce(t))
	_, _, err := n.Upload(t, t.Order...)
	require.NoError(n.T, err)
	_, err = n.Commit(t)
	require.NoError(n.T, err)
	return t
}

// Product registers a product of datasets.
func (n *Network) Product(id carnet.ProductID, publisher carnet.PartyID, datasets ...carnet.DatasetID) {
	_, err := n.G.RegisterProduct(context.Background(), n.Parties[publisher], n.Seal(carnet.TypeProduct, carnet.Product{
		ID: id, Publisher: publisher, Title: "Trade", Schema: n.SchemaRef, Datasets: datasets, Created: n.Now()}, publisher))
	require.NoError(n.T, err)
}

// QueryLife is how long the queries of Query live.
const QueryLife = time.Hour
