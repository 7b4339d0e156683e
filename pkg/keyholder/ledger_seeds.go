package keyholder

import (
	"context"
	"database/sql"
	"errors"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// States of a key's seeds.
const (
	SeedsWanted    = "wanted"    // the dealing is known, the seeds are not here yet
	SeedsHeld      = "held"      // in the keystore, checked against the commitments
	SeedsBad       = "bad"       // what came does not match the dealing; see the reason
	SeedsDestroyed = "destroyed" // destroyed here on purpose
)

// SeedsState is the state of one key's seeds. Told says that the gateway knows it.
type SeedsState struct {
	Key    carnet.KeyID `json:"key"`
	State  string       `json:"state"`
	Reason string       `json:"reason,omitempty"`
	Told   bool         `json:"told"`
}

// Seeds lists every key dealt to this keyholder, ascending.
func (l *Ledger) Seeds(ctx context.Context) (out []SeedsState, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT key, state, reason, told FROM seeds ORDER BY key`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s SeedsState
		var key []byte
		if err := rows.Scan(&key, &s.State, &s.Reason, &s.Told); err != nil {
			return nil, err
		}
		copy(s.Key[:], key)
		out = append(out, s)
	}
	return out, rows.Err()
}

func (l *Ledger) setSeeds(ctx context.Context, s SeedsState) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO seeds (key, state, reason, told) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = excluded.reason, told = excluded.told`,
		s.Key[:], s.State, s.Reason, s.Told)
	return err
}

// doubtSeeds has all seeds looked for again that were held, and fetched if they are not.
func (l *Ledger) doubtSeeds(ctx context.Context) error {
	_, err := l.db.ExecContext(ctx, `UPDATE seeds SET state = $1, told = 0 WHERE state = $2`, SeedsWanted, SeedsHeld)
	return err
}

// Status is what a keyholder can say about itself without any secret.
type Status struct {
	Party      carnet.PartyID   `json:"party"`
	Size       int64            `json:"journal_size"`
	Head       carnet.Hash      `json:"journal_head"`
	Cosigned   int64            `json:"cosigned_size"`
	Marked     int64            `json:"marked_size,omitempty"` // journal size recorded beside the keys, if that is a file
	Halted     string           `json:"halted,omitempty"`
	Own        *OwnKeys         `json:"own_keys,omitempty"`
	Keys       []KeyStatus      `json:"keys"`
	Quorums    map[string]int64 `json:"quorum_sizes"` // committee statement hash -> checkpoint size
	Outcomes   map[string]int64 `json:"outcomes"`     // kind -> number
	Unsent     int64            `json:"unsent"`
	LastQuorum string           `json:"last_checkpoint,omitempty"` // signed note
	Privacy    []BudgetStatus   `json:"privacy,omitempty"`         // of datasets with noise that were asked about
}

// KeyStatus is one key dealt to this keyholder and what was charged to it.
type KeyStatus struct {
	SeedsState
	Charged int64 `json:"charged"` // distinct functionals
	Retired bool  `json:"retired,omitempty"`
	// Destroyed are the keyholders that said they destroyed their seeds, Members how many
	// were dealt some, and Opens whether the others could still open anything. They are
	// left out while nobody did.
	Destroyed []int `json:"destroyed_by,omitempty"`
	Members   int   `json:"members,omitempty"`
	Opens     bool  `json:"opens"`
}

// Status reads the whole status.
func (l *Ledger) Status(ctx context.Context) (*Status, error) {
	s := Status{Keys: []KeyStatus{}, Quorums: map[string]int64{}, Outcomes: map[string]int64{}}
	seen, err := l.Seen(ctx)
	if err != nil {
		return nil, err
	}
	s.Size, s.Head = seen.Size, seen.Head
	party, err := l.meta(ctx, "party")
	if err != nil {
		return nil, err
	}
	s.Party = carnet.PartyID(party)
	if s.Halted, err = l.Halted(ctx); err != nil {
		return nil, err
	}
	if s.Cosigned, err = l.lastCosigned(ctx); err != nil {
		return nil, err
	}
	if s.Own, err = l.OwnKeys(ctx); err != nil {
		return nil, err
	}
	seeds, err := l.Seeds(ctx)
	if err != nil {
		return nil, err
	}
	fates, err := l.fates(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range seeds {
		n, err := l.Charged(ctx, k.Key, seen.Size)
		if err != nil {
			return nil, err
		}
		st := KeyStatus{SeedsState: k, Charged: n, Opens: true}
		if f := fates[k.Key]; f != nil {
			st.Retired, st.Destroyed, st.Members = f.retired, f.destroyed, f.scheme.N
			st.Opens = f.scheme.Remaining(f.destroyed, f.home).Opens()
		}
		s.Keys = append(s.Keys, st)
	}
	if err := l.counts(ctx, `SELECT kind, count(*) FROM outcome GROUP BY kind`, func(kind []byte, n int64) { s.Outcomes[string(kind)] = n }); err != nil {
		return nil, err
	}
	if err := l.db.QueryRowContext(ctx, `SELECT count(*) FROM outcome WHERE sent = 0`).Scan(&s.Unsent); err != nil {
		return nil, err
	}
	if err := l.counts(ctx, `SELECT committee, size FROM quorum`, func(c []byte, n int64) { s.Quorums[asHash(c).String()] = n }); err != nil {
		return nil, err
	}
	if s.Privacy, err = l.budgets(ctx); err != nil {
		return nil, err
	}
	err = l.db.QueryRowContext(ctx, `SELECT note FROM quorum ORDER BY size DESC LIMIT 1`).Scan(&s.LastQuorum)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return &s, nil
}

func (l *Ledger) counts(ctx context.Context, query string, put func(name []byte, n int64)) error {
	rows, err := l.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name []byte
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		put(name, n)
	}
	return rows.Err()
}

// MarkDestroyed records in the ledger at path that the operator has a key's seeds
// destroyed. When the keyholder next runs it makes sure that they are, and says so.
func MarkDestroyed(ctx context.Context, path string, key carnet.KeyID) error {
	l, err := openDB(path, "rw")
	if err != nil {
		return ledgerError(path, err)
	}
	defer l.Close()
	if err := l.setSeeds(ctx, SeedsState{Key: key, State: SeedsDestroyed, Reason: "KEY_DESTROYED"}); err != nil {
		return ledgerError(path, err)
	}
	return nil
}
