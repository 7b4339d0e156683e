package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// records makes up the owners' tables and loads the same rows into SQLite, which no
// part of the network sees.
func (d *demo) records() error {
	var g errgroup.Group
	for i := range d.owners {
		o := &d.owners[i]
		o.csv = filepath.Join(d.home(o.id), "declarations.csv")
		g.Go(func() error {
			_, err := d.carnet(o.id, "sample", "--jurisdiction", o.jurisdiction, "--rows", fmt.Sprint(d.rows), "--seed", fmt.Sprint(d.seed), "-o", o.csv)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	fmt.Printf("%d records of %d owners. The first of %s:\n", d.rows*len(d.owners), len(d.owners), d.owners[0].id)
	head, err := firstLines(d.owners[0].csv, 4)
	if err != nil {
		return err
	}
	fmt.Print(indent(head))
	if d.truth, err = openTruth(d.ctx, filepath.Join(d.dir, "truth.db")); err != nil {
		return err
	}
	for _, o := range d.owners {
		if err := d.truth.load(d.ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func firstLines(file string, n int) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	for len(out) < n && s.Scan() {
		out = append(out, s.Text())
	}
	return strings.Join(out, "\n"), s.Err()
}

// products are the two ways the same rows are published.
var products = []struct{ id, schema, layout, title string }{
	{"trade_cube", "examples/customs/cube.yaml", "cube", "Trade of three countries by chapter, partner and month"},
	{"trade_records", "examples/customs/records.yaml", "records", "Trade of three countries, record by record"},
}

// strictOwner is the jurisdiction that never releases a number of its own.
const strictOwner = "uz-customs"

// publish registers the schemas, deals keys, encrypts and sends.
func (d *demo) publish() error {
	for _, p := range products {
		if _, err := d.carnet(d.owners[0].id, "schema", "register", p.schema); err != nil {
			return err
		}
	}
	for _, o := range d.owners {
		terms := "buyers: [" + buyer + "]\npurposes: [statistics]\nexpires: 2099-12-31\ndeclaration:\n  classes: [none]\n"
		if o.id == strictOwner {
			terms += "min_owners: 2\n"
		}
		if err := os.WriteFile(filepath.Join(d.home(o.id), "terms.yaml"), []byte(terms), 0o600); err != nil {
			return err
		}
	}
	fmt.Printf("Terms of all: buyer %s, purpose statistics. %s adds: no number over fewer than 2 owners.\n\n", buyer, strictOwner)
	for _, p := range products {
		start := time.Now()
		var ids []string
		for _, o := range d.owners {
			out, err := d.publishOne(o, p.id, p.schema, p.layout)
			if err != nil {
				return err
			}
			fmt.Print(indent(out))
			ids = append(ids, o.id+"/"+p.id)
		}
		if _, err := d.carnet(d.owners[0].id, "products", "register", p.id, "--schema", p.schema, "--title", p.title, "--dataset", strings.Join(ids, ",")); err != nil {
			return err
		}
		fmt.Printf("Product %s is in the catalogue after %.1f s.\n\n", p.id, time.Since(start).Seconds())
	}
	out, err := d.carnet(buyer, "products", "search", "trade")
	if err != nil {
		return err
	}
	fmt.Print(indent(out))
	return nil
}

func (d *demo) publishOne(o owner, name, schema, layout string) (string, error) {
	if _, err := d.carnet(o.id, "deal", name, "--plain", "--committee", "corridor", "--schema", schema, "--layout", layout); err != nil {
		return "", err
	}
	args := []string{
		"publish", "--schema", schema, "--layout", layout, "--id", name, "--key", name,
		"--title", o.name, "--terms", filepath.Join(d.home(o.id), "terms.yaml"), o.csv,
	}
	if layout == "records" && o.id == d.owners[0].id {
		if err := d.interrupted(o, args); err != nil {
			return "", err
		}
	}
	return d.carnet(o.id, args...)
}

// interrupted runs a command and kills it, as kill -9 does, once a good part of its
// upload has arrived. The same command then goes on where it stopped.
func (d *demo) interrupted(o owner, args []string) error {
	before, err := stored(d.storageDir())
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(d.ctx, filepath.Join(d.bin, "carnet"), append([]string{"--home", d.home(o.id)}, args...)...)
	cmd.Env = append(os.Environ(), "CARNET_GATEWAY="+d.gateway)
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended does not matter
		close(ended)
	}()
	for {
		select {
		case <-ended: // too quick to be interrupted
			return d.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		now, err := stored(d.storageDir())
		if err == nil && now-before < 40<<20 {
			continue
		}
		_ = cmd.Process.Kill()
		<-ended
		fmt.Printf("    (kill -9 while %s published, after %s; the same command again:)\n", o.id, megabytes(now-before))
		return err
	}
}

// stored is the size of everything below a directory that may be changing.
func stored(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if info, err := e.Info(); err == nil && !e.IsDir() {
			size += info.Size()
		}
		return nil
	})
	return size, err
}
