package store

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// PutQuery stores a query that was accepted.
func (t *tx) PutQuery(q flow.QueryRecord) error {
	return t.exec(`INSERT INTO queries (statement, id, buyer, product, published, committee, threshold, keyholders, openings, scalar_bytes, expires, checks,
		state, public_hash, blocks_done, blocks_total, attempts, failure, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		q.Statement.Hash[:], q.ID[:], string(q.Buyer), string(q.Product), hashes(q.Published).bytes(), q.Committee[:], q.Threshold, q.Keyholders, q.Openings, q.ScalarBytes, q.Expires.UnixNano(), q.Checks,
		string(q.State), q.Values[:], q.BlocksDone, q.BlocksTotal, q.Attempts, q.Failure, q.Updated.UnixNano())
}

const querySelect = `SELECT j.statement, j.seq, j.envelope, q.id, q.buyer, q.product, q.published, q.committee, q.threshold, q.keyholders, q.openings, q.scalar_bytes,
	q.expires, q.checks, q.state, q.public_hash, q.blocks_done, q.blocks_total, q.attempts, q.failure, q.updated
	FROM queries q JOIN journal j ON j.statement = q.statement `

func queryInto(q *flow.QueryRecord) []any {
	return []any{(*h32)(&q.Statement.Hash), &q.Statement.Seq, env{&q.Statement.Envelope}, (*h32)(&q.ID), &q.Buyer, &q.Product, (*hashes)(&q.Published), (*h32)(&q.Committee),
		&q.Threshold, &q.Keyholders, &q.Openings, &q.ScalarBytes, (*when)(&q.Expires), &q.Checks, &q.State, (*h32)(&q.Values),
		&q.BlocksDone, &q.BlocksTotal, &q.Attempts, &q.Failure, (*when)(&q.Updated)}
}

// GetQuery finds a query by statement hash.
func (t *tx) GetQuery(statement carnet.Hash) (q flow.QueryRecord, err error) {
	err = t.one("query", querySelect+`WHERE q.statement = $1`, arg(statement[:]), queryInto(&q)...)
	return q, err
}

// QueryOf finds a query by the buyer's id.
func (t *tx) QueryOf(buyer carnet.PartyID, id carnet.Hash) (h carnet.Hash, err error) {
	err = t.one("query", `SELECT statement FROM queries WHERE buyer = $1 AND id = $2`, arg(string(buyer), id[:]), (*h32)(&h))
	return h, err
}

// SetQuery changes what changes while a query is worked on.
func (t *tx) SetQuery(q flow.QueryRecord) error {
	return t.exec(`UPDATE queries SET state = $2, public_hash = $3, blocks_done = $4, blocks_total = $5, attempts = $6, failure = $7, updated = $8 WHERE statement = $1`,
		q.Statement.Hash[:], string(q.State), q.Values[:], q.BlocksDone, q.BlocksTotal, q.Attempts, q.Failure, q.Updated.UnixNano())
}

// ListQueries lists queries newest first.
func (t *tx) ListQueries(buyer carnet.PartyID, before int64, limit int) ([]flow.QueryRecord, error) {
	where, args := `WHERE j.seq < $1`, arg(before)
	if buyer != "" {
		args = append(args, string(buyer))
		where += ` AND q.buyer = $2`
	}
	args = append(args, limit)
	return t.queries(querySelect+where+fmt.Sprintf(` ORDER BY j.seq DESC LIMIT $%d`, len(args)), args)
}

// QueriesIn lists queries in one of the states.
func (t *tx) QueriesIn(states ...flow.QueryState) ([]flow.QueryRecord, error) {
	var in []string
	var args []any
	for i, s := range states {
		in = append(in, fmt.Sprintf("$%d", i+1))
		args = append(args, string(s))
	}
	return t.queries(querySelect+`WHERE q.state IN (`+strings.Join(in, ", ")+`) ORDER BY j.seq`, args)
}

func (t *tx) queries(query string, args []any) (out []flow.QueryRecord, err error) {
	err = t.all(query, args, func(r *sql.Rows) error {
		var q flow.QueryRecord
		err := r.Scan(queryInto(&q)...)
		out = append(out, q)
		return err
	})
	return out, err
}

// PutAnswer stores a keyholder's answer.
func (t *tx) PutAnswer(query carnet.Hash, a flow.AnswerRecord) error {
	return t.exec(`INSERT INTO answers (query, number, party, statement, sealed, bytes) VALUES ($1, $2, $3, $4, $5, $6)`,
		query[:], a.Number, string(a.By), a.Statement.Hash[:], a.Sealed[:], a.Bytes)
}

// Answers lists the answers to a query, by keyholder number.
func (t *tx) Answers(query carnet.Hash) (out []flow.AnswerRecord, err error) {
	err = t.all(`SELECT a.number, a.party, j.statement, j.seq, j.envelope, a.sealed, a.bytes
		FROM answers a JOIN journal j ON j.statement = a.statement WHERE a.query = $1 ORDER BY a.number`, arg(query[:]), func(r *sql.Rows) error {
		var a flow.AnswerRecord
		err := r.Scan(&a.Number, &a.By, (*h32)(&a.Statement.Hash), &a.Statement.Seq, env{&a.Statement.Envelope}, (*h32)(&a.Sealed), &a.Bytes)
		out = append(out, a)
		return err
	})
	return out, err
}

// PutCheck stores a keyholder's check of a private parameter.
func (t *tx) PutCheck(query carnet.Hash, number int, by carnet.PartyID, statement carnet.Hash) error {
	return t.exec(`INSERT INTO checks (query, number, party, statement) VALUES ($1, $2, $3, $4)`, query[:], number, string(by), statement[:])
}

// Checks lists the checks of a query's private parameter, by keyholder number.
func (t *tx) Checks(query carnet.Hash) (out []flow.CheckRecord, err error) {
	err = t.all(`SELECT c.number, c.party, j.statement, j.seq, j.envelope FROM checks c JOIN journal j ON j.statement = c.statement
		WHERE c.query = $1 ORDER BY c.number`, arg(query[:]), func(r *sql.Rows) error {
		var c flow.CheckRecord
		err := r.Scan(&c.Number, &c.By, (*h32)(&c.Statement.Hash), &c.Statement.Seq, env{&c.Statement.Envelope})
		out = append(out, c)
		return err
	})
	return out, err
}

// PutDecision stores a party's decision.
func (t *tx) PutDecision(query carnet.Hash, by carnet.PartyID, statement carnet.Hash) error {
	return t.exec(`INSERT INTO decisions (query, party, statement) VALUES ($1, $2, $3)`, query[:], string(by), statement[:])
}

// Decisions lists the decisions about a query, by place in the journal.
func (t *tx) Decisions(query carnet.Hash) (out []flow.DecisionRecord, err error) {
	err = t.all(`SELECT d.party, j.statement, j.seq, j.envelope FROM decisions d JOIN journal j ON j.statement = d.statement
		WHERE d.query = $1 ORDER BY j.seq`, arg(query[:]), func(r *sql.Rows) error {
		var d flow.DecisionRecord
		err := r.Scan(&d.By, (*h32)(&d.Statement.Hash), &d.Statement.Seq, env{&d.Statement.Envelope})
		out = append(out, d)
		return err
	})
	return out, err
}
