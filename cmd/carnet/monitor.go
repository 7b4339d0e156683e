package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/monitor"
)

type monitorCmd struct {
	Once      bool          `help:"Read the log to its present end, report and stop."`
	State     string        `help:"File that keeps how far the log was read [default: monitor.json of --home]." placeholder:"FILE" type:"path"`
	Compare   []string      `help:"Checkpoint that somebody saved, such as a keyholder or another auditor. May be repeated." placeholder:"FILE" type:"path"`
	Also      []string      `help:"Another gateway's replica of the log, asked for its checkpoint. May be repeated." placeholder:"HOST:PORT"`
	Decisions bool          `help:"The gateway decides by rules: a release without its logged decision is a breach."`
	Every     time.Duration `help:"How often the log is read." default:"10s"`
	JSON      bool          `name:"json" help:"Print findings as JSON, one a line; with --once one document."`
}

func (monitorCmd) Help() string {
	return `Reads every entry of the log, from the first one at every start, and says what breaks a rule: two
histories of one log, entries that vanished or were left out, missing and forged co-signatures,
and statements that keyholders would not give effect to, such as releases that were refused or
numbers beyond what a key may open. docs/howto/auditor.md lists the rules. It is for auditors,
keyholders and operators, and needs no secret but its certificate.

The state file makes sure that nothing that was read before is changed later. Ctrl-C ends it.

Exit codes: 0 no breach was found; 8 one was, now or before; others as for every command.

Example:
  carnet monitor
  carnet monitor --once --json --compare monday.checkpoint`
}

// watch is one run of the monitor.
type watch struct {
	*monitorCmd
	a        *app
	m        *monitor.Monitor
	gateway  string
	client   *client.Client
	others   map[string]*client.Client
	reported map[carnet.Hash]bool
	keys     []carnet.Hash // of all findings that were reported
	found    []monitor.Finding
	fresh    []monitor.Finding
	breach   bool
}

func (c *monitorCmd) Run(a *app) error {
	w := &watch{monitorCmd: c, a: a, others: map[string]*client.Client{}, reported: map[carnet.Hash]bool{}}
	done, err := w.prepare()
	if err != nil {
		return err
	}
	defer done()
	for {
		err := w.pass()
		if a.ctx.Err() != nil {
			break // what was read is saved
		}
		if c.Once {
			if err != nil {
				return err
			}
			break
		}
		if err != nil {
			a.notef("the log can't be read now, trying again: %v\n", err)
		}
		select {
		case <-a.ctx.Done():
		case <-time.After(c.Every):
		}
	}
	if c.Once {
		if err := w.summary(); err != nil {
			return err
		}
	}
	if w.breach {
		return errFound
	}
	return nil
}

// prepare connects and reads the state.
func (w *watch) prepare() (func(), error) {
	a := w.a
	cl, cfg, err := a.connect()
	if err != nil {
		return nil, err
	}
	w.client, w.gateway = cl, cfg.Gateway
	done := func() {
		cl.Close()
		for _, o := range w.others {
			o.Close()
		}
	}
	registrar, err := ident.ReadAnchor(a.path(cfg.Registrar))
	if err != nil {
		return done, err
	}
	tlsConfig, err := a.clientTLS(cfg)
	if err != nil {
		return done, err
	}
	for _, address := range w.Also {
		if w.others[address], err = client.Dial(address, tlsConfig, registrar); err != nil {
			delete(w.others, address)
			return done, err
		}
	}
	if w.State == "" {
		w.State = a.path("monitor.json")
	}
	w.m = monitor.New(monitor.Options{Registrar: registrar, Decisions: w.Decisions})
	return done, w.resume()
}

func (w *watch) resume() error {
	data, err := os.ReadFile(w.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := monitor.ReadSaved(data)
	if err != nil {
		return err
	}
	for _, k := range s.Reported {
		w.reported[k] = true
	}
	w.keys = s.Reported
	return w.m.Resume(s)
}

// pass reads what is new, compares what others have, and saves.
func (w *watch) pass() error {
	before := len(w.found)
	cp, err := w.client.Checkpoint(w.a.ctx)
	if err != nil {
		return err
	}
	if cp == nil {
		cp = &evidence.SignedCheckpoint{}
	}
	w.take(w.m.Served(cp.Size, w.gateway))
	if err := w.client.FollowLog(w.a.ctx, w.m.Size(), true, func(e *evidence.Entry, cp *evidence.SignedCheckpoint) error {
		if e != nil {
			w.take(w.m.Entry(e))
		} else {
			w.take(w.m.Noted(cp, w.gateway))
		}
		return nil
	}); err != nil {
		return err
	}
	w.take(w.m.Settle())
	w.compare()
	w.print(w.found[before:])
	return w.save()
}

// compare takes in what others have: saved checkpoints, once, and other gateways.
func (w *watch) compare() {
	for _, file := range w.Compare {
		cp, err := readCheckpoint(file)
		if err != nil {
			w.a.notef("%s: %v\n", file, err)
			continue
		}
		w.take(w.m.Noted(cp, file))
	}
	for _, address := range w.Also {
		cp, err := w.others[address].Checkpoint(w.a.ctx)
		if err != nil {
			w.a.notef("%s can't be asked now: %v\n", address, err)
			continue
		}
		if cp != nil {
			w.take(w.m.Served(cp.Size, address))
			w.take(w.m.Noted(cp, address))
		}
	}
}

// take notes findings, each once in a run; those of earlier runs are not new.
func (w *watch) take(list []monitor.Finding) {
	for _, f := range list {
		k := f.Key()
		w.breach = w.breach || f.Weight == monitor.Breach
		if slices.ContainsFunc(w.found, func(o monitor.Finding) bool { return o.Key() == k }) {
			continue
		}
		w.found = append(w.found, f)
		if !w.reported[k] {
			w.reported[k], w.keys = true, append(w.keys, k)
			w.fresh = append(w.fresh, f)
		}
	}
}

// print shows findings as they come.
func (w *watch) print(list []monitor.Finding) {
	for _, f := range list {
		switch {
		case w.JSON && w.Once: // in the summary
		case w.JSON:
			if line, err := json.Marshal(f); err == nil {
				w.a.printf("%s\n", line)
			}
		default:
			where := "log"
			if f.Entry >= 0 {
				where = fmt.Sprintf("entry %d", f.Entry)
			}
			by := ""
			if f.By != "" {
				by = ", " + string(f.By)
			}
			w.a.printf("%s: %s of %s%s: %s [%s]\n", where, f.Weight, f.Invariant, by, f.Message, f.Reason)
		}
	}
}

// summary ends a run of --once.
func (w *watch) summary() error {
	cp := w.m.Checkpoint()
	if w.JSON {
		all := w.found
		if all == nil {
			all = []monitor.Finding{}
		}
		return w.a.json(map[string]any{"size": cp.Size, "root": cp.Head, "findings": all, "new": len(w.fresh)})
	}
	w.a.printf("%s read, root %s: %s, %d of them new\n", entries(int(cp.Size)), cp.Head, plural(len(w.found), "finding"), len(w.fresh))
	return nil
}

// save writes the state in one step.
func (w *watch) save() error {
	s := w.m.Save()
	s.Reported = append(s.Reported, w.keys...)
	data, err := s.Encode()
	if err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(w.State), "."+filepath.Base(w.State)+".new")
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, w.State)
}
