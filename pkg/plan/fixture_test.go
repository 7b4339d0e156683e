package plan

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// small are rings with the moduli of real profiles and few slots, so that tables of
// some rows have several blocks.
var small = sync.OnceValue(func() map[string]*he.Profile {
	m := map[string]*he.Profile{}
	for _, l := range []he.Literal{
		{Name: "cube", LogN: 4, Limbs: 3, LimbBits: 55, TBits: 45, MaxDegree: 1, Encoding: he.Coefficients},
		{Name: "records", LogN: 4, Limbs: 4, LimbBits: 55, TBits: 45, MaxDegree: 2, Encoding: he.Slots},
		{Name: "cube-tiny", LogN: 4, Limbs: 3, LimbBits: 55, TBits: 20, MaxDegree: 1, Encoding: he.Coefficients},
		{Name: "records-3", LogN: 4, Limbs: 5, LimbBits: 55, TBits: 42, MaxDegree: 3, Encoding: he.Slots},
		{Name: "records-4", LogN: 4, Limbs: 6, LimbBits: 55, TBits: 40, MaxDegree: 4, Encoding: he.Slots},
		{Name: "records-tiny", LogN: 4, Limbs: 4, LimbBits: 55, TBits: 20, MaxDegree: 2, Encoding: he.Slots},
		{Name: "records-4-tiny", LogN: 4, Limbs: 6, LimbBits: 55, TBits: 31, MaxDegree: 4, Encoding: he.Slots},
	} {
		p, err := he.NewProfile(l)
		if err != nil {
			panic(err)
		}
		m[l.Name] = p
	}
	return m
})

// owner is one dataset of a test.
type owner struct {
	id           carnet.PartyID
	jurisdiction carnet.Jurisdiction
	rows         []schema.Row
}

// bench is a product with its plaintext, in an encoding and in SQLite.
type bench struct {
	product *Product
	files   map[carnet.Nonce]*schema.Builder
}

// newBench publishes the rows of the owners in a layout. tiny takes rings with a
// small plaintext modulus, so that values need several digits.
func newBench(t require.TestingT, s *schema.Schema, l carnet.Layout, tiny bool, owners []owner) *bench {
	name := string(l)
	if tiny {
		name += "-tiny"
	}
	return newProfileBench(t, s, name, owners)
}

// newProfileBench publishes the rows under one of the small profiles.
func newProfileBench(t require.TestingT, s *schema.Schema, name string, owners []owner) *bench {
	p := small()[name]
	l := carnet.LayoutRecords
	if p.Encoding() == he.Coefficients {
		l = carnet.LayoutCube
	}
	e, err := s.EncodeWith(l, []schema.Candidate{{Name: p.Name(), N: p.N(), T: p.T(), ValueBytes: p.Limbs() * 8}})
	require.NoError(t, err)
	return publish(t, s, e, p, owners)
}

func publish(t require.TestingT, s *schema.Schema, e *schema.Encoding, p *he.Profile, owners []owner) *bench {
	c, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	b := &bench{product: &Product{ID: "acme/trade", Schema: s, Encoding: e, Profile: p, Committee: c}, files: map[carnet.Nonce]*schema.Builder{}}
	for i, o := range owners {
		tables := e.NewTables()
		for j := range o.rows {
			require.NoError(t, tables.Add(&o.rows[j]))
		}
		m := carnet.Dataset{ID: carnet.DatasetID(fmt.Sprintf("%s/%d", o.id, i)), Owner: o.id, Jurisdiction: o.jurisdiction, Layout: e.Layout, Profile: e.Profile}
		m.Key = sha256.Sum256(fmt.Appendf(nil, "key %d", i))
		for j, f := range tables.Builders() {
			nonce := carnet.Nonce(sha256.Sum256(fmt.Appendf(nil, "file %d %d", i, j)))
			b.files[nonce] = f
			m.Files = append(m.Files, carnet.File{Nonce: nonce, Partition: f.Partition(), Rows: f.Rows(), Columns: len(e.Columns), Blocks: f.Blocks()})
		}
		b.product.Datasets = append(b.product.Datasets, Dataset{Hash: carnet.Digest("test", []byte(m.ID)), Manifest: m})
	}
	return b
}

