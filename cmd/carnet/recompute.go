package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/meter"
)

type recomputeCmd struct {
	File string `arg:"" help:"What carnet usage, settle or value wrote with -o or printed with --json." type:"path"`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (recomputeCmd) Help() string {
	return `Reads the log up to the state that the document names, checks that it is that state, works the
document out again and compares. Of a usage statement the operator's signature is checked, too. It needs a party that may read the log: an auditor, a keyholder
or an operator. The exit code is 5 if something differs.

Example:
  carnet settle 2026-11 --all --json > 2026-11.json && carnet recompute 2026-11.json`
}

// claim is a document that was worked out from the log: what it says, at which state of
// the log, and how to work it out again.
type claim struct {
	what  string
	says  any
	at    carnet.Checkpoint
	again func(b *meter.Book) (any, error)
}

func (c *recomputeCmd) Run(a *app) error {
	data, err := readInput("document", c.File)
	if err != nil {
		return err
	}
	cl, cfg, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	registrar, err := ident.ReadAnchor(a.path(cfg.Registrar))
	if err != nil {
		return err
	}
	doc, err := readClaim(c.File, data)
	if err != nil {
		return err
	}
	book := meter.NewBook(registrar)
	at, err := cl.ReadLog(a.ctx, doc.at.Size, func(e *evidence.Entry) error { return book.Add(e.Seq, e.Envelope) })
	if err != nil {
		return err
	}
	if at != doc.at {
		return carnet.E(carnet.Precondition, "RECOMPUTED_DIFFERS", "the log has another state at %d entries than %s names", doc.at.Size, c.File).
			Fix("compare checkpoints with the keyholders: the document or this gateway's log is of another history")
	}
	again, err := doc.again(book)
	if err != nil {
		return err
	}
	said, err := json.Marshal(doc.says)
	if err != nil {
		return err
	}
	worked, err := json.Marshal(again)
	if err != nil {
		return err
	}
	same := bytes.Equal(said, worked)
	if c.JSON {
		if err := a.json(map[string]any{"document": doc.what, "size": at.Size, "head": at.Head, "same": same, "recomputed": json.RawMessage(worked)}); err != nil {
			return err
		}
	}
	if !same {
		return carnet.E(carnet.Precondition, "RECOMPUTED_DIFFERS", "%s says something else than the log", c.File).
			Fix("carnet recompute --json prints what the log gives")
	}
	if !c.JSON {
		a.printf("%s: the same from the log, %d entries, root %s\n", doc.what, at.Size, at.Head)
	}
	return nil
}

// readClaim reads one of the documents. Each has fields that the others have not.
func readClaim(file string, data []byte) (*claim, error) {
	var kept bundle.Document
	if bundle.IsDocument(data) && json.Unmarshal(data, &kept) == nil && kept.Kind != bundle.Usage {
		data = kept.Says // what signed figures are of; carnet verify checks the signature
	}
	strict := func(into any) error {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		return d.Decode(into)
	}
	var s meter.Settlement
	if strict(&s) == nil && s.Month != "" {
		return &claim{"settlement of " + string(s.Month), &s, carnet.Checkpoint{Size: s.Size, Head: s.Head}, func(b *meter.Book) (any, error) {
			again, err := meter.Settle(s.Month, b.Lines())
			if err != nil {
				return nil, err
			}
			again.Size, again.Head = s.Size, s.Head
			if s.Party != "" {
				return again.For(s.Party)
			}
			return again, nil
		}}, nil
	}
	var v meter.Valuation
	if strict(&v) == nil && v.Dataset != "" {
		return &claim{"valuation of " + string(v.Dataset), &v, carnet.Checkpoint{Size: v.Size, Head: v.Head}, func(b *meter.Book) (any, error) {
			again, err := b.Value(v.Dataset, v.Until, v.Assumptions)
			if err == nil {
				again.Size, again.Head = v.Size, v.Head
			}
			return again, err
		}}, nil
	}
	var u carnet.Usage
	if kept.Statement != nil && kept.Statement.Decode(carnet.TypeUsage, &u) == nil {
		return &claim{fmt.Sprintf("usage of %s", u.Dataset), &u, carnet.Checkpoint{Size: u.Size, Head: u.Head}, func(b *meter.Book) (any, error) {
			if !b.Signed(kept.Statement, u.Operator) {
				return nil, carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "%s is not signed by %q, or that is no operator", file, u.Operator).
					Fix("have the usage certified with carnet usage")
			}
			again, err := b.Usage(u.Dataset, u.From, u.Until)
			if err == nil {
				again.Owner, again.Operator, again.Size, again.Head, again.Created = b.Owner(u.Dataset), u.Operator, u.Size, u.Head, u.Created
			}
			return again, err
		}}, nil
	}
	return nil, carnet.E(carnet.Invalid, "BAD_DOCUMENT", "%s is no settlement, valuation or usage statement", file).
		Fix("give what carnet settle, value or usage wrote with -o or printed with --json")
}
