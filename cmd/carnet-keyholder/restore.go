package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keyholder/backup"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
)

type restoreCmd struct {
	storeFlags
	File           string   `arg:"" help:"File that backup wrote." type:"existingfile"`
	BackupIdentity string   `help:"File with the age identity that opens the backup, if it was made with --to." type:"path" placeholder:"FILE"`
	Newest         []string `help:"Checkpoint that another keyholder has: what its status --json printed. May be repeated." type:"existingfile" placeholder:"FILE"`
}

func (restoreCmd) Help() string {
	return `Puts the files of a backup into DIR, which must not have any of them; nothing is
overwritten. A mark that is newer than the backup's is kept.

The ledger in a backup is old. Before it answers or co-signs anything, the keyholder
replays the journal to where its mark and its own co-signatures say it was; if the
gateway shows another journal, it stops. A mark in the backup is as old as the
backup: ask the other keyholders how far they have come, and give that to --newest.
In Vault the mark is not in the backup and is never old.

Example:
  carnet-keyholder restore --dir /var/lib/carnet --newest kh2-status.json kh-2026-11-26.age`
}

func (c *restoreCmd) Run(ctx context.Context, s streams) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	targets := []string{c.party(), c.ledger(), c.ledger() + "-wal", c.ledger() + "-shm", c.policyState(), c.policyKey(), c.keystore()}
	for _, f := range targets {
		if _, err := os.Lstat(f); err == nil {
			return carnet.E(carnet.Exists, "FILE_EXISTS", "there is already a file at %s", f).
				Fix("restore overwrites nothing: choose an empty directory, or move the file away if it is lost for good")
		}
	}
	dir, err := os.MkdirTemp(c.Dir, ".restore-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	about, err := c.extract(s, dir)
	if err != nil {
		return err
	}
	store, err := c.opened(ctx, s, dir, about)
	if err != nil {
		return err
	}
	defer store.Close()
	mark, err := c.marked(ctx, dir, store)
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	// The keystore is the last: without it a keyholder does not start.
	if _, err := os.Lstat(c.nextParty()); err == nil { // it was used, or is newer
		if err := os.Remove(dirFlag{Dir: dir}.nextParty()); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for _, f := range []string{c.party(), c.nextParty(), c.policyState(), c.policyKey(), c.ledger(), agefile.MarkFile(c.keystore()), c.keystore()} {
		if err := os.Rename(filepath.Join(dir, filepath.Base(f)), f); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	fmt.Fprintf(s.out, "restored: %s of %s\nledger:   %d entries\n", about.Party, about.Created.Format("2006-01-02 15:04:05 MST"), about.Size)
	if mark.Size > about.Size {
		fmt.Fprintf(s.out, "mark:     %d entries; nothing is answered or co-signed before the journal was replayed to there\n", mark.Size)
	}
	return nil
}

// extract decrypts the backup into dir and checks the ledger.
func (c *restoreCmd) extract(s streams, dir string) (*backup.About, error) {
	p, err := c.backupProtection(s)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plain, err := p.Decrypt(f)
	if carnet.ReasonOf(err) == "WRONG_PASSPHRASE" {
		return nil, err
	}
	if err != nil {
		return nil, carnet.E(carnet.Invalid, "BACKUP_DAMAGED", "%s is no backup, or its beginning is damaged", c.File).Because(err).Fix("use another copy")
	}
	return backup.Read(plain, dir)
}

func (c *restoreCmd) backupProtection(s streams) (agefile.Protection, error) {
	if c.BackupIdentity != "" {
		return agefile.IdentityFile(c.BackupIdentity)
	}
	return c.protection(s, false)
}

// opened checks that everything in dir belongs together, with the keystore that is in it
// or in Vault.
func (c *restoreCmd) opened(ctx context.Context, s streams, dir string, about *backup.About) (store keys.Store, err error) {
	if _, missing := os.Stat(filepath.Join(dir, "keystore.age")); missing == nil {
		p, err := c.protection(s, false)
		if err != nil {
			return nil, err
		}
		store, err = agefile.Open(filepath.Join(dir, "keystore.age"), p)
		if err != nil {
			return nil, err
		}
	} else if store, err = c.open(ctx, s); err != nil {
		return nil, err
	}
	party, err := c.restoredParty(dir, store)
	if err == nil && about.Size > 0 {
		var seen carnet.Checkpoint
		seen, err = verifyLedger(ctx, filepath.Join(dir, "ledger.db"), party.ID)
		if err == nil && seen != (carnet.Checkpoint{Size: about.Size, Head: about.Head}) {
			err = carnet.E(carnet.Invalid, "BACKUP_DAMAGED", "the ledger in the backup is not the one it says").Fix("use another copy")
		}
	}
	if err != nil {
		store.Close()
		return nil, err
	}
	return store, nil
}

// restoredParty reads the party's statement. If keys in Vault were replaced after the backup,
// it is what was put into the directory.
func (c *restoreCmd) restoredParty(dir string, store keys.Store) (*carnet.Party, error) {
	in := dirFlag{Dir: dir}
	party, _, err := in.readParty(store)
	var foreign *carnet.Error
	if !errors.As(err, &foreign) || foreign.Reason != "FOREIGN_PARTY_STATEMENT" {
		return party, err
	}
	b, err := os.ReadFile(c.nextParty())
	if errors.Is(err, os.ErrNotExist) {
		return nil, foreign.Fix("use a backup of this keystore; if its keys were replaced since, put the statement that the registrar registered there as %s", c.nextParty())
	}
	if err == nil {
		err = os.WriteFile(in.nextParty(), b, 0o600)
	}
	if err != nil {
		return nil, err
	}
	party, _, err = in.readParty(store)
	return party, err
}

// marked raises the mark to the newest of: what is in the directory, what is in the
// backup or in Vault, and the checkpoints of other keyholders. It never goes back.
func (c *restoreCmd) marked(ctx context.Context, dir string, store keys.Store) (carnet.Checkpoint, error) {
	m, ok := store.(keys.Marker)
	if !ok {
		return carnet.Checkpoint{}, nil
	}
	at, err := agefile.ReadMark(agefile.MarkFile(c.keystore()))
	if err != nil {
		return at, err
	}
	known := []carnet.Checkpoint{at}
	for _, f := range c.Newest {
		cp, err := c.checkpoint(ctx, dir, f)
		if err != nil {
			return at, err
		}
		known = append(known, cp)
	}
	for _, cp := range known {
		if at, err = m.Marked(ctx); err != nil {
			return at, err
		}
		if cp.Size == 0 || cp.Size < at.Size {
			continue
		}
		if err := m.Mark(ctx, cp); err != nil {
			return at, err
		}
	}
	return m.Marked(ctx)
}

// checkpoint reads what another keyholder has seen. It is taken only if a member of a
// committee that this keyholder belongs to signed it.
func (c *restoreCmd) checkpoint(ctx context.Context, dir, file string) (cp carnet.Checkpoint, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return cp, err
	}
	var st struct {
		Last *evidence.SignedCheckpoint `json:"last_checkpoint"`
	}
	if json.Unmarshal(b, &st) != nil || st.Last == nil {
		return cp, carnet.E(carnet.Invalid, "BAD_CHECKPOINT", "%s has no co-signed checkpoint", file).
			Fix("it is what carnet-keyholder status --json prints at another keyholder")
	}
	l, err := keyholder.ReadLedger(filepath.Join(dir, "ledger.db"))
	if err != nil {
		return cp, err
	}
	defer l.Close()
	by, err := l.Cosigners(ctx, st.Last)
	if err != nil {
		return cp, err
	}
	if len(by) == 0 {
		return cp, carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "no keyholder that the ledger knows signed the checkpoint in %s", file).
			Fix("use the checkpoint of a member of your committee")
	}
	return st.Last.Checkpoint, nil
}

// verifyLedger replays the ledger in a file and checks whose it is.
func verifyLedger(ctx context.Context, file string, party carnet.PartyID) (seen carnet.Checkpoint, err error) {
	l, err := keyholder.ReadLedger(file)
	if err != nil {
		return seen, err
	}
	defer l.Close()
	of, seen, err := l.Verify(ctx)
	if err == nil && of != party {
		err = carnet.E(carnet.Precondition, "FOREIGN_LEDGER", "the ledger belongs to %s, not to %s", strings.TrimSpace(string(of)), party).
			Fix("use files of one keyholder")
	}
	return seen, err
}
