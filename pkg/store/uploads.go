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

// PutBlockHash records that a block has arrived.
func (t *tx) PutBlockHash(nonce carnet.Nonce, b flow.BlockHash) (bool, error) {
	res, err := t.ExecContext(t.ctx, `INSERT INTO blocks (nonce, idx, hash) VALUES ($1, $2, $3) ON CONFLICT (nonce, idx) DO NOTHING`, nonce[:], b.Index, b.Hash[:])
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return n == 1, err
	}
	old, err := t.GetBlockHash(nonce, b.Index)
	if err == nil && old != b.Hash {
		err = carnet.E(carnet.Exists, "BLOCK_DIFFERS", "block %d of file %s is there with other contents", b.Index, nonce)
	}
	return false, err
}

// GetBlockHash returns a block's hash, zero if it has not arrived.
func (t *tx) GetBlockHash(nonce carnet.Nonce, index int64) (h carnet.Hash, err error) {
	err = t.one("block", `SELECT hash FROM blocks WHERE nonce = $1 AND idx = $2`, arg(nonce[:], index), (*h32)(&h))
	if carnet.KindOf(err) == carnet.NotFound {
		err = nil
	}
	return h, err
}

// BlockHashes lists the blocks that have arrived.
func (t *tx) BlockHashes(nonce carnet.Nonce) (out []flow.BlockHash, err error) {
	err = t.all(`SELECT idx, hash FROM blocks WHERE nonce = $1 ORDER BY idx`, arg(nonce[:]), func(r *sql.Rows) error {
		var b flow.BlockHash
		if err := r.Scan(&b.Index, (*h32)(&b.Hash)); err != nil {
			return err
		}
		out = append(out, b)
		return nil
	})
	return out, err
}

// DeleteBlockHash forgets that a block has arrived.
func (t *tx) DeleteBlockHash(nonce carnet.Nonce, index int64) error {
	return t.exec(`DELETE FROM blocks WHERE nonce = $1 AND idx = $2`, nonce[:], index)
}

// DeleteBlockHashes forgets all blocks of a file.
func (t *tx) DeleteBlockHashes(nonce carnet.Nonce) error {
	return t.exec(`DELETE FROM blocks WHERE nonce = $1`, nonce[:])
}
