package store

import (
	"database/sql"

	"golang.org/x/mod/sumdb/note"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

// kept is how many published checkpoints without any co-signature stay.
const kept = 256

// PutCheckpoint adds a published checkpoint with the log's signature.
func (t *tx) PutCheckpoint(c *evidence.SignedCheckpoint) error {
	text, err := c.MarshalText()
	if err != nil {
		return err
	}
	if err := t.exec(`INSERT INTO checkpoints (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING`, c.Size, string(text)); err != nil {
		return err
	}
	return t.exec(`DELETE FROM checkpoints WHERE size = (SELECT size FROM checkpoints ORDER BY size DESC LIMIT 1 OFFSET $1)
		AND NOT EXISTS (SELECT 1 FROM cosignatures WHERE cosignatures.size = checkpoints.size)`, kept)
}

// PutCosignature adds a party's signature of a published checkpoint.
func (t *tx) PutCosignature(size int64, by carnet.PartyID, sig note.Signature) (bool, error) {
	res, err := t.ExecContext(t.ctx, `INSERT INTO cosignatures (size, party, name, hash, sig) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (size, party) DO NOTHING`,
		size, string(by), sig.Name, int64(sig.Hash), sig.Base64)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

const checkpointColumns = `c.note, coalesce(s.party, ''), coalesce(s.name, ''), coalesce(s.hash, 0), coalesce(s.sig, '')`

// PublishedAt returns the published checkpoint of a size.
func (t *tx) PublishedAt(size int64) (flow.Published, error) {
	list, err := t.published(`SELECT `+checkpointColumns+` FROM checkpoints c LEFT JOIN cosignatures s ON s.size = c.size
		WHERE c.size = $1 ORDER BY s.party`, size)
	if err != nil {
		return flow.Published{}, err
	}
	if len(list) == 0 {
		return flow.Published{}, notFound("checkpoint")
	}
	return list[0], nil
}

// RecentPublished lists the newest published checkpoints, largest first.
func (t *tx) RecentPublished(limit int) ([]flow.Published, error) {
	return t.published(`SELECT `+checkpointColumns+` FROM (SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT $1) c
		LEFT JOIN cosignatures s ON s.size = c.size ORDER BY c.size DESC, s.party`, limit)
}

func (t *tx) published(query string, args ...any) (out []flow.Published, err error) {
	err = t.all(query, args, func(r *sql.Rows) error {
		var text string
		var by carnet.PartyID
		var sig note.Signature
		if err := r.Scan(&text, &by, &sig.Name, &sig.Hash, &sig.Base64); err != nil {
			return err
		}
		c, err := evidence.ParseCheckpoint([]byte(text))
		if err != nil {
			return err
		}
		if len(out) == 0 || out[len(out)-1].Size != c.Size {
			out = append(out, flow.Published{SignedCheckpoint: c})
		}
		if by != "" {
			last := &out[len(out)-1]
			last.Signers = append(last.Signers, by)
			last.Signatures = append(last.Signatures, sig)
		}
		return nil
	})
	return out, err
}
