package keyholder

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// What somebody decided about a query.
const (
	consentApproved = "approved"
	consentRefused  = "refused"
)

// Consent is a query that waits, or waited, for people.
type Consent struct {
	Query    carnet.Hash `json:"query"`
	Seq      int64       `json:"seq"`
	Asked    Asked       `json:"asked"`
	Own      bool        `json:"own"` // somebody of this keyholder has to decide; else owners only
	Until    time.Time   `json:"until"`
	Decision string      `json:"decision,omitempty"` // approved or refused; empty: nobody has decided
	Reason   string      `json:"reason,omitempty"`
	By       string      `json:"by,omitempty"` // who, as the operating system knows them
	At       time.Time   `json:"at,omitzero"`
	Outcome  string      `json:"outcome,omitempty"` // what became of the query here: answer, refusal

	statement *evidence.Envelope // the deferral
}

const consentColumns = `c.query, c.seq, c.asked, c.own, c.until, c.decision, c.reason, c.by, c.at, c.statement, coalesce(o.kind, '')`

func scanConsent(row interface{ Scan(...any) error }) (*Consent, error) {
	var c Consent
	var query, asked, st []byte
	var until, at int64
	if err := row.Scan(&query, &c.Seq, &asked, &c.Own, &until, &c.Decision, &c.Reason, &c.By, &at, &st, &c.Outcome); err != nil {
		return nil, err
	}
	c.Query, c.Until = asHash(query), time.Unix(0, until).UTC()
	if at > 0 {
		c.At = time.Unix(0, at).UTC()
	}
	return &c, errors.Join(json.Unmarshal(asked, &c.Asked), json.Unmarshal(st, &c.statement))
}

// askConsent notes a query that waits for people. One that waited for owners alone may
// later wait for somebody here; what was decided stays.
func (l *Ledger) askConsent(ctx context.Context, c *Consent) error {
	asked, err := json.Marshal(c.Asked)
	if err != nil {
		return err
	}
	st, err := json.Marshal(c.statement)
	if err != nil {
		return err
	}
	_, err = l.db.ExecContext(ctx, `INSERT INTO consent (query, seq, asked, own, until, statement) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (query) DO UPDATE SET own = excluded.own, asked = excluded.asked WHERE consent.own = 0`,
		c.Query[:], c.Seq, asked, c.Own, c.Until.UnixNano(), st)
	return err
}

// Consent returns what is known of a query that waits for people, nil if it does not.
func (l *Ledger) Consent(ctx context.Context, query carnet.Hash) (*Consent, error) {
	c, err := scanConsent(l.db.QueryRowContext(ctx, `SELECT `+consentColumns+` FROM consent c LEFT JOIN outcome o ON o.query = c.query WHERE c.query = $1`, query[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return c, err
}

// Consents lists the queries that wait for somebody of this keyholder, in the order of the
// journal; with all, also those that waited and those that wait for owners.
func (l *Ledger) Consents(ctx context.Context, all bool) (out []*Consent, err error) {
	where := ` WHERE c.own = 1 AND c.decision = '' AND o.kind IS NULL`
	if all {
		where = ``
	}
	rows, err := l.db.QueryContext(ctx, `SELECT `+consentColumns+` FROM consent c LEFT JOIN outcome o ON o.query = c.query`+where+` ORDER BY c.seq`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scanConsent(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// unsentDeferral returns the oldest deferral the gateway has not acknowledged, nil if none.
func (l *Ledger) unsentDeferral(ctx context.Context) (*Consent, error) {
	c, err := scanConsent(l.db.QueryRowContext(ctx, `SELECT `+consentColumns+` FROM consent c LEFT JOIN outcome o ON o.query = c.query WHERE c.sent = 0 ORDER BY c.seq LIMIT 1`))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return c, err
}

func (l *Ledger) setDeferralSent(ctx context.Context, query carnet.Hash) error {
	_, err := l.db.ExecContext(ctx, `UPDATE consent SET sent = 1 WHERE query = $1`, query[:])
	return err
}

// Decide writes down what somebody of this keyholder decided about a query, once. The
// keyholder that runs, or runs next, finds it there. Whoever may write the ledger's file may
// decide.
func (l *Ledger) Decide(ctx context.Context, query carnet.Hash, allow bool, reason, by string, now time.Time) error {
	if !allow && reason == "" {
		return carnet.E(carnet.Invalid, "BAD_APPROVAL", "a refusal needs a reason, which the buyer is told").Fix("give one with --reason")
	}
	decision := consentApproved
	if !allow {
		decision = consentRefused
	}
	return l.tx(ctx, func(tx *sql.Tx) error {
		c, err := scanConsent(tx.QueryRowContext(ctx, `SELECT `+consentColumns+` FROM consent c LEFT JOIN outcome o ON o.query = c.query WHERE c.query = $1`, query[:]))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return carnet.E(carnet.NotFound, "NOT_ASKED", "no query %s waits here", query).Fix("carnet-keyholder inbox lists those that do")
		case err != nil:
			return err
		case !c.Own:
			return carnet.E(carnet.Precondition, "NOT_ASKED", "query %s waits for owners, not for this keyholder", query).Fix("they answer with carnet approve")
		case c.Decision != "":
			return carnet.E(carnet.Exists, "DECIDED", "query %s was %s by %s before", query, c.Decision, c.By).Fix("the first decision counts")
		case c.Outcome != "":
			return carnet.E(carnet.Precondition, "DECIDED", "query %s has an outcome already: %s", query, c.Outcome).Fix("its buyer can ask again")
		case !now.Before(c.Until):
			return carnet.E(carnet.Precondition, "APPROVAL_EXPIRED", "query %s waited until %s", query, c.Until.Format(time.RFC3339)).Fix("its buyer can ask again")
		}
		_, err = tx.ExecContext(ctx, `UPDATE consent SET decision = $2, reason = $3, by = $4, at = $5 WHERE query = $1 AND decision = ''`,
			query[:], decision, reason, by, now.UnixNano())
		return err
	})
}

// WriteLedger opens an existing ledger for decisions of people, also while a keyholder
// runs.
func WriteLedger(path string) (*Ledger, error) {
	if _, err := os.Stat(path); err != nil {
		return ReadLedger(path) // says so
	}
	l, err := openDB(path, "rw")
	if err != nil {
		return nil, ledgerError(path, err)
	}
	return l, nil
}
