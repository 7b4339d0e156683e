package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
)

type productsCmd struct {
	Register productsRegisterCmd `cmd:"" help:"Register a product: a union of datasets that buyers query."`
	Search   productsSearchCmd   `cmd:"" help:"Find products by words."`
	Show     productsShowCmd     `cmd:"" help:"Check a product and show what can be asked."`
}

type productsRegisterCmd struct {
	command.Output
	ID          string   `arg:"" help:"Identifier, as used after FROM."`
	Dataset     []string `required:"" help:"Dataset, owner/name. Repeat it, or separate by commas." placeholder:"ID"`
	Title       string   `required:"" help:"Title in the catalogue." placeholder:"TEXT"`
	Description string   `help:"Description in the catalogue." placeholder:"TEXT"`
	Schema      string   `required:"" help:"Schema of all datasets (name@version)." placeholder:"SCHEMA"`
}

func (productsRegisterCmd) Help() string {
	return `The datasets share schema, layout and committee. Registering a product does not change
its owners' terms: they apply to every query.

Example:
  carnet products register trade --title "Trade of three countries" --schema customs-records@1 \
    --dataset kz-customs/trade,uz-customs/trade,cn-customs/trade`
}

func (c *productsRegisterCmd) Run(a *app) error {
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	s, err := a.registered(cl, c.Schema)
	if err != nil {
		return err
	}
	body := carnet.Product{ID: carnet.ProductID(c.ID), Title: c.Title, Description: c.Description, Schema: s.Hash}
	for _, d := range c.Dataset {
		body.Datasets = append(body.Datasets, carnet.DatasetID(d))
	}
	ref, err := cl.RegisterProduct(a.ctx, id, body)
	if err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"product": c.ID, "datasets": body.Datasets, "schema": s.ID(), "schema_statement": s.Hash, "statement": ref.Hash, "entry": ref.Seq},
		"registered product %s of %s; entry %d\n", c.ID, plural(len(c.Dataset), "dataset"), ref.Seq)
}

type productsSearchCmd struct {
	Words []string `arg:"" optional:"" help:"All of them must occur in title, description, columns or jurisdictions."`
	JSON  bool     `name:"json" help:"Print JSON."`
}

func (productsSearchCmd) Help() string {
	return `Examples:
  carnet products search
  carnet products search trade KZ`
}

func (c *productsSearchCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	ps, err := cl.Search(a.ctx, strings.Join(c.Words, " "))
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(ps)
	}
	var rows [][]string
	for _, p := range ps {
		layout := string(p.Layout)
		if p.Retired {
			layout = "retired"
		}
		rows = append(rows, []string{string(p.ID), layout, fmt.Sprint(p.Rows), strings.Join(p.Jurisdictions, ","), p.Schema, p.Title})
	}
	return a.table([]string{"PRODUCT", "LAYOUT", "ROWS", "FROM", "SCHEMA", "TITLE"}, rows)
}

type productsShowCmd struct {
	ID   string `arg:"" help:"Product."`
	JSON bool   `name:"json" help:"Print the product and its manifests as JSON."`
}

func (productsShowCmd) Help() string {
	return `Fetches everything a query relies on and checks every signature and hash, from the
registrar's key on.

Example:
  carnet products show trade`
}

func (c *productsShowCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	p, err := cl.LoadProduct(a.ctx, carnet.ProductID(c.ID))
	if err != nil {
		return err
	}
	if c.JSON {
		datasets := []any{}
		for _, d := range p.Datasets {
			datasets = append(datasets, map[string]any{"hash": d.Hash, "manifest": d.Manifest})
		}
		revoked := append([]carnet.DatasetID{}, p.Revoked...)
		return a.json(map[string]any{"product": p.Statement, "datasets": datasets, "committee": p.Committee, "schema": p.Schema, "revoked": revoked, "retired": append([]carnet.DatasetID{}, p.Retired...)})
	}
	a.printf("%s  %s\n", p.ID, p.Statement.Title)
	if p.Statement.Description != "" {
		a.printf("%s\n", p.Statement.Description)
	}
	a.printf("\n")
	a.printf("published by %s; schema %s; layout %s; profile %s\n", p.Statement.Publisher, p.Schema.ID(), p.Encoding.Layout, p.Profile.Name())
	a.printf("released by any %d of %d keyholders of committee %s\n", p.Committee.Threshold, len(p.Committee.Members), p.Committee.ID)
	a.printf("every signature and hash checked\n\n")
	var rows [][]string
	for _, d := range p.Datasets {
		var n int64
		for _, f := range d.Manifest.Files {
			n += f.Rows
		}
		rows = append(rows, []string{string(d.Manifest.ID), string(d.Manifest.Jurisdiction), fmt.Sprint(n), termsText(&d.Manifest.Terms)})
	}
	for _, id := range p.Revoked {
		rows = append(rows, []string{string(id), "", "", "revoked"})
	}
	for _, id := range p.Retired {
		rows = append(rows, []string{string(id), "", "", "key retired"})
	}
	if err := a.table([]string{"DATASET", "IN", "ROWS", "TERMS"}, rows); err != nil {
		return err
	}
	a.printf("\n")
	if err := a.columns(p.Schema); err != nil {
		return err
	}
	a.printf("owner and jurisdiction can be used like partitions.\n")
	return nil
}

// lastDay is the last day on which terms hold: a day in terms.yaml ends at midnight.
func lastDay(expires time.Time) string { return expires.Add(-time.Second).Format(time.DateOnly) }

// termsText is an owner's terms in a line.
func termsText(t *carnet.Terms) string {
	out := []string{"purposes " + strings.Join(t.Purposes, "/")}
	if t.MinGroup > 1 {
		out = append(out, fmt.Sprintf("never fewer than %d told about, in groups that the manifest lists", t.MinGroup))
	}
	if t.MinOwners > 1 {
		out = append(out, fmt.Sprintf("never fewer than %d owners in one number", t.MinOwners))
	}
	if p := t.Privacy; p != nil {
		out = append(out, fmt.Sprintf("with noise, at most %s of rho a number and %s in all", privacy.Format(p.PerNumber), privacy.Format(p.Budget)))
	}
	if len(t.ProductsWith) > 0 {
		var with []string
		for _, p := range t.ProductsWith {
			with = append(with, string(p))
		}
		out = append(out, "products with "+strings.Join(with, " "))
	}
	if len(t.Aggregates) > 0 {
		out = append(out, "only "+strings.Join(t.Aggregates, " "))
	}
	if text := priceText(t.Price); text != "" {
		out = append(out, text)
	}
	if !t.Expires.IsZero() {
		out = append(out, "until "+lastDay(t.Expires))
	}
	return strings.Join(out, "; ")
}
