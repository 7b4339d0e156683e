package keyholder

import (
	"context"
	"database/sql"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// payment is what an entry of the journal took from the privacy budget of one dataset, or
// would have taken if it had fitted.
type payment struct {
	cost   int64 // millionths of rho, of the numbers that no entry before had released
	before int64 // spent before
	fits   bool  // all datasets of the query can pay, and did
}

// pay charges what an entry releases, in the order of the journal. If one of its datasets
// can't pay, none does, and nothing counts as released: everybody refuses the query.
func pay(ctx context.Context, tx *sql.Tx, seq int64, spendings []plan.Spending, numbers []carnet.Hash) error {
	list, fits := make([]payment, len(spendings)), true
	for i := range spendings {
		s, x := &spendings[i], &list[i]
		var err error
		if x.before, err = spent(ctx, tx, s.Dataset); err != nil {
			return err
		}
		known, err := released(ctx, tx, s, numbers)
		if err != nil {
			return err
		}
		x.cost = s.Cost(func(opening int) bool { return known[numbers[opening]] })
		fits = fits && privacy.Add(x.before, x.cost) <= s.Terms.Budget
	}
	for i := range spendings {
		s := &spendings[i]
		if _, err := tx.ExecContext(ctx, `INSERT INTO payment (seq, dataset, cost, before, fits, budget) VALUES ($1, $2, $3, $4, $5, $6)`,
			seq, string(s.Dataset), list[i].cost, list[i].before, fits, s.Terms.Budget); err != nil {
			return err
		}
		for _, n := range s.Numbers {
			if !fits {
				break
			}
			h := numbers[n.Opening]
			if _, err := tx.ExecContext(ctx, `INSERT INTO noisy (dataset, functional, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
				string(s.Dataset), h[:], seq); err != nil {
				return err
			}
		}
	}
	return nil
}

// spent is what entries so far took from the budget of a dataset.
func spent(ctx context.Context, tx interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, dataset carnet.DatasetID) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(sum(cost), 0) FROM payment WHERE dataset = $1 AND fits = 1`, string(dataset)).Scan(&n)
	return n, err
}

// released finds the numbers of a dataset that entries before have released.
func released(ctx context.Context, tx *sql.Tx, s *plan.Spending, numbers []carnet.Hash) (map[carnet.Hash]bool, error) {
	known := map[carnet.Hash]bool{}
	find, err := tx.PrepareContext(ctx, `SELECT count(*) FROM noisy WHERE dataset = $1 AND functional = $2`)
	if err != nil {
		return nil, err
	}
	defer find.Close()
	for _, n := range s.Numbers {
		h, found := numbers[n.Opening], 0
		if err := find.QueryRowContext(ctx, string(s.Dataset), h[:]).Scan(&found); err != nil {
			return nil, err
		}
		if found > 0 {
			known[h] = true
		}
	}
	return known, nil
}

// paid returns what an entry took from budgets, by dataset.
func (l *Ledger) paid(ctx context.Context, seq int64) (map[carnet.DatasetID]payment, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT dataset, cost, before, fits FROM payment WHERE seq = $1`, seq)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[carnet.DatasetID]payment{}
	for rows.Next() {
		var d string
		var x payment
		if err := rows.Scan(&d, &x.cost, &x.before, &x.fits); err != nil {
			return nil, err
		}
		out[carnet.DatasetID(d)] = x
	}
	return out, rows.Err()
}

// Spent returns what was taken from the privacy budget of a dataset, in millionths of rho.
func (l *Ledger) Spent(ctx context.Context, dataset carnet.DatasetID) (int64, error) {
	return spent(ctx, l.db, dataset)
}

// BudgetStatus is what was taken from the privacy budget of one dataset; amounts are decimal.
type BudgetStatus struct {
	Dataset carnet.DatasetID `json:"dataset"`
	Spent   string           `json:"spent"`
	Budget  string           `json:"budget,omitempty"` // by the terms that the last query was about
	Refused int64            `json:"refused"`          // queries that did not fit
}

// budgets lists the datasets that a query of the journal was to take something from,
// ascending.
func (l *Ledger) budgets(ctx context.Context) (out []BudgetStatus, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT dataset, coalesce(sum(cost) FILTER (WHERE fits = 1), 0), count(*) FILTER (WHERE fits = 0),
		(SELECT budget FROM payment last WHERE last.dataset = payment.dataset ORDER BY seq DESC LIMIT 1) FROM payment GROUP BY dataset ORDER BY dataset`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s BudgetStatus
		var spent, budget int64
		if err := rows.Scan(&s.Dataset, &spent, &s.Refused, &budget); err != nil {
			return nil, err
		}
		if s.Spent = privacy.Format(spent); budget > 0 {
			s.Budget = privacy.Format(budget)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
