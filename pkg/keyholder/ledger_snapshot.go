package keyholder

import (
	"context"
	"os"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Snapshot writes a copy of the ledger to path, as it is between two transactions, also
// while the keyholder runs. Nothing may be at path.
func (l *Ledger) Snapshot(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.Close() // an empty file is what VACUUM INTO writes to, with its mode
	if _, err := l.db.ExecContext(ctx, `VACUUM INTO $1`, path); err != nil {
		return ledgerError(l.path, err)
	}
	return nil
}

// Verify replays the ledger and returns whose it is and how far it goes. The error says
// that it is damaged or not a keyholder's.
func (l *Ledger) Verify(ctx context.Context) (carnet.PartyID, evidence.Chain, error) {
	party, err := l.meta(ctx, "party")
	if err != nil {
		return "", evidence.Chain{}, ledgerError(l.path, err)
	}
	chain, err := l.replay(ctx, func(*evidence.Entry) error { return nil })
	return carnet.PartyID(party), chain, err
}

// Cosigners returns the members of this keyholder's committees whose signature a
// checkpoint carries, as far as the ledger knows them. The checkpoint may be of entries
// that the ledger has not.
func (l *Ledger) Cosigners(ctx context.Context, env *evidence.Envelope) (cp carnet.Checkpoint, by []carnet.PartyID, err error) {
	if cp, err = decodeCheckpoint(env); err != nil {
		return cp, nil, err
	}
	party, err := l.meta(ctx, "party")
	if err != nil {
		return cp, nil, ledgerError(l.path, err)
	}
	registrar, err := l.meta(ctx, "registrar")
	if err != nil {
		return cp, nil, ledgerError(l.path, err)
	}
	s := newState(registrar, carnet.PartyID(party))
	if _, err := l.replay(ctx, func(e *evidence.Entry) error {
		_ = s.apply(e.Envelope) // what has no effect proves nothing
		return nil
	}); err != nil {
		return cp, nil, err
	}
	seen := map[carnet.PartyID]bool{}
	for _, c := range s.mine() {
		for _, id := range s.cosigners(c, env) {
			if !seen[id] {
				seen[id], by = true, append(by, id)
			}
		}
	}
	return cp, by, nil
}
