package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/carnet-network/carnet/pkg/keyholder"
)

// ownKeys tells how old the keys are, and whether others are to replace them.
func (c *statusCmd) ownKeys(w io.Writer, o *keyholder.OwnKeys) {
	next, err := os.Stat(c.nextParty())
	switch {
	case o == nil:
	case o.Revoked:
		fmt.Fprintf(w, "REVOKED\tby the registrar: nothing that this keyholder signs counts any more\n")
	default:
		fmt.Fprintf(w, "signing key\t%s, since %s (%d days)\n", o.Signing, o.SigningSince.UTC().Format(time.DateOnly), days(o.SigningSince))
		fmt.Fprintf(w, "sealing key\tsince %s (%d days)\n", o.SealingSince.UTC().Format(time.DateOnly), days(o.SealingSince))
	}
	if o != nil && o.OldSealing > 0 {
		fmt.Fprintf(w, "old keys\t%d replaced sealing keys open what is pending, and are then destroyed\n", o.OldSealing)
	}
	if err == nil {
		fmt.Fprintf(w, "rotation\tprepared on %s: %s\n", next.ModTime().UTC().Format(time.DateOnly), c.nextParty())
	}
}

func days(since time.Time) int { return int(time.Since(since).Hours() / 24) }
