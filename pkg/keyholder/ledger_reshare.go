package keyholder

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// takeover is a resharing of which seeds were kept.
type takeover struct {
	dealing, key, source carnet.KeyID
}

func (l *Ledger) setTakeover(ctx context.Context, t takeover) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO takeover (dealing, key, source) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		t.dealing[:], t.key[:], t.source[:])
	return err
}

func (l *Ledger) dropTakeover(ctx context.Context, dealing carnet.KeyID) error {
	_, err := l.db.ExecContext(ctx, `DELETE FROM takeover WHERE dealing = $1`, dealing[:])
	return err
}

func (l *Ledger) takeovers(ctx context.Context) (out []takeover, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT dealing, key, source FROM takeover ORDER BY dealing`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d, k, s []byte
		if err := rows.Scan(&d, &k, &s); err != nil {
			return nil, err
		}
		out = append(out, takeover{carnet.KeyID(asHash(d)), carnet.KeyID(asHash(k)), carnet.KeyID(asHash(s))})
	}
	return out, rows.Err()
}
