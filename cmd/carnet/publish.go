package main

import (
	"path/filepath"
	"strings"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
)

type publishCmd struct {
	Inputs  []string `arg:"" name:"file" help:"Table in CSV or Parquet; several files are one table."`
	Schema  string   `required:"" help:"Schema of the table; a file or name@version." placeholder:"SCHEMA"`
	Layout  string   `help:"Layout: cube or records." default:"records" enum:"cube,records"`
	ID      string   `name:"id" help:"Name of the dataset: name, or owner/name." placeholder:"ID"`
	Title   string   `help:"Title of the dataset." placeholder:"TEXT"`
	Key     string   `help:"Dataset key, as carnet deal named it." placeholder:"NAME"`
	Terms   string   `help:"Your conditions, a YAML file." placeholder:"FILE"`
	Append  bool     `help:"Add the table's partitions to the published dataset; its files and terms stay as they are."`
	DryRun  bool     `help:"Check the table and tell what would be sent, and which groups of codes the terms leave, without sending anything."`
	JSON    bool     `name:"json" help:"Print JSON."`
	Earlier []string `sep:"none" help:"A table that was published under this name before, oldest first; several files of one are separated by commas. Needed with min_group." placeholder:"FILE"`
	Told    bool     `name:"changes-told" help:"With min_group: what this table changes of those before it may be told; they are not compared."`
	Restart bool     `help:"Forget an earlier upload of this dataset and encrypt under fresh nonces; if it was published, this table takes its place."`
}

func (publishCmd) Help() string {
	return `Encrypts the table on this machine and sends ciphertext only. The command can be stopped
at any time, also by a crash, and repeated with the same arguments: it goes on where it
stopped. A changed table is refused then, since two tables under one nonce would reveal
their difference; --restart begins anew.

With --append the partitions of the table (a new year, say) are added to a dataset that is
published: what is there is neither encrypted nor sent again, and --terms can be left out.

The terms file, all of it signed with the dataset:
  buyers: ["*"]            # or party identifiers
  purposes: [statistics]   # words that a query has to name, or ["*"]
  expires: 2027-12-31
  min_owners: 2            # optional: no number over fewer owners than this, nor a combination of numbers
  min_group: 10            # optional: nor one that tells fewer than this apart; codes are grouped for it
  max_share: 80            # optional: nor a group in which one has more than 80 % of a measure
  approval: owner          # optional: every query waits for your approval
  aggregates: [count, sum] # optional: nothing else
  group_by: [month]        # optional: no grouping by other dimensions
  filters: [month]         # optional: no conditions on other dimensions
  jurisdictions: [KZ, UZ]  # optional: no buyers from elsewhere
  privacy:                 # optional: numbers with noise only; docs/howto/owner.md says how to choose
    budget: 1              # rho that all released numbers may cost together, for all buyers and for ever
    per_number: 0.01       # rho that one number may cost, all groups of a query together
    rows_per_unit: 1       # rows about one person or firm at most
  declaration:             # what laws want to know; policies refuse data that says nothing
    classes: [none]        # neither personal nor important data; docs/howto/owner.md has more
  price:                   # optional: what a buyer owes; docs/howto/owner.md has more
    currency: KZT
    query: 100             # for each query that is answered
  products_with: [mfa]     # optional: owners whose numbers may be multiplied with these, if they list you, too

With min_group the table is counted before it is sent: codes that are too rare are grouped with
their neighbours in the order of the schema until every combination of groups has nobody, or as
many persons or firms (the schema's unit, or rows) as asked for. The groups are part of what is signed, and
every released number has to keep them whole. Dimensions that the terms name first under group_by
and filters are kept finest. --dry-run shows what can be asked afterwards.

A table under min_group that takes the place of another one (--restart) is compared with all that were
published under its name, since their totals can be subtracted: in every group the rows that are new, left
out or stay are of nobody, or of as many as asked for. Give the earlier tables with --earlier.

Examples:
  carnet publish --dry-run --schema examples/customs/records.yaml declarations.csv
  carnet publish --schema customs-records@1 --layout records --id trade --key trade \
    --terms terms.yaml declarations.csv
  carnet publish --append --schema customs-records@1 --layout records --id trade --key trade 2026.csv`
}

