package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// PutSpent notes numbers of a dataset that are released with noise, and adds what they cost.
func (t *tx) PutSpent(dataset carnet.DatasetID, functionals []carnet.Hash, cost int64) error {
	for list := range slices.Chunk(functionals, chargeBatch) {
		args, values := arg(string(dataset)), make([]string, len(list))
		for i := range list {
			args = append(args, list[i][:])
			values[i] = fmt.Sprintf("($1, $%d)", len(args))
		}
		if err := t.exec(`INSERT INTO privacy_numbers (dataset, functional) VALUES `+strings.Join(values, ", ")+` ON CONFLICT DO NOTHING`, args...); err != nil {
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
		args, names := arg(string(dataset)), make([]string, len(list))
		for i := range list {
			args = append(args, list[i][:])
			names[i] = fmt.Sprintf("$%d", len(args))
		}
		err := t.all(`SELECT functional FROM privacy_numbers WHERE dataset = $1 AND functional IN (`+strings.Join(names, ", ")+`)`, args, func(r *sql.Rows) error {
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
