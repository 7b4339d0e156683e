package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func (d *demo) checkpoint() string { return filepath.Join(d.dir, "before.checkpoint") }

// keepCheckpoint saves the state of the log before anything is asked.
func (d *demo) keepCheckpoint() error {
	_, err := d.carnet(buyer, "evidence", "checkpoint", "-o", d.checkpoint())
	return err
}

// evidence exports a bundle of every query that was answered and verifies it: offline, with
// the registrar's key, the checkpoint from before and a copy of the ciphertext. Then the
// whole log is read.
func (d *demo) evidence() error {
	out, err := d.carnet(buyer, "queries", "--json")
	if err != nil {
		return err
	}
	var queries []struct{ ID, State string }
	if err := json.Unmarshal([]byte(out), &queries); err != nil {
		return err
	}
	n, bytes, began, shown := 0, int64(0), time.Now(), ""
	for _, q := range queries {
		if q.State != "ready" {
			continue
		}
		file := filepath.Join(d.dir, q.ID[:12]+".carnet")
		if _, err := d.carnet(buyer, "evidence", "export", q.ID, "-o", file, "--since", d.checkpoint()); err != nil {
			return err
		}
		report, err := d.carnet(buyer, "verify", file, "--registrar", d.anchor(), "--pin", d.checkpoint(),
			"--recompute", "--data", d.storageDir(), "--strict")
		if err != nil {
			return fmt.Errorf("the bundle of query %s: %w\n%s", q.ID, err, report)
		}
		if c := claims(report); strings.Count(c, "[x]") > strings.Count(shown, "[x]") {
			shown = c // of the query that has most to check
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		n, bytes = n+1, bytes+info.Size()
	}
	if n == 0 {
		return errors.New("no query was answered")
	}
	fmt.Print(indent(shown))
	fmt.Printf("\n%d bundles of %s together were exported, verified and executed again bit for bit in %.0f s.\n", n, megabytes(bytes), time.Since(began).Seconds())
	found, err := d.carnet(operator, "monitor", "--once", "--compare", d.checkpoint())
	if err != nil {
		return fmt.Errorf("%w\n%s", err, found)
	}
	fmt.Printf("The monitor: %s", found)
	return nil
}

// claims are the lines of a report that say what was checked.
func claims(report string) string {
	var out []string
	for line := range strings.Lines(report) {
		if strings.HasPrefix(line, "[") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}
