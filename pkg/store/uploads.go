package store

import (
	"database/sql"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// PutUpload records a nonce that was not known.
func (t *tx) PutUpload(u flow.Upload) error {
	return t.exec(`INSERT INTO uploads (nonce, owner, dataset, profile, columns, blocks, state, manifest, active) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		u.Nonce[:], string(u.Owner), string(u.Dataset), u.Profile, u.Columns, u.Blocks, string(u.State), u.Manifest[:], u.Active.UnixNano())
}

const uploadColumns = `nonce, owner, dataset, profile, columns, blocks, state, manifest, active`

func uploadInto(u *flow.Upload) []any {
	return []any{(*h32)(&u.Nonce), &u.Owner, &u.Dataset, &u.Profile, &u.Columns, &u.Blocks, &u.State, (*h32)(&u.Manifest), (*when)(&u.Active)}
}

// GetUpload finds an upload by nonce.
func (t *tx) GetUpload(nonce carnet.Nonce) (u flow.Upload, err error) {
	err = t.one("upload", `SELECT `+uploadColumns+` FROM uploads WHERE nonce = $1`, arg(nonce[:]), uploadInto(&u)...)
	return u, err
}

// SetUploadState moves an upload on.
func (t *tx) SetUploadState(nonce carnet.Nonce, s flow.UploadState, manifest carnet.Hash) error {
	return t.exec(`UPDATE uploads SET state = $2, manifest = $3 WHERE nonce = $1`, nonce[:], string(s), manifest[:])
}

// TouchUpload sets when an upload was last active.
func (t *tx) TouchUpload(nonce carnet.Nonce, now time.Time) error {
	return t.exec(`UPDATE uploads SET active = $2 WHERE nonce = $1`, nonce[:], now.UnixNano())
}

// Uploads lists uploads in a state, last active before a time.
func (t *tx) Uploads(s flow.UploadState, before time.Time) (out []flow.Upload, err error) {
	err = t.all(`SELECT `+uploadColumns+` FROM uploads WHERE state = $1 AND active < $2 ORDER BY active`,
		arg(string(s), before.UnixNano()), func(r *sql.Rows) error {
			var u flow.Upload
			if err := r.Scan(uploadInto(&u)...); err != nil {
				return err
			}
			out = append(out, u)
			return nil
		})
	return out, err
}

// PutPieceHash records that a piece has arrived.
func (t *tx) PutPieceHash(nonce carnet.Nonce, p flow.PieceHash) (bool, error) {
	res, err := t.ExecContext(t.ctx, `INSERT INTO pieces (nonce, idx, hash) VALUES ($1, $2, $3) ON CONFLICT (nonce, idx) DO NOTHING`, nonce[:], p.Index, p.Hash[:])
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return n == 1, err
	}
	old, err := t.GetPieceHash(nonce, p.Index)
	if err == nil && old != p.Hash {
		err = carnet.E(carnet.Exists, "PIECE_TWICE", "piece %d of file %s is there with other contents", p.Index, nonce)
	}
	return false, err
}

// GetPieceHash returns a piece's hash, zero if it has not arrived.
func (t *tx) GetPieceHash(nonce carnet.Nonce, index int64) (h carnet.Hash, err error) {
	err = t.one("piece", `SELECT hash FROM pieces WHERE nonce = $1 AND idx = $2`, arg(nonce[:], index), (*h32)(&h))
	if carnet.KindOf(err) == carnet.NotFound {
		err = nil
	}
	return h, err
}

// PieceHashes lists the pieces that have arrived.
func (t *tx) PieceHashes(nonce carnet.Nonce) (out []flow.PieceHash, err error) {
	err = t.all(`SELECT idx, hash FROM pieces WHERE nonce = $1 ORDER BY idx`, arg(nonce[:]), func(r *sql.Rows) error {
		var p flow.PieceHash
		if err := r.Scan(&p.Index, (*h32)(&p.Hash)); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// DeletePieceHash forgets that a piece has arrived.
func (t *tx) DeletePieceHash(nonce carnet.Nonce, index int64) error {
	return t.exec(`DELETE FROM pieces WHERE nonce = $1 AND idx = $2`, nonce[:], index)
}

// DeletePieceHashes forgets all pieces of a file.
func (t *tx) DeletePieceHashes(nonce carnet.Nonce) error {
	return t.exec(`DELETE FROM pieces WHERE nonce = $1`, nonce[:])
}
