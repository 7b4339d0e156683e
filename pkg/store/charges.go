package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// chargeBatch is how many hashes one statement of SQL names.
const chargeBatch = 400

// each lists the hashes of a statement of SQL, formatted with the number of their argument, and
// adds them to the arguments.
func each(format string, args []any, list []carnet.Hash) (string, []any) {
	places := make([]string, len(list))
	for i := range list {
		args = append(args, list[i][:])
		places[i] = fmt.Sprintf(format, len(args))
	}
	return strings.Join(places, ", "), args
}

// PutCharges notes numbers that are opened under a key; those noted before stay.
func (t *tx) PutCharges(key carnet.KeyID, functionals []carnet.Hash) error {
	var fresh int64
	for list := range slices.Chunk(functionals, chargeBatch) {
		values, args := each("($1, $%d)", arg(key[:]), list)
		res, err := t.ExecContext(t.ctx, `INSERT INTO charges (dataset_key, functional) VALUES `+values+` ON CONFLICT DO NOTHING`, args...)
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
		names, args := each("$%d", arg(key[:]), list)
		var n int64
		err = t.one("key", `SELECT count(*) FROM charges WHERE dataset_key = $1 AND functional IN (`+names+`)`, args, &n)
		among += n
	}
	return total, among, err
}