// missing lists the flags without which nothing can be published.
func (c *publishCmd) missing() (flags []string) {
	if c.ID == "" {
		flags = append(flags, "--id")
	}
	if c.Key == "" {
		flags = append(flags, "--key")
	}
	if c.Terms == "" && !c.Append {
		flags = append(flags, "--terms")
	}
	return flags
}

func (c *publishCmd) Run(a *app) error {
	if c.DryRun {
		return c.dryRun(a)
	}
	if missing := c.missing(); len(missing) > 0 {
		return usage("to publish give %s, too", strings.Join(missing, ", ")).Fix("or pass --dry-run to check the table only")
	}
	cl, cfg, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	var terms carnet.Terms // with --append those of the dataset, unless they are given
	var declared *carnet.Declaration
	if c.Terms != "" {
		if terms, declared, err = readTerms(c.Terms); err != nil {
			return err
		}
	}
	s, err := a.registered(cl, c.Schema)
	if err != nil {
		return err
	}
	key, err := a.loadKey(c.Key)
	if err != nil {
		return err
	}
	defer key.Zero()
	if c.Terms != "" {
		if err := fitTerms(c.Terms, &terms, s.Schema); err != nil {
			return err
		}
	}
	if err := a.noteStrangers(cl, &terms); err != nil {
		return err
	}
	var census *cells.Census
	if terms.MinGroup > 1 || c.Append { // what is added is grouped as the terms of the dataset say
		census = cells.NewCensus(s.Schema, terms.MaxShare > 0 || c.Append)
	}
	if len(c.Earlier) > 0 && census != nil {
		census.Remember()
	}
	t, err := a.loadTable(s.Schema, carnet.Layout(c.Layout), c.Inputs, census)
	if err != nil {
		return err
	}
	if err := t.Refused(); err != nil {
		return err
	}
	earlier, err := c.earlier(a, s.Schema)
	if err != nil {
		return err
	}
	name := c.ID
	if !strings.Contains(name, "/") {
		name = string(id.Party()) + "/" + name
	}
	p := &client.Publication{
		ID: carnet.DatasetID(name), Jurisdiction: cfg.Party.Jurisdiction, Title: c.Title, Schema: s.Hash,
		Tables: t.Tables, Encoding: t.encoding, Key: key, Terms: terms, Declaration: declared, Append: c.Append, Restart: c.Restart, Census: census, Earlier: earlier, ChangesTold: c.Told,
		StateFile: a.path(filepath.Join("uploads", strings.ReplaceAll(name, "/", "_")+".json")),
	}
	done := a.progressBar(p)
	out, err := cl.Publish(a.ctx, id, p)
	done()
	if err != nil {
		if a.ctx.Err() != nil {
			a.notef("the same command goes on where this one stopped\n")
		}
		return err
	}
	if c.JSON {
		return a.json(map[string]any{"dataset": out.Manifest.ID, "entry": out.Seq, "manifest": out.Hash, "groups": out.Manifest.Groups, "loss": out.Loss})
	}
	t.clipping(a)
	printLoss(a, out.Loss)
	what, files := "published", len(t.Tables.Builders())
	if c.Append {
		what = "added to"
	}
	a.printf("%s %s: %d rows in %s, %s of ciphertext (%.1f bytes a value); entry %d\n", what, out.Manifest.ID, t.Tables.Rows(),
		plural(files, "file"), size(out.Bytes), float64(out.Bytes)/float64(out.Values), out.Seq)
	if out.Resumed {
		a.printf("resumed: %s had arrived before\n", size(out.Had))
	}
	if s := out.Elapsed.Seconds(); s > 0 && out.Sent > 0 {
		a.printf("encrypted and sent %s in %.1f s (%s/s)\n", size(out.Sent), s, size(int64(float64(out.Sent)/s)))
	}
	return nil
}

