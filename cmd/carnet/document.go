package main

import (
	"encoding/json"
	"os"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/verify"
)

// signed is what a document is made of.
type signed struct {
	kind      string
	statement *evidence.Envelope
	entry     int64              // of the statement; -1: it is not logged
	says      json.RawMessage    // a sheet; nil: the statement says it
	at        *carnet.Checkpoint // state that it names
}

// document makes the document with its proof, checks it, and writes it if a file is
// wanted. It is nil if nothing is asked for that has the proof in it.
func (f *paperFlags) document(a *app, cl *client.Client, s *signed) (*bundle.Document, error) {
	if f.Out == "" && f.HTML == "" && (!f.JSON || s.says != nil) {
		return nil, nil
	}
	logged := carnet.Hash{}
	if s.entry >= 0 {
		logged = s.statement.Hash()
	}
	b, err := cl.Proof(a.ctx, logged, s.at, f.Wait)
	if err != nil {
		return nil, err
	}
	d := bundle.NewDocument(s.kind, s.statement, s.entry, s.says, b)
	data, err := d.Encode()
	if err != nil {
		return nil, err
	}
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	registrar, err := ident.ReadAnchor(a.path(cfg.Registrar))
	if err != nil {
		return nil, err
	}
	r, err := verify.Document(a.ctx, data, verify.Options{Registrar: registrar})
	if err != nil {
		return nil, err
	}
	if bad := r.Failures(); len(bad) > 0 {
		return nil, carnet.E(carnet.Precondition, "DOCUMENT_DIFFERS", "what the gateway sent does not hold: %s: %s [%s]", bad[0].Part, bad[0].Message, bad[0].Reason).
			Fix("tell the operator; do not use the document")
	}
	if f.Out == "" {
		return d, nil
	}
	return d, os.WriteFile(f.Out, data, 0o644)
}

// sheet makes the document of a sheet. A gateway whose operator is not registered signs
// none, so that there is nothing to write.
func (f *paperFlags) sheet(a *app, cl *client.Client, kind string, sheet any, statement *evidence.Envelope, at carnet.Checkpoint) (*bundle.Document, error) {
	if statement == nil {
		if f.Out == "" {
			return nil, nil
		}
		return nil, carnet.E(carnet.Precondition, "OPERATOR_UNREGISTERED", "the gateway signed no %s, because nobody could check its signature", kind).
			Fix("its operator runs carnet init --role operator, has the registrar register it, and starts carnet-gateway with --identity")
	}
	says, err := json.Marshal(sheet)
	if err != nil {
		return nil, err
	}
	return f.document(a, cl, &signed{kind, statement, -1, says, &at})
}
