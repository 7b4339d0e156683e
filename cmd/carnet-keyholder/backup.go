package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keyholder/backup"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
)

type backupCmd struct {
	storeFlags
	File string   `arg:"" help:"File to write; it must not exist." type:"path"`
	To   []string `help:"Encrypt to these age recipients, as age-keygen -y prints them, instead of to what opens the keystore." placeholder:"RECIPIENT"`
}

func (backupCmd) Help() string {
	return `Writes keystore, policy key, ledger, mark, party.json and the statement of a prepared
rotation into one encrypted file, each as it is at one moment; the keyholder may go on running. If the keys are in Vault, the
file holds the rest: back up Vault by its own means.

A backup holds seeds. Destroyed seeds are in backups made before: destroy those, too.

Example:
  carnet-keyholder backup --dir /var/lib/carnet /mnt/safe/kh-2026-11-26.age`
}

func (c *backupCmd) Run(ctx context.Context, s streams) (err error) {
	store, err := c.read(ctx, s) // what can't be opened is not worth keeping
	if err != nil {
		return err
	}
	defer store.Close()
	party, _, err := c.readParty(store)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.Dir, ".backup-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	about := backup.About{Party: party.ID, Created: time.Now().UTC().Truncate(time.Second)}
	if err := c.snapshot(ctx, dir, &about); err != nil {
		return err
	}
	out, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return carnet.E(carnet.Exists, "FILE_EXISTS", "there is already a file at %s", c.File).Fix("choose another name")
	}
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			os.Remove(c.File)
		}
	}()
	w, err := c.encrypt(s, out)
	if err != nil {
		return err
	}
	if err := backup.Write(w, about, dir); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "backup:  %s\nparty:   %s\njournal: %d entries\n", c.File, about.Party, about.Size)
	return nil
}

// snapshot copies everything into dir, the ledger first and the mark last: keys and mark
// that are newer than the ledger make it replay the journal, and nothing is lost by that.
func (c *backupCmd) snapshot(ctx context.Context, dir string, about *backup.About) error {
	if _, err := os.Stat(c.ledger()); err == nil {
		l, err := keyholder.ReadLedger(c.ledger())
		if err != nil {
			return err
		}
		defer l.Close()
		if err := l.Snapshot(ctx, filepath.Join(dir, filepath.Base(c.ledger()))); err != nil {
			return err
		}
		seen, err := verifyLedger(ctx, filepath.Join(dir, filepath.Base(c.ledger())), about.Party)
		if err != nil {
			return err
		}
		about.Size, about.Head = seen.Size, seen.Head
	}
	for _, f := range []string{c.policyState(), c.policyKey(), c.party(), c.nextParty(), c.keystore(), agefile.MarkFile(c.keystore())} {
		b, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c *backupCmd) encrypt(s streams, out io.Writer) (io.WriteCloser, error) {
	if len(c.To) > 0 {
		return agefile.EncryptTo(out, c.To)
	}
	p, err := c.protection(s, false)
	if err != nil {
		return nil, err
	}
	return p.Encrypt(out)
}
