package plan

import (
	"bytes"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// universe is a product prepared for planning: files in a canonical order and the
// columns that queries may name.
type universe struct {
	*Product
	n        int       // values per block
	datasets []Dataset // ascending by hash
	files    []file    // ascending by key and nonce; empty files are left out
	vars     []variable
	noisy    bool // a dataset asks for noise: nothing opened tells whether there are rows
}

// file is one encrypted file with rows.
type file struct {
	dataset int
	key     carnet.KeyID
	nonce   carnet.Nonce
	blocks  uint32
	rows    int64
	owner   carnet.PartyID
	public  []int // per variable: position in its domain; -1 for dimensions
}

// variable is a column that rows can be selected and grouped by. Dimensions come
// first, under their number in the schema, then partitions, jurisdiction and owner.
type variable struct {
	name   string
	what   string // "dimension", "partition", "public column"
	public bool
	domain *domain
}

// Names of the public columns every product has.
const (
	jurisdictionColumn = "jurisdiction"
	ownerColumn        = "owner"
)

func badProduct(format string, args ...any) error {
	return carnet.E(carnet.Precondition, "BAD_PRODUCT", "the product can't be queried: "+format, args...)
}

// prepare checks what Compile relies on and puts datasets and files in order.
func prepare(p *Product) (*universe, error) {
	if p == nil || p.Schema == nil || p.Encoding == nil || p.Profile == nil {
		return nil, badProduct("schema, encoding or profile is missing")
	}
	u := &universe{Product: p, n: p.Profile.N(), datasets: slices.Clone(p.Datasets)}
	if p.Encoding.N != u.n || p.Encoding.T != p.Profile.T() {
		return nil, badProduct("profile %s does not fit the encoding, which is for %s", p.Profile.Name(), p.Encoding.Profile)
	}
	slices.SortFunc(u.datasets, func(a, b Dataset) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	u.variables()
	seen := map[carnet.Nonce]bool{}
	for i := range u.datasets {
		if i > 0 && u.datasets[i].Hash == u.datasets[i-1].Hash {
			return nil, badProduct("dataset %s is listed twice", u.datasets[i].Manifest.ID)
		}
		if err := u.addFiles(i, seen); err != nil {
			return nil, err
		}
		if p := u.datasets[i].Manifest.Terms.Privacy; p != nil {
			if p.Validate() != nil {
				return nil, badProduct("dataset %s has privacy terms that nobody can keep", u.datasets[i].Manifest.ID)
			}
			u.noisy = true
		}
	}
	slices.SortFunc(u.files, func(a, b file) int {
		if c := bytes.Compare(a.key[:], b.key[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.nonce[:], b.nonce[:])
	})
	return u, nil
}

func (u *universe) addFiles(i int, seen map[carnet.Nonce]bool) error {
	m := &u.datasets[i].Manifest
	if m.Layout != u.Encoding.Layout || m.Profile != u.Encoding.Profile {
		return badProduct("dataset %s has layout %s and profile %s, the product has %s and %s", m.ID, m.Layout, m.Profile, u.Encoding.Layout, u.Encoding.Profile)
	}
	var rows int64
	for j := range m.Files {
		f := &m.Files[j]
		if seen[f.Nonce] {
			return badProduct("file %s is listed twice", f.Nonce)
		}
		seen[f.Nonce] = true
		if rows += f.Rows; f.Rows < 0 || f.Rows > u.Schema.Limits.Rows || rows > u.Schema.Limits.Rows {
			return badProduct("dataset %s has more than the %d rows that the schema allows", m.ID, u.Schema.Limits.Rows)
		}
		if want := u.Encoding.Blocks(f.Rows); f.Blocks != want || f.Columns != len(u.Encoding.Columns) {
			return badProduct("file %s of dataset %s has %d blocks of %d columns, its rows need %d of %d", f.Nonce, m.ID, f.Blocks, f.Columns, want, len(u.Encoding.Columns))
		}
		out := file{dataset: i, key: m.Key, nonce: f.Nonce, blocks: uint32(f.Blocks), rows: f.Rows, owner: m.Owner, public: make([]int, len(u.vars))}
		values := map[string]string{jurisdictionColumn: string(m.Jurisdiction), ownerColumn: string(m.Owner)}
		for _, part := range u.Schema.Partitions {
			v, ok := f.Partition[part.Name]
			if !ok {
				return badProduct("file %s of dataset %s has no value for partition %s", f.Nonce, m.ID, part.Name)
			}
			values[part.Name] = v
		}
		for v := range u.vars {
			out.public[v] = -1
			if u.vars[v].public {
				at, ok := u.vars[v].domain.index[values[u.vars[v].name]]
				if !ok {
					return badProduct("file %s of dataset %s has the value %q, which partition %s does not allow", f.Nonce, m.ID, values[u.vars[v].name], u.vars[v].name)
				}
				out.public[v] = at
			}
		}
		if f.Rows > 0 {
			u.files = append(u.files, out)
		}
	}
	return nil
}

// variables lists the columns. The domain of a public column holds the values that
// the schema lists, or else those that occur.
func (u *universe) variables() {
	for i := range u.Schema.Dimensions {
		d := &u.Schema.Dimensions[i]
		values := make([]string, len(d.Codes))
		for j := range d.Codes {
			values[j] = d.Codes[j].Value
		}
		own := newDomain(d.Name, values, d.Nullable, d.Ordered)
		if d.Type == schema.DateType {
			own = dateDomain(d.Name, values, d.Nullable)
		}
		u.vars = append(u.vars, variable{d.Name, "dimension", false, own})
	}
	occurring := func(of func(m *carnet.Dataset, f *carnet.File) string) []string {
		var values []string
		for i := range u.datasets {
			for j := range u.datasets[i].Manifest.Files {
				values = append(values, of(&u.datasets[i].Manifest, &u.datasets[i].Manifest.Files[j]))
			}
		}
		slices.Sort(values)
		return slices.Compact(values)
	}
	for i := range u.Schema.Partitions {
		part := &u.Schema.Partitions[i]
		var d *domain
		if len(part.Values) > 0 {
			d = newDomain(part.Name, part.Values, false, false)
		} else {
			d = openDomain(part.Name, occurring(func(_ *carnet.Dataset, f *carnet.File) string { return f.Partition[part.Name] }))
		}
		u.vars = append(u.vars, variable{part.Name, "partition", true, d})
	}
	u.vars = append(u.vars,
		variable{jurisdictionColumn, "public column", true, openDomain(jurisdictionColumn, occurring(func(m *carnet.Dataset, _ *carnet.File) string { return string(m.Jurisdiction) }))},
		variable{ownerColumn, "public column", true, openDomain(ownerColumn, occurring(func(m *carnet.Dataset, _ *carnet.File) string { return string(m.Owner) }))})
}