// Values makes the bench the plaintext twin's source.
func (b *bench) Values(id he.BlockID) ([]uint64, error) {
	out := make([]uint64, b.product.Profile.N())
	f, ok := b.files[id.File]
	if !ok {
		return nil, fmt.Errorf("no file %s", id.File)
	}
	f.Column(int(id.Column), int(id.Block), out)
	return out, nil
}

// open evaluates every opening on the plaintext.
func (b *bench) open(t require.TestingT, p *Plan) []int64 {
	if p.Private != nil { // whichever codes, for tests that do not care
		return b.selected(t, p, indices(p.Private.Weight))
	}
	values := make([]int64, len(p.Openings))
	for i := range p.Openings {
		v, err := plain.Eval(b.product.Profile, p.Openings[i].F, b)
		require.NoError(t, err)
		values[i] = he.Centre(v, b.product.Profile.T())
	}
	return values
}

// ask compiles, opens and evaluates.
func (b *bench) ask(t require.TestingT, sql string) (*Result, error) {
	p, err := Compile(sql, b.product)
	if err != nil {
		return nil, err
	}
	return p.Evaluate(b.open(t, p))
}

// table asks and prints.
func (b *bench) table(t require.TestingT, sql string) string {
	r, err := b.ask(t, sql)
	require.NoError(t, err, sql)
	var out bytes.Buffer
	require.NoError(t, r.WriteCSV(&out))
	return string(bytes.ReplaceAll(out.Bytes(), []byte("\r\n"), []byte("\n")))
}

// refused asks and expects a refusal.
func (b *bench) refused(t *testing.T, sql string) string {
	_, err := b.ask(t, sql)
	r := RefusalOf(err)
	require.NotNil(t, r, "%s: %v", sql, err)
	return r.Reason
}

var lite = sync.OnceValue(func() *sql.DB {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	return db
})

// load puts the rows into an SQLite table called trade. Integer dimensions become
// INTEGER columns, others TEXT; a column "name__at" holds the position in the code
// list, by which padded integers and ordered lists compare. Measures are scaled
// integers.
func load(t require.TestingT, s *schema.Schema, owners []owner) *sql.DB {
	db := lite()
	columns := "jurisdiction TEXT, owner TEXT"
	for _, p := range s.Partitions {
		columns += ", " + p.Name + " TEXT"
	}
	for _, d := range s.Dimensions {
		columns += ", " + d.Name + " " + liteType(&d) + ", " + d.Name + "__at INTEGER"
	}
	for _, m := range s.Measures {
		columns += ", " + m.Name + " INTEGER"
	}
	_, err := db.Exec("DROP TABLE IF EXISTS trade; CREATE TABLE trade (" + columns + ")")
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	for _, o := range owners {
		for _, r := range o.rows {
			args := []any{string(o.jurisdiction), string(o.id)}
			for _, v := range r.Partition {
				args = append(args, v)
			}
			for i, code := range r.Dims {
				if code < 0 {
					args = append(args, nil, nil)
					continue
				}
				args = append(args, s.Dimensions[i].Codes[code].Value, listRank(&s.Dimensions[i], code))
			}
			for i, v := range r.Measures {
				if r.Null[i] {
					args = append(args, nil)
				} else {
					args = append(args, v)
				}
			}
			marks := bytes.Repeat([]byte(",?"), len(args))[1:]
			_, err := tx.Exec("INSERT INTO trade VALUES ("+string(marks)+")", args...)
			require.NoError(t, err)
		}
	}
	require.NoError(t, tx.Commit())
	return db
}

func dimensionDomain(d *schema.Dimension) *domain {
	var values []string
	for _, c := range d.Codes {
		values = append(values, c.Value)
	}
	if d.Type == schema.DateType {
		return dateDomain(d.Name, values, d.Nullable)
	}
	return newDomain(d.Name, values, d.Nullable, d.Ordered)
}

func liteType(d *schema.Dimension) string {
	if dimensionDomain(d).numeric() {
		return "INTEGER"
	}
	return "TEXT"
}

// listRank is what padded integers and ordered lists compare by.
func listRank(d *schema.Dimension, code int) int64 {
	if dom := dimensionDomain(d); dom.order == byNumber {
		return dom.ints[code]
	}
	return int64(code)
}
