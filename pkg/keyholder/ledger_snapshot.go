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
func (l *Ledger) Verify(ctx context.Context) (carnet.PartyID, carnet.Checkpoint, error) {
	party, err := l.meta(ctx, "party")
	if err != nil {
		return "", carnet.Checkpoint{}, ledgerError(l.path, err)
	}
	at, err := l.replay(ctx, func(*evidence.Entry) error { return nil })
	return carnet.PartyID(party), at.Checkpoint(), err
}

// Cosigners returns the members of this keyholder's committees whose signature a
// checkpoint carries, as far as the ledger knows them. The checkpoint may be of entries
// that the ledger has not.
func (l *Ledger) Cosigners(ctx context.Context, c *evidence.SignedCheckpoint) (by []carnet.PartyID, err error) {
	party, err := l.meta(ctx, "party")
	if err != nil {
		return nil, ledgerError(l.path, err)
	}
	registrar, err := l.meta(ctx, "registrar")
	if err != nil {
		return nil, ledgerError(l.path, err)
	}
	if c.Origin != evidence.Origin(registrar) {
		return nil, carnet.E(carnet.Invalid, "BAD_CHECKPOINT", "the checkpoint is of another log, %q", c.Origin)
	}
	s := newState(registrar, carnet.PartyID(party))
	if _, err := l.replay(ctx, func(e *evidence.Entry) error {
		_ = s.apply(e.Envelope) // what has no effect proves nothing
		return nil
	}); err != nil {
		return nil, err
	}
	seen := map[carnet.PartyID]bool{}
	for _, com := range s.mine() {
		for _, id := range s.cosigners(com, c) {
			if !seen[id] {
				seen[id], by = true, append(by, id)
			}
		}
	}
	return by, nil
}
