package store

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

// PutDataset stores or replaces a dataset; a revocation stays.
func (t *tx) PutDataset(d flow.DatasetRecord) error {
	return t.exec(`INSERT INTO datasets (id, manifest, owner, schema, layout, profile, key, row_count, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET manifest = excluded.manifest, owner = excluded.owner, schema = excluded.schema, layout = excluded.layout,
		profile = excluded.profile, key = excluded.key, row_count = excluded.row_count, bytes = excluded.bytes`,
		string(d.ID), d.Manifest.Hash[:], string(d.Owner), d.Schema[:], string(d.Layout), d.Profile, d.Key[:], d.Rows, d.Bytes)
}

const datasetQuery = `SELECT d.id, d.owner, d.schema, d.layout, d.profile, d.key, d.row_count, d.bytes,
	m.statement, m.seq, m.envelope, r.statement, r.seq, r.envelope, k.statement, k.seq, k.envelope
	FROM datasets d JOIN journal m ON m.statement = d.manifest LEFT JOIN journal r ON r.statement = d.revocation
	LEFT JOIN retirements e ON e.key = d.key LEFT JOIN journal k ON k.statement = e.statement `

func scanDataset(scan func(...any) error) (d flow.DatasetRecord, err error) {
	var revoked, retired optional
	if err := scan(&d.ID, &d.Owner, (*h32)(&d.Schema), &d.Layout, &d.Profile, (*h32)(&d.Key), &d.Rows, &d.Bytes,
		(*h32)(&d.Manifest.Hash), &d.Manifest.Seq, env{&d.Manifest.Envelope}, &revoked.hash, &revoked.seq, &revoked.envelope,
		&retired.hash, &retired.seq, &retired.envelope); err != nil {
		return d, err
	}
	if d.Revocation, err = revoked.stored(); err != nil {
		return d, err
	}
	d.Retirement, err = retired.stored()
	return d, err
}

// optional is a statement that may be missing in a row.
type optional struct {
	hash, envelope []byte
	seq            sql.NullInt64
}

func (o *optional) stored() (*flow.Stored, error) {
	if o.hash == nil {
		return nil, nil
	}
	s := &flow.Stored{Ref: flow.Ref{Seq: o.seq.Int64}, Envelope: &evidence.Envelope{}}
	if err := (*h32)(&s.Hash).Scan(o.hash); err != nil {
		return nil, err
	}
	return s, env{&s.Envelope}.Scan(o.envelope)
}

// GetDataset finds a dataset.
func (t *tx) GetDataset(id carnet.DatasetID) (flow.DatasetRecord, error) {
	return scanDataset(func(dest ...any) error {
		return t.one("dataset", datasetQuery+`WHERE d.id = $1`, arg(string(id)), dest...)
	})
}

// RevokeDataset marks a dataset as revoked.
func (t *tx) RevokeDataset(id carnet.DatasetID, revocation carnet.Hash) error {
	return t.exec(`UPDATE datasets SET revocation = $2 WHERE id = $1`, string(id), revocation[:])
}

// DatasetsUnder reports whether a dataset names the key.
func (t *tx) DatasetsUnder(key carnet.KeyID) (yes bool, err error) {
	var n int
	err = t.one("count", `SELECT count(*) FROM datasets WHERE key = $1`, arg(key[:]), &n)
	return n > 0, err
}

// ListDatasets lists datasets by id.
func (t *tx) ListDatasets(owner carnet.PartyID, schema carnet.Hash, after carnet.DatasetID, limit int) (out []flow.DatasetRecord, err error) {
	where, args := `WHERE d.id > $1`, arg(string(after))
	if owner != "" {
		args = append(args, string(owner))
		where += fmt.Sprintf(` AND d.owner = $%d`, len(args))
	}
	if !schema.IsZero() {
		args = append(args, schema[:])
		where += fmt.Sprintf(` AND d.schema = $%d`, len(args))
	}
	args = append(args, limit)
	err = t.all(datasetQuery+where+fmt.Sprintf(` ORDER BY d.id LIMIT $%d`, len(args)), args, func(r *sql.Rows) error {
		d, err := scanDataset(r.Scan)
		out = append(out, d)
		return err
	})
	return out, err
}

// PutProduct stores or replaces a product.
func (t *tx) PutProduct(p flow.ProductRecord) error {
	return t.exec(`INSERT INTO products (id, statement, words) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET statement = excluded.statement, words = excluded.words`, string(p.ID), p.Statement.Hash[:], p.Text)
}

const productQuery = `SELECT p.id, p.words, j.statement, j.seq, j.envelope FROM products p JOIN journal j ON j.statement = p.statement `

func productInto(p *flow.ProductRecord) []any {
	return []any{&p.ID, &p.Text, (*h32)(&p.Statement.Hash), &p.Statement.Seq, env{&p.Statement.Envelope}}
}

// GetProduct finds a product.
func (t *tx) GetProduct(id carnet.ProductID) (p flow.ProductRecord, err error) {
	err = t.one("product", productQuery+`WHERE p.id = $1`, arg(string(id)), productInto(&p)...)
	return p, err
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// SearchProducts lists products whose text contains every word.
func (t *tx) SearchProducts(words []string, after carnet.ProductID, limit int) (out []flow.ProductRecord, err error) {
	where, args := `WHERE p.id > $1`, arg(string(after))
	for _, w := range words {
		args = append(args, "%"+likeEscaper.Replace(w)+"%")
		where += fmt.Sprintf(` AND p.words LIKE $%d ESCAPE '\'`, len(args))
	}
	args = append(args, limit)
	err = t.all(productQuery+where+fmt.Sprintf(` ORDER BY p.id LIMIT $%d`, len(args)), args, func(r *sql.Rows) error {
		var p flow.ProductRecord
		err := r.Scan(productInto(&p)...)
		out = append(out, p)
		return err
	})
	return out, err
}
