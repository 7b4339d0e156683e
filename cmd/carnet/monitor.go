package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	Also      []string      `help:"Another view of the log, which has to prove that it goes on from this one: HOST:PORT of a gateway, or https://HOST:PORT of a public log. May be repeated." placeholder:"ADDRESS"`
	Proofs    string        `help:"Folder for proofs of two histories [default: that of the state]." placeholder:"DIR" type:"path"`
	Public    string        `help:"Follow only the public part of the log at https://HOST:PORT, without a certificate: histories and signatures, no statements." placeholder:"URL"`
	Registrar string        `help:"With --public: the registrar's public key [default: registrar.pub of --home]." placeholder:"FILE" type:"path"`
	Trust     []string      `help:"With --public: document of the log, such as carnet certificate -o writes, that says whose signatures to expect. A newer one says which keys were replaced. May be repeated." placeholder:"FILE" type:"path"`
	CA        string        `help:"With --public: certificates that the server's is signed by [default: the system's]." placeholder:"FILE" type:"path"`
	Decisions bool          `help:"The gateway decides by rules: a release without its logged decision is a breach."`
	Every     time.Duration `help:"How often the log is read." default:"10s"`
	JSON      bool          `name:"json" help:"Print findings as JSON, one a line; with --once one document."`
}

func (monitorCmd) Help() string {
	return `Reads every entry of the log once and says what breaks a rule: two histories of one log, entries
that vanished or were left out, missing and forged co-signatures, and statements that keyholders
would not give effect to, such as releases that were refused, numbers beyond what a key may open
or a privacy budget can pay for, numbers that tell something about fewer owners than terms demand,
and usage statements with other figures than the log gives. docs/howto/auditor.md lists the rules. It is for auditors,
keyholders and operators, and needs no secret but its certificate.

The state file has what was found and what later entries are judged by, so that the next run goes
on from there, and nothing that was read before can be changed. A damaged one is put aside, and
the log is read anew. Two histories are proved in a file that carnet verify checks.

Anybody can follow the public part of a log, which has hashes only, with --public. Ctrl-C ends it.

Exit codes: 0 no breach was found; 8 one was, now or before; others as for every command.

Example:
  carnet monitor
  carnet monitor --once --json --compare monday.checkpoint
  carnet monitor --public https://gateway.example:7444 --registrar registrar.pub --trust trade.json`
}

// watch is one run of the monitor.
type watch struct {
	*monitorCmd
	a          *app
	m          *monitor.Monitor
	gateway    string
	client     *client.Client
	others     map[string]view
	options    monitor.Options
	found      []monitor.Finding // in this run and before
	fresh      []monitor.Finding
	proofs     []string // files
	savedAt    carnet.Checkpoint
	savedFound int
	restarted  bool // the state was damaged
	breach     bool
}

// view is another view of the log.
type view interface {
	Checkpoint(ctx context.Context) (*evidence.SignedCheckpoint, error)
	// prove returns the root that its log had at an earlier size, zero if it does not say,
	// and the proof of it.
	prove(ctx context.Context, older, newer carnet.Checkpoint) (carnet.Hash, []carnet.Hash, error)
}

func (c *monitorCmd) Run(a *app) error {
	w := &watch{monitorCmd: c, a: a, others: map[string]view{}}
	if c.Public != "" {
		return c.followPublic(a)
	}
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
		if err := w.summary(w.m.Checkpoint()); err != nil {
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
			if o, ok := o.(gatewayView); ok {
				o.Close()
			}
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
		if strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
			w.others[address] = publicView{tileLog(address, tlsConfig)}
			continue
		}
		o, err := client.Dial(address, tlsConfig, registrar)
		if err != nil {
			return done, err
		}
		w.others[address] = gatewayView{o}
	}
	if w.State == "" {
		w.State = a.path("monitor.json")
	}
	if w.Proofs == "" {
		w.Proofs = filepath.Dir(w.State)
	}
	w.options = monitor.Options{Registrar: registrar, Decisions: w.Decisions}
	if _, err := rand.Read(w.options.Seed[:]); err != nil {
		return done, err
	}
	return done, w.resume()
}

// resume goes on from the state file. One that is damaged is put aside: then the log is read
// from the first entry, and nothing is compared with what was seen before.
func (w *watch) resume() error {
	w.m = monitor.New(w.options)
	data, err := os.ReadFile(w.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := monitor.ReadSaved(data)
	if err == nil {
		err = w.m.Resume(s)
	}
	if carnet.ReasonOf(err) == "BAD_MONITOR_STATE" {
		w.m = monitor.New(w.options)
		return w.putAside()
	}
	if err != nil {
		return err
	}
	w.before(s.Findings)
	return nil
}

// before takes the findings of earlier runs over.
func (w *watch) before(list []monitor.Finding) {
	w.found = list
	for i := range list {
		w.breach = w.breach || list[i].Weight == monitor.Breach
	}
}

// putAside keeps a damaged state.
func (w *watch) putAside() error {
	w.restarted = true
	w.a.notef("%s is damaged and was put aside as %s.damaged: the log is read anew from its first entry, and is not compared with what was seen before\n", w.State, filepath.Base(w.State))
	return os.Rename(w.State, w.State+".damaged")
}

// take notes findings, each once; those of earlier runs are not new.
func (w *watch) take(list []monitor.Finding) {
	for _, f := range list {
		k := f.Key()
		w.breach = w.breach || f.Weight == monitor.Breach
		if slices.ContainsFunc(w.found, func(o monitor.Finding) bool { return o.Key() == k }) {
			continue
		}
		w.found, w.fresh = append(w.found, f), append(w.fresh, f)
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
func (w *watch) summary(cp carnet.Checkpoint) error {
	if w.JSON {
		all := w.found
		if all == nil {
			all = []monitor.Finding{}
		}
		return w.a.json(map[string]any{"size": cp.Size, "root": cp.Head, "findings": all, "new": len(w.fresh), "proofs": append([]string{}, w.proofs...), "restarted": w.restarted})
	}
	w.a.printf("%s read, root %s: %s, %d of them new\n", entries(int(cp.Size)), cp.Head, plural(len(w.found), "finding"), len(w.fresh))
	return nil
}

// save writes the state in one step, if anything is new.
func (w *watch) save() error {
	at, found := w.m.Checkpoint(), len(w.found)
	if w.savedFound == found && w.savedAt == at {
		return nil
	}
	s := w.m.Save(time.Now())
	s.Findings = append(s.Findings, w.found...)
	data, err := s.Encode()
	if err != nil {
		return err
	}
	if err := replaceFile(w.State, data); err != nil {
		return err
	}
	w.savedAt, w.savedFound = at, found
	return nil
}

// replaceFile writes a file in one step: after a crash it is the old or the new one, whole.
func replaceFile(name string, data []byte) error {
	tmp := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".new")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}
