package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// chargeBatch is how many numbers one statement of SQL names.
const chargeBatch = 400

// PutCharges notes numbers that are opened under a key; those noted before stay.
func (t *tx) PutCharges(key carnet.KeyID, functionals []carnet.Hash) error {
	var fresh int64
	for list := range slices.Chunk(functionals, chargeBatch) {
		args, values := arg(key[:]), make([]string, len(list))
		for i := range list {
			args = append(args, list[i][:])
			values[i] = fmt.Sprintf("($1, $%d)", len(args))
		}
		res, err := t.ExecContext(t.ctx, `INSERT INTO charges (dataset_key, functional) VALUES `+strings.Join(values, ", ")+` ON CONFLICT DO NOTHING`, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		fresh += n
	}
	return t.exec(`INSERT INTO charged (dataset_key, numbers) VALUES ($1, $2) ON CONFLICT (dataset_key) DO UPDATE SET numbers = charged.numbers + excluded.numbers`, key[:], fresh)
}

// Charged counts the numbers noted for a key, and how many of the given ones, each
// listed once, are among them.
func (t *tx) Charged(key carnet.KeyID, functionals []carnet.Hash) (total, among int64, err error) {
	err = t.one("key", `SELECT numbers FROM charged WHERE dataset_key = $1`, arg(key[:]), &total)
	if carnet.KindOf(err) == carnet.NotFound {
		return 0, 0, nil
	}
	for list := range slices.Chunk(functionals, chargeBatch) {
		if err != nil {
			return 0, 0, err
		}
		args, names := arg(key[:]), make([]string, len(list))
		for i := range list {
			args = append(args, list[i][:])
			names[i] = fmt.Sprintf("$%d", len(args))
		}
		var n int64
		err = t.one("key", `SELECT count(*) FROM charges WHERE dataset_key = $1 AND functional IN (`+strings.Join(names, ", ")+`)`, args, &n)
		among += n
	}
	return total, among, err
}
