package store

import (
	"database/sql"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// PutUses notes what a query uses, in place of what was noted before.
func (t *tx) PutUses(query carnet.Hash, uses []byte) error {
	return t.exec(`INSERT INTO query_uses (query, uses) VALUES ($1, $2) ON CONFLICT (query) DO UPDATE SET uses = excluded.uses`, query[:], uses)
}

// UsesOf returns what was noted of queries, of those of which something was.
func (t *tx) UsesOf(queries []carnet.Hash) (map[carnet.Hash][]byte, error) {
	out := map[carnet.Hash][]byte{}
	for list := range slices.Chunk(queries, chargeBatch) {
		names, args := each("$%d", nil, list)
		err := t.all(`SELECT query, uses FROM query_uses WHERE query IN (`+names+`)`, args, func(r *sql.Rows) error {
			var h carnet.Hash
			var b []byte
			err := r.Scan((*h32)(&h), &b)
			out[h] = b
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PutMark notes a time under a name.
func (t *tx) PutMark(name string, at time.Time) error {
	return t.exec(`INSERT INTO marks (name, at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET at = excluded.at`, name, at.UnixNano())
}

// Mark returns the time noted under a name.
func (t *tx) Mark(name string) (at time.Time, err error) {
	err = t.one("mark", `SELECT at FROM marks WHERE name = $1`, arg(name), (*when)(&at))
	return at, err
}

// DeleteMark forgets a time.
func (t *tx) DeleteMark(name string) error {
	return t.exec(`DELETE FROM marks WHERE name = $1`, name)
}
