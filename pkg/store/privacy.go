package store

import (
	"database/sql"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// PutSpent notes numbers of a dataset that are released with noise, and adds what they cost.
func (t *tx) PutSpent(dataset carnet.DatasetID, functionals []carnet.Hash, cost int64) error {
	for list := range slices.Chunk(functionals, chargeBatch) {
		values, args := each("($1, $%d)", arg(string(dataset)), list)
		if err := t.exec(`INSERT INTO privacy_numbers (dataset, functional) VALUES `+values+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return t.exec(`INSERT INTO privacy_spent (dataset, spent) VALUES ($1, $2) ON CONFLICT (dataset) DO UPDATE SET spent = privacy_spent.spent + excluded.spent`, string(dataset), cost)
}

// Spent returns what the numbers noted for a dataset cost, and which of the given ones are
// among them.
func (t *tx) Spent(dataset carnet.DatasetID, functionals []carnet.Hash) (spent int64, known map[carnet.Hash]bool, err error) {
	err = t.one("dataset", `SELECT spent FROM privacy_spent WHERE dataset = $1`, arg(string(dataset)), &spent)
	if carnet.KindOf(err) == carnet.NotFound {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	known = map[carnet.Hash]bool{}
	for list := range slices.Chunk(functionals, chargeBatch) {
		names, args := each("$%d", arg(string(dataset)), list)
		err := t.all(`SELECT functional FROM privacy_numbers WHERE dataset = $1 AND functional IN (`+names+`)`, args, func(r *sql.Rows) error {
			var h h32
			err := r.Scan(&h)
			known[carnet.Hash(h)] = true
			return err
		})
		if err != nil {
			return 0, nil, err
		}
	}
	return spent, known, nil
}