// earlier loads the tables that were published before.
func (c *publishCmd) earlier(a *app, s *schema.Schema) (out []client.Earlier, err error) {
	for _, files := range c.Earlier {
		census := cells.NewCensus(s, true)
		census.Remember()
		t, err := a.loadTable(s, carnet.Layout(c.Layout), strings.Split(files, ","), census)
		if err != nil {
			return nil, err
		}
		if err := t.Refused(); err != nil {
			return nil, err
		}
		out = append(out, client.Earlier{Tables: t.Tables, Census: census})
	}
	return out, nil
}

// dryRun checks a table against its schema and tells what publishing would send. With
// a schema file it needs no network.
func (c *publishCmd) dryRun(a *app) error {
	s, err := a.schema(c.Schema)
	if err != nil {
		return err
	}
	var terms carnet.Terms
	if c.Terms != "" {
		if terms, _, err = readTerms(c.Terms); err != nil {
			return err
		}
		if err := fitTerms(c.Terms, &terms, s); err != nil {
			return err
		}
	}
	var census *cells.Census
	if terms.MinGroup > 1 {
		census = cells.NewCensus(s, terms.MaxShare > 0)
	}
	t, err := a.loadTable(s, carnet.Layout(c.Layout), c.Inputs, census)
	if err != nil {
		return err
	}
	if !c.JSON {
		t.report(a)
	}
	if err := t.Refused(); err != nil {
		return err
	}
	var loss *cells.Loss
	var groups []carnet.Groups
	if census != nil {
		g, l, err := census.Groups(cells.Rule{MinGroup: terms.MinGroup, MaxShare: terms.MaxShare}, cells.Order(&terms, s), nil)
		if err != nil {
			return err
		}
		loss, groups = l, []carnet.Groups{g.Groups(s, len(t.Tables.Builders()))}
	}
	if c.JSON {
		return a.json(map[string]any{"rows": t.Tables.Rows(), "files": len(t.Tables.Builders()), "groups": groups, "loss": loss})
	}
	printLoss(a, loss)
	return nil
}

// report prints rows, files, bytes and clipping.
func (t *table) report(a *app) {
	enc := t.encoding
	a.printf("schema %s, layout %s, profile %s: %d columns\n", enc.Schema().ID(), enc.Layout, enc.Profile, len(enc.Columns))
	profile, err := he.Lookup(enc.Profile)
	if err != nil {
		return
	}
	var blocks int64
	builders := t.Tables.Builders()
	for _, b := range builders {
		n := int64(b.Blocks()) * int64(len(enc.Columns))
		blocks += n
		if p := b.Partition(); len(p) > 0 {
			a.printf("  %s: %d rows, %d blocks\n", partitionText(p), b.Rows(), n)
		}
	}
	a.printf("rows read: %d, accepted: %d, refused: %d\n", t.Read, t.Tables.Rows(), t.Bad)
	a.printf("would send: %s, %d blocks, %s\n", plural(len(builders), "file"), blocks, size(blocks*packedBlock(profile)))
	t.clipping(a)
	if len(t.Unused) > 0 {
		a.printf("not published: %s (no column of the schema)\n", strings.Join(t.Unused, ", "))
	}
}

// packedBlock is the number of bytes in which a block travels.
func packedBlock(p *he.Profile) int64 { return int64(p.Limbs()*p.N()) * int64(p.LimbBits()) / 8 }

// progressBar draws the upload on a terminal. The returned function ends it.
func (a *app) progressBar(p *client.Publication) func() {
	progress, end := command.Bar(a.err, "encrypting and sending", command.Bytes)
	if progress == nil {
		return end
	}
	block := int64(1)
	if profile, err := he.Lookup(p.Encoding.Profile); err == nil {
		block = packedBlock(profile)
	}
	p.Progress = func(now client.Progress) { progress(now.Blocks*block, now.Total*block) }
	return end
}
