package carnettest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/ingest"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Publication is what an owner publishes. One of CSV, File, Rows and Tables is set.
type Publication struct {
	Owner  carnet.PartyID
	Name   string // default "trade"
	Schema *schema.Schema
	Layout carnet.Layout // default the schema's first

	CSV    string // text
	File   string // of an input file
	Rows   []*schema.Row
	Tables *schema.Tables

	Terms *carnet.Terms // default anyone, any purpose, a year
	Data  *carnet.Declaration
	Home  carnet.PartyID    // keyholder with a veto, if any
	Key   *ident.DatasetKey // dealt before; default a new one
}

// Dataset is a published dataset, with what only its owner knows.
type Dataset struct {
	*client.Published
	ID     carnet.DatasetID
	Key    *ident.DatasetKey
	Tables *schema.Tables
	Schema carnet.Hash
	State  string // file that the upload's nonces are kept in
}

// OpenTerms allow everybody everything for a year.
func OpenTerms() carnet.Terms {
	return carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: time.Now().UTC().AddDate(1, 0, 0).Truncate(time.Second)}
}

// ParseSchema reads a schema from YAML.
func ParseSchema(t testing.TB, yaml string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse("schema.yaml", []byte(yaml))
	require.NoError(t, err)
	return s
}

// Prepare does everything of Publish but sending: schema, rows, key, dealing.
func (n *Network) Prepare(t testing.TB, p Publication) *client.Publication {
	t.Helper()
	ctx, c, owner := Context(t), n.Client(t, p.Owner), n.identities[p.Owner]
	if p.Name == "" {
		p.Name = "trade"
	}
	if p.Layout == "" {
		p.Layout = p.Schema.Layouts[0]
	}
	if p.Terms == nil {
		terms := OpenTerms()
		p.Terms = &terms
	}
	sch := n.RegisterSchema(t, p.Owner, p.Schema)
	enc, err := p.Schema.Encode(p.Layout)
	require.NoError(t, err)
	var census *cells.Census // of rows that are read here
	if p.Tables == nil {
		census = cells.NewCensus(p.Schema, true)
		p.Tables = n.load(t, p, enc, census)
	}
	if p.Key == nil {
		p.Key = n.Deal(t, p.Owner, enc.Profile, p.Home)
	}
	party, err := c.Party(ctx, p.Owner)
	require.NoError(t, err)
	return &client.Publication{
		ID: carnet.DatasetID(string(p.Owner) + "/" + p.Name), Jurisdiction: party.Jurisdiction, Title: p.Name, Schema: sch,
		Tables: p.Tables, Encoding: enc, Key: p.Key, Terms: *p.Terms, Declaration: p.Data, Workers: 2, Census: census,
		StateFile: filepath.Join(n.Dir, string(owner.Party()), p.Name+".upload"),
	}
}

// Publish encrypts and publishes a dataset.
func (n *Network) Publish(t testing.TB, p Publication) *Dataset {
	t.Helper()
	return n.Send(t, n.Prepare(t, p))
}

// Send publishes what Prepare made ready.
func (n *Network) Send(t testing.TB, p *client.Publication) *Dataset {
	t.Helper()
	owner := p.Key.Owner
	got, err := n.Client(t, owner).Publish(Context(t), n.identities[owner], p)
	require.NoError(t, err)
	return &Dataset{Published: got, ID: p.ID, Key: p.Key, Tables: p.Tables, Schema: p.Schema, State: p.StateFile}
}

func (n *Network) load(t testing.TB, p Publication, enc *schema.Encoding, census *cells.Census) *schema.Tables {
	t.Helper()
	if p.Rows != nil {
		tables := enc.NewTables()
		for _, r := range p.Rows {
			require.NoError(t, tables.Add(r))
			census.Add(r)
		}
		return tables
	}
	if p.File == "" {
		p.File = filepath.Join(n.Dir, fmt.Sprintf("%s-%s.csv", p.Owner, p.Name))
		require.NoError(t, os.WriteFile(p.File, []byte(p.CSV), 0o600))
	}
	read, err := ingest.Load(context.Background(), enc, ingest.Options{Row: census.Add}, p.File)
	require.NoError(t, err)
	require.NoError(t, read.Refused())
	return read.Tables
}

// RegisterSchema registers a schema unless somebody has.
func (n *Network) RegisterSchema(t testing.TB, by carnet.PartyID, s *schema.Schema) carnet.Hash {
	t.Helper()
	ctx, c := Context(t), n.Client(t, by)
	if got, err := c.SchemaByID(ctx, s.ID()); err == nil {
		return got.Hash
	}
	ref, err := c.RegisterSchema(ctx, n.identities[by], s)
	require.NoError(t, err)
	return ref.Hash
}

// Deal makes a dataset key and shares it with the committee.
func (n *Network) Deal(t testing.TB, owner carnet.PartyID, profile string, home carnet.PartyID) *ident.DatasetKey {
	t.Helper()
	ctx, c := Context(t), n.Client(t, owner)
	k, err := ident.NewDatasetKey(owner, profile, CommitteeID, rand.Reader)
	require.NoError(t, err)
	d, err := c.Deal(ctx, n.identities[owner], k, n.Committee, home, rand.Reader)
	require.NoError(t, err)
	_, err = c.SubmitDealing(ctx, d)
	require.NoError(t, err)
	return k
}

// Product puts datasets of one schema together, published by the first one's owner.
func (n *Network) Product(t testing.TB, id carnet.ProductID, datasets ...*Dataset) {
	t.Helper()
	publisher := datasets[0].Key.Owner
	body := carnet.Product{ID: id, Title: "Test " + string(id), Schema: datasets[0].Schema}
	for _, d := range datasets {
		body.Datasets = append(body.Datasets, d.ID)
	}
	_, err := n.Client(t, publisher).RegisterProduct(Context(t), n.identities[publisher], body)
	require.NoError(t, err)
}

// Plain is the plaintext of datasets, block by block: the twin of their ciphertext.
type Plain map[carnet.Nonce]*schema.Builder

// PlainOf collects the plaintext of datasets.
func PlainOf(datasets ...*Dataset) Plain {
	p := Plain{}
	for _, d := range datasets {
		for i, b := range d.Tables.Builders() {
			p[d.Manifest.Files[i].Nonce] = b
		}
	}
	return p
}

// Values implements plain.Columns.
func (p Plain) Values(id he.BlockID) ([]uint64, error) {
	b, ok := p[id.File]
	if !ok {
		return nil, fmt.Errorf("file %s is not of these datasets", id.File)
	}
	out := make([]uint64, b.Encoding().N)
	return out[:b.Column(int(id.Column), int(id.Block), out)], nil
}
