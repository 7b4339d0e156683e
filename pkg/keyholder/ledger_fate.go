package keyholder

import (
	"context"
	"database/sql"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/share"
)

// keyFate is what the journal says became of a key that this keyholder guards.
type keyFate struct {
	key       carnet.KeyID
	scheme    share.Committee
	home      int // keyholder with the home part, 0 without one
	retired   bool
	destroyed []int // keyholders that said they destroyed their seeds
}

func (f *keyFate) keep(ctx context.Context, tx *sql.Tx) error {
	mask := 0
	for _, i := range f.destroyed {
		mask |= 1 << (i - 1)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO fate (key, members, threshold, home, retired, destroyed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (key) DO UPDATE SET retired = excluded.retired, destroyed = excluded.destroyed`,
		f.key[:], f.scheme.N, f.scheme.T, f.home, f.retired, mask)
	return err
}

// fates lists the keys that were retired or destroyed somewhere.
func (l *Ledger) fates(ctx context.Context) (map[carnet.KeyID]*keyFate, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT key, members, threshold, home, retired, destroyed FROM fate`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[carnet.KeyID]*keyFate{}
	for rows.Next() {
		var f keyFate
		var key []byte
		var mask int
		if err := rows.Scan(&key, &f.scheme.N, &f.scheme.T, &f.home, &f.retired, &mask); err != nil {
			return nil, err
		}
		for i := range f.scheme.N {
			if mask>>i&1 == 1 {
				f.destroyed = append(f.destroyed, i+1)
			}
		}
		f.key = carnet.KeyID(asHash(key))
		out[f.key] = &f
	}
	return out, rows.Err()
}
