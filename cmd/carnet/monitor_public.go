package main

import (
	"cmp"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/monitor"
	"github.com/carnet-network/carnet/pkg/tilelog"
	"github.com/carnet-network/carnet/pkg/verify"
)

// followPublic follows the public part of a log.
func (c *monitorCmd) followPublic(a *app) error {
	registrar, err := (&verifyCmd{Registrar: c.Registrar}).registrar(a)
	if err != nil {
		return err
	}
	known, err := c.trusted(a, registrar)
	if err != nil {
		return err
	}
	log, err := c.publicLog()
	if err != nil {
		return err
	}
	if c.State == "" {
		c.State = a.path("monitor-public.json")
	}
	w := &watch{monitorCmd: c, a: a}
	if w.Proofs == "" {
		w.Proofs = a.path("")
	}
	p, err := w.resumePublic(registrar, known)
	if err != nil {
		return err
	}
	for {
		err := w.passPublic(p, log)
		if a.ctx.Err() != nil {
			break
		}
		switch {
		case c.Once && err != nil:
			return err
		case err != nil:
			a.notef("the log can't be read now, trying again: %v\n", err)
		}
		if c.Once {
			break
		}
		select {
		case <-a.ctx.Done():
		case <-time.After(c.Every):
		}
	}
	if cp := p.Newest(); c.Once && cp != nil {
		if err := w.summary(cp.Checkpoint); err != nil {
			return err
		}
		if by := p.Cosigned(); len(by) > 0 && !c.JSON {
			a.printf("co-signed by a quorum of %s\n", text(by))
		}
	}
	if w.breach {
		return errFound
	}
	return nil
}

// trusted are the entries of documents that hold, in the order of the log.
func (c *monitorCmd) trusted(a *app, registrar ed25519.PublicKey) ([]*evidence.Entry, error) {
	if len(c.Trust) == 0 {
		a.notef("without --trust signatures are not judged, only that the log grows\n")
		return nil, nil
	}
	all := map[int64]*evidence.Entry{}
	for _, file := range c.Trust {
		entries, err := trustedFile(a, file, registrar)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if o := all[e.Seq]; o != nil && o.Leaf() != e.Leaf() {
				return nil, carnet.E(carnet.Invalid, "DOCUMENT_DIFFERS", "%s has another entry %d than another document given with --trust: two histories were shown", file, e.Seq).
					Fix("keep both documents, and ask the keyholders and the registrar")
			}
			all[e.Seq] = e
		}
	}
	return slices.SortedFunc(maps.Values(all), func(x, y *evidence.Entry) int { return cmp.Compare(x.Seq, y.Seq) }), nil
}

func trustedFile(a *app, file string, registrar ed25519.PublicKey) (out []*evidence.Entry, err error) {
	data, err := readLimited(file, bundle.MaxBytes)
	if err != nil {
		return nil, err
	}
	r, err := verify.Document(a.ctx, data, verify.Options{Registrar: registrar})
	if err != nil {
		return nil, err
	}
	if bad := r.Failures(); len(bad) > 0 {
		return nil, carnet.E(carnet.Invalid, "DOCUMENT_DIFFERS", "%s does not hold: %s", file, bad[0].Message).Fix("carnet verify says more")
	}
	d, err := bundle.DecodeDocument(data)
	if err != nil {
		return nil, err
	}
	for i := range d.Proof.Entries {
		e := &d.Proof.Entries[i]
		out = append(out, &evidence.Entry{Seq: e.Entry, Salt: e.Salt, Envelope: e.Statement})
	}
	return out, nil
}

func (c *monitorCmd) publicLog() (*tilelog.Log, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := readInput("certificates", c.CA)
		if err != nil {
			return nil, err
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usage("%s has no certificates", c.CA)
		}
	}
	return tileLog(c.Public, t), nil
}

func (w *watch) resumePublic(registrar ed25519.PublicKey, known []*evidence.Entry) (*monitor.Public, error) {
	p, err := monitor.NewPublic(monitor.Options{Registrar: registrar}, known)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(w.State)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := monitor.ReadPublic(data)
	if err == nil {
		err = p.Resume(s, w.Public)
	}
	if carnet.ReasonOf(err) == "BAD_MONITOR_STATE" {
		return p, w.putAside()
	}
	if err != nil {
		return nil, err
	}
	w.before(s.Findings)
	return p, nil
}

// passPublic reads what the log shows now.
func (w *watch) passPublic(p *monitor.Public, log *tilelog.Log) error {
	before := len(w.found)
	cp, err := log.Checkpoint(w.a.ctx)
	if err != nil {
		return err
	}
	var root carnet.Hash
	var path []carnet.Hash
	if old := p.Newest(); old != nil && cp.Size >= old.Size && old.Size > 0 {
		if root, path, err = log.Consistency(w.a.ctx, old.Size, cp.Checkpoint); err != nil {
			return err
		}
	}
	w.take(p.Noted(cp, root, path, w.Public))
	w.print(w.found[before:])
	if err := w.prove(p.Splits()); err != nil {
		return err
	}
	s := p.Save()
	s.Findings = append(s.Findings, w.found...)
	data, err := s.Encode()
	if err != nil {
		return err
	}
	return replaceFile(w.State, data)
}
