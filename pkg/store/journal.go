package store

import (
	"crypto/rand"
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

// Tree returns the tree over all entries.
func (t *tx) Tree() (tree evidence.Tree, err error) {
	var size int64
	var nodes hashes
	err = t.one("entry", `SELECT seq + 1, tree FROM journal ORDER BY seq DESC LIMIT 1`, nil, &size, &nodes)
	if carnet.KindOf(err) == carnet.NotFound {
		return tree, nil
	}
	if err != nil {
		return tree, err
	}
	return evidence.TreeOf(size, nodes)
}

// TreeAt returns the tree there was at a size.
func (t *tx) TreeAt(size int64) (tree evidence.Tree, err error) {
	if size == 0 {
		return tree, nil
	}
	var nodes hashes
	if err := t.one("entry", `SELECT tree FROM journal WHERE seq = $1`, arg(size-1), &nodes); err != nil {
		return tree, err
	}
	return evidence.TreeOf(size, nodes)
}

// Append adds a statement to the journal, under a fresh salt.
func (t *tx) Append(e *evidence.Envelope) (flow.Ref, error) {
	tree, err := t.Tree()
	if err != nil {
		return flow.Ref{}, err
	}
	entry := evidence.Entry{Seq: tree.Size(), Envelope: e}
	if _, err := rand.Read(entry.Salt[:]); err != nil {
		return flow.Ref{}, err
	}
	if err := tree.Append(&entry); err != nil {
		return flow.Ref{}, err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return flow.Ref{}, err
	}
	ref := flow.Ref{Hash: e.Hash(), Seq: entry.Seq}
	return ref, t.exec(`INSERT INTO journal (seq, salt, tree, statement, type, envelope) VALUES ($1, $2, $3, $4, $5, $6)`,
		entry.Seq, entry.Salt[:], hashes(tree.Nodes()).bytes(), ref.Hash[:], string(e.PayloadType), body)
}

// Entries returns up to limit entries from a sequence number on.
func (t *tx) Entries(from int64, limit int) (out []evidence.Entry, err error) {
	err = t.all(`SELECT seq, salt, envelope FROM journal WHERE seq >= $1 ORDER BY seq LIMIT $2`, arg(from, limit), func(r *sql.Rows) error {
		var e evidence.Entry
		if err := r.Scan(&e.Seq, (*h32)(&e.Salt), env{&e.Envelope}); err != nil {
			return err
		}
		out = append(out, e)
		return nil
	})
	return out, err
}

// Statement finds a statement by hash.
func (t *tx) Statement(h carnet.Hash) (s flow.Stored, err error) {
	err = t.one("statement", `SELECT statement, seq, envelope FROM journal WHERE statement = $1`, arg(h[:]),
		(*h32)(&s.Hash), &s.Seq, env{&s.Envelope})
	return s, err
}
