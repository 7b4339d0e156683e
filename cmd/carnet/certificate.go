package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// paperFlags say how a document is printed.
type paperFlags struct {
	JSON bool          `name:"json" help:"Print JSON."`
	HTML string        `name:"html" help:"Also write a page for printing, with a QR code of the digest and the checkpoint, to this file." placeholder:"FILE" type:"path"`
	Out  string        `short:"o" help:"Write the signed document with its proof to this file, which carnet verify checks offline." placeholder:"FILE" type:"path"`
	Wait time.Duration `help:"How long to wait until keyholders have co-signed the log with it." default:"20s"`
}

// print prints a document: JSON, or the facts and tables of its page as text.
func (f *paperFlags) print(a *app, value any, p *paper) error {
	if f.HTML != "" {
		if err := p.write(f.HTML); err != nil {
			return err
		}
	}
	if f.JSON {
		return a.json(value)
	}
	a.printf("%s\n%s\n\n", p.Title, p.Lead)
	var rows [][]string
	for _, x := range p.Facts {
		rows = append(rows, []string{x[0] + ":", x[1]})
	}
	if err := a.plainTable(rows); err != nil {
		return err
	}
	for _, t := range p.Tables {
		a.printf("\n%s\n", t.Title)
		if err := a.table(t.Head, t.Rows); err != nil {
			return err
		}
	}
	for _, n := range p.Notes {
		a.notef("%s\n", n)
	}
	a.printf("\nSHA-256 of %s: %s\n", p.Of, p.Digest)
	return nil
}

type certificateCmd struct {
	paperFlags
	ID string `arg:"" help:"Dataset (owner/name) or product."`
}

func (certificateCmd) Help() string {
	return `The gateway's operator certifies what is registered: by whom, when, which schema, how large, under
which terms, and the digests of all ciphertext. The certificate is an entry of the log; asking
again gives the same one. It repeats the statement that the owner signed, which is the proof. With -o
that statement and all that proves both are in the file: carnet verify checks it offline.

Examples:
  carnet certificate kz-customs/trade --html trade.html -o trade.json
  carnet certificate trade --json`
}

func (c *certificateCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	certify := func() (*evidence.Envelope, *carnet.Certificate, client.Ref, error) {
		if strings.Contains(c.ID, "/") {
			return cl.CertifyDataset(a.ctx, carnet.DatasetID(c.ID))
		}
		return cl.CertifyProduct(a.ctx, carnet.ProductID(c.ID))
	}
	env, body, ref, err := certify()
	if err != nil {
		return err
	}
	p := &paper{Title: "Certificate of registration", Digest: env.Hash(), Of: "the statement (DSSE)",
		Lead: fmt.Sprintf("%s certifies that the %s %s is registered, as entry %d of the log says.", body.Operator, body.Kind, body.Subject, body.Entry),
		Facts: [][2]string{
			{"Subject", body.Subject}, {"Kind", body.Kind}, {"Title", body.Title}, {"By", string(body.By)}, {"Registered", body.Registered.Format(time.RFC3339)},
			{"Schema", body.SchemaID + ", " + body.Schema.String()}, {"Rows", fmt.Sprint(body.Rows)}, {"Files", fmt.Sprint(body.Files)},
			{"Ciphertext", size(body.Bytes)}, {"Statement", body.Statement.String()}, {"Entry of it", fmt.Sprint(body.Entry)}, {"Entry of this certificate", fmt.Sprint(ref.Seq)},
		}}
	if body.Jurisdiction != "" {
		p.Facts = append(p.Facts, [2]string{"Jurisdiction", string(body.Jurisdiction)}, [2]string{"Layout", string(body.Layout)})
	}
	if body.Terms != nil {
		p.Facts = append(p.Facts, [2]string{"Buyers", identifiers(body.Terms.Buyers)}, [2]string{"Terms", termsText(body.Terms)})
	}
	if len(body.Datasets) > 0 {
		p.Facts = append(p.Facts, [2]string{"Datasets", identifiers(body.Datasets)})
	}
	var roots [][]string
	for i, r := range body.Roots {
		roots = append(roots, []string{fmt.Sprint(i + 1), r.String()})
	}
	if len(roots) > 0 {
		p.Tables = []paperTable{{"Digests of the ciphertext", []string{"FILE", "ROOT"}, roots}}
	}
	d, err := c.document(a, cl, &signed{kind: bundle.Certificate, statement: env, entry: ref.Seq})
	if err != nil {
		return err
	}
	return c.print(a, d, p.provedBy(d))
}

// identifiers lists them in a line.
func identifiers[T ~string](ids []T) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return strings.Join(out, ", ")
}
