package store

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// AskApproval notes that a party is to approve a query.
func (t *tx) AskApproval(query carnet.Hash, by carnet.PartyID, binding bool) error {
	b := 0
	if binding {
		b = 1
	}
	return t.exec(`INSERT INTO approvals (query, party, binding) VALUES ($1, $2, $3)
		ON CONFLICT (query, party) DO UPDATE SET binding = CASE WHEN approvals.binding > excluded.binding THEN approvals.binding ELSE excluded.binding END`,
		query[:], string(by), b)
}

// PutApproval stores a party's approval or refusal.
func (t *tx) PutApproval(query carnet.Hash, by carnet.PartyID, statement carnet.Hash) error {
	return t.exec(`INSERT INTO approvals (query, party, binding, statement) VALUES ($1, $2, 0, $3)
		ON CONFLICT (query, party) DO UPDATE SET statement = excluded.statement`, query[:], string(by), statement[:])
}

// Approvals lists who was asked about a query or said something, by party.
func (t *tx) Approvals(query carnet.Hash) (out []flow.ApprovalRecord, err error) {
	err = t.all(`SELECT a.party, a.binding, j.statement, j.seq, j.envelope FROM approvals a LEFT JOIN journal j ON j.statement = a.statement
		WHERE a.query = $1 ORDER BY a.party`, arg(query[:]), func(r *sql.Rows) error {
		var a flow.ApprovalRecord
		var binding int64
		var h, envelope []byte
		var seq sql.NullInt64
		if err := r.Scan(&a.By, &binding, &h, &seq, &envelope); err != nil {
			return err
		}
		a.Binding = binding > 0
		if seq.Valid {
			st := flow.Stored{Ref: flow.Ref{Seq: seq.Int64}}
			if err := (*h32)(&st.Hash).Scan(h); err != nil {
				return err
			}
			if err := (env{&st.Envelope}).Scan(envelope); err != nil {
				return err
			}
			a.Statement = &st
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

// ApprovalsAsked lists the queries that wait for a party, oldest first.
func (t *tx) ApprovalsAsked(by carnet.PartyID, states ...flow.QueryState) ([]flow.QueryRecord, error) {
	in, args := []string{}, arg(string(by))
	for i, s := range states {
		in = append(in, fmt.Sprintf("$%d", i+2))
		args = append(args, string(s))
	}
	return t.queries(querySelect+`JOIN approvals a ON a.query = q.statement WHERE a.party = $1 AND a.statement IS NULL
		AND q.state IN (`+strings.Join(in, ", ")+`) ORDER BY j.seq`, args)
}

// PutDeferral stores a keyholder's word that it waits for people.
func (t *tx) PutDeferral(query carnet.Hash, by carnet.PartyID, statement carnet.Hash) error {
	return t.exec(`INSERT INTO deferrals (query, party, statement) VALUES ($1, $2, $3)`, query[:], string(by), statement[:])
}

// Deferrals lists the keyholders that wait for people, by party.
func (t *tx) Deferrals(query carnet.Hash) (out []flow.DeferralRecord, err error) {
	err = t.all(`SELECT d.party, j.statement, j.seq, j.envelope FROM deferrals d JOIN journal j ON j.statement = d.statement
		WHERE d.query = $1 ORDER BY d.party`, arg(query[:]), func(r *sql.Rows) error {
		var d flow.DeferralRecord
		err := r.Scan(&d.By, (*h32)(&d.Statement.Hash), &d.Statement.Seq, env{&d.Statement.Envelope})
		out = append(out, d)
		return err
	})
	return out, err
}
