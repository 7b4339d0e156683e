package store

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

// env scans an envelope from its DSSE JSON form.
type env struct{ dst **evidence.Envelope }

func (e env) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("want an envelope, have %T", v)
	}
	*e.dst = new(evidence.Envelope)
	return json.Unmarshal(b, *e.dst)
}

// Chain returns size and head of the journal.
func (t *tx) Chain() (c evidence.Chain, err error) {
	err = t.one("entry", `SELECT seq + 1, hash FROM journal ORDER BY seq DESC LIMIT 1`, nil, &c.Size, (*h32)(&c.Head))
	if carnet.KindOf(err) == carnet.NotFound {
		err = nil
	}
	return c, err
}

// Append adds a statement to the journal.
func (t *tx) Append(e *evidence.Envelope) (flow.Ref, error) {
	c, err := t.Chain()
	if err != nil {
		return flow.Ref{}, err
	}
	entry := evidence.Entry{Seq: c.Size, Prev: c.Head, Envelope: e}
	body, err := json.Marshal(e)
	if err != nil {
		return flow.Ref{}, err
	}
	ref := flow.Ref{Hash: e.Hash(), Seq: entry.Seq}
	hash := entry.Hash()
	return ref, t.exec(`INSERT INTO journal (seq, prev, hash, statement, type, envelope) VALUES ($1, $2, $3, $4, $5, $6)`,
		entry.Seq, entry.Prev[:], hash[:], ref.Hash[:], string(e.PayloadType), body)
}

// Entries returns up to limit entries from a sequence number on.
func (t *tx) Entries(from int64, limit int) (out []evidence.Entry, err error) {
	err = t.all(`SELECT seq, prev, envelope FROM journal WHERE seq >= $1 ORDER BY seq LIMIT $2`, arg(from, limit), func(r *sql.Rows) error {
		var e evidence.Entry
		if err := r.Scan(&e.Seq, (*h32)(&e.Prev), env{&e.Envelope}); err != nil {
			return err
		}
		out = append(out, e)
		return nil
	})
	return out, err
}

// HeadAt returns the head at a size.
func (t *tx) HeadAt(size int64) (h carnet.Hash, err error) {
	if size == 0 {
		return h, nil
	}
	err = t.one("entry", `SELECT hash FROM journal WHERE seq = $1`, arg(size-1), (*h32)(&h))
	return h, err
}

// Statement finds a statement by hash.
func (t *tx) Statement(h carnet.Hash) (s flow.Stored, err error) {
	err = t.one("statement", `SELECT statement, seq, envelope FROM journal WHERE statement = $1`, arg(h[:]),
		(*h32)(&s.Hash), &s.Seq, env{&s.Envelope})
	return s, err
}

// PutCosignature adds a party's signature of a checkpoint.
func (t *tx) PutCosignature(c carnet.Checkpoint, by carnet.PartyID, e *evidence.Envelope, sig evidence.Signature) (bool, error) {
	if err := t.exec(`INSERT INTO checkpoints (size, head, payload) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING`, c.Size, c.Head[:], e.Payload); err != nil {
		return false, err
	}
	res, err := t.ExecContext(t.ctx, `INSERT INTO cosignatures (size, party, keyid, sig) VALUES ($1, $2, $3, $4) ON CONFLICT (size, party) DO NOTHING`,
		c.Size, string(by), sig.KeyID, sig.Sig)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// RecentCosigned lists the newest co-signed checkpoints, largest first.
func (t *tx) RecentCosigned(limit int) (out []flow.Cosigned, err error) {
	err = t.all(`SELECT c.size, c.head, c.payload, s.party, s.keyid, s.sig
		FROM (SELECT size, head, payload FROM checkpoints ORDER BY size DESC LIMIT $1) c
		JOIN cosignatures s ON s.size = c.size ORDER BY c.size DESC, s.party`, arg(limit), func(r *sql.Rows) error {
		var c flow.Cosigned
		var by carnet.PartyID
		var sig evidence.Signature
		c.Envelope = &evidence.Envelope{PayloadType: carnet.TypeCheckpoint}
		if err := r.Scan(&c.Size, (*h32)(&c.Head), &c.Envelope.Payload, &by, &sig.KeyID, &sig.Sig); err != nil {
			return err
		}
		if len(out) == 0 || out[len(out)-1].Size != c.Size {
			out = append(out, c)
		}
		last := &out[len(out)-1]
		last.Signers = append(last.Signers, by)
		last.Envelope.Signatures = append(last.Envelope.Signatures, sig)
		return nil
	})
	return out, err
}
