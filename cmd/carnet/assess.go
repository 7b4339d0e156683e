package main

import (
	"os"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/policy/report"
)

type assessCmd struct {
	Register assessRegisterCmd `cmd:"" help:"Tell what data of an owner in a jurisdiction would need, before it is registered."`
	Publish  assessPublishCmd  `cmd:"" help:"Tell whether a dataset would be kept, before it is encrypted and sent."`
	Query    assessQueryCmd    `cmd:"" help:"Tell by which rules a query would be accepted or refused."`
}

// assessFlags say how an assessment is printed.
type assessFlags struct {
	JSON bool   `name:"json" help:"Print JSON."`
	HTML string `name:"html" help:"Also write a page for printing to this file." placeholder:"FILE" type:"path"`
}

// assessed is an assessment of one thing.
type assessed struct {
	Title   string          `json:"title"`
	Verdict *client.Verdict `json:"verdict"`
}

// report is the assessment for people.
func (x *assessed) report() (report.Assessed, error) {
	out := report.Assessed{Title: x.Title, Allow: x.Verdict.Allow}
	for _, r := range x.Verdict.Refusals {
		out.Refusals = append(out.Refusals, report.Refusal{By: string(r.By), Reason: r.Reason, Message: r.Message, Remedy: r.Remedy})
	}
	for _, d := range x.Verdict.Flows {
		r := &report.Ruled{Flow: policy.Flow(d.Flow), Allow: d.Allow, Bundle: d.Bundle, Name: d.Name, Version: d.Version}
		if err := r.Read(d.Decision); err != nil {
			return out, err
		}
		out.Rules = append(out.Rules, r)
	}
	return out, nil
}

// print prints assessments and returns the refusal, if the last one is one.
func (f *assessFlags) print(a *app, title string, all []assessed) error {
	list := make([]report.Assessed, len(all))
	for i := range all {
		var err error
		if list[i], err = all[i].report(); err != nil {
			return err
		}
	}
	if f.HTML != "" {
		out, err := os.Create(f.HTML)
		if err != nil {
			return err
		}
		if err := report.Page(out, title, list); err != nil {
			out.Close()
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	if f.JSON {
		return a.json(map[string]any{"title": title, "assessments": all})
	}
	var text strings.Builder
	report.Text(&text, list)
	a.printf("%s", text.String())
	return nil
}

type assessRegisterCmd struct {
	assessFlags
	Jurisdiction string `required:"" help:"Where the owner is, ISO 3166-1 alpha-2." placeholder:"CC"`
	Committee    string `required:"" help:"Committee that keys would be dealt to." placeholder:"ID"`
}

func (assessRegisterCmd) Help() string {
	return `Judges an example of every kind of data that an owner can declare: whether it could be kept by
this gateway, and its key dealt to this committee, and what it would need.

Example:
  carnet assess register --jurisdiction KZ --committee corridor --html kz.html`
}

func (c *assessRegisterCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	kinds, err := cl.AssessRegistration(a.ctx, carnet.Jurisdiction(strings.ToUpper(c.Jurisdiction)), c.Committee)
	if err != nil {
		return err
	}
	var all []assessed
	for _, k := range kinds {
		title := report.Kind(nil, 0)
		if d := k.Declaration; d != nil {
			var classes []string
			for _, x := range d.Classes {
				classes = append(classes, string(x))
			}
			title = report.Kind(classes, d.Persons)
		}
		all = append(all, assessed{Title: title, Verdict: k.Verdict})
	}
	if err := c.print(a, "Registration of an owner in "+strings.ToUpper(c.Jurisdiction), all); err != nil {
		return err
	}
	a.notef("%s\n", report.NotAdvice)
	return nil
}

type assessPublishCmd struct {
	assessFlags
	Terms string `required:"" help:"Your conditions and declaration, a YAML file." placeholder:"FILE"`
	Key   string `required:"" help:"Dataset key, as carnet deal named it." placeholder:"NAME"`
	ID    string `name:"id" help:"Name of the dataset." default:"assessed" placeholder:"ID"`
}

func (assessPublishCmd) Help() string {
	return `Publishing asks the same before it sends anything; this needs no table.

Example:
  carnet assess publish --terms terms.yaml --key trade`
}

func (c *assessPublishCmd) Run(a *app) error {
	terms, declared, err := readTerms(c.Terms)
	if err != nil {
		return err
	}
	cl, cfg, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	key, err := a.loadKey(c.Key)
	if err != nil {
		return err
	}
	defer key.Zero()
	name := c.ID
	if !strings.Contains(name, "/") {
		name = string(id.Party()) + "/" + name
	}
	v, err := cl.AssessPublication(a.ctx, &carnet.Dataset{ID: carnet.DatasetID(name), Owner: id.Party(), Jurisdiction: cfg.Party.Jurisdiction,
		Profile: key.Profile, Key: key.Key, Terms: terms, Declaration: declared})
	if err != nil {
		return err
	}
	return c.conclude(a, "dataset "+name, v)
}

type assessQueryCmd struct {
	assessFlags
	sqlFlags
}

func (assessQueryCmd) Help() string {
	return `carnet explain also tells what the query would cost.

Example:
  carnet assess query "SELECT month, SUM(value) FROM trade GROUP BY month"`
}

func (c *assessQueryCmd) Run(a *app) error {
	sql, product, err := c.read(a)
	if err != nil {
		return err
	}
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	v, err := cl.AssessQuery(a.ctx, product, sql, c.Purpose)
	if err != nil {
		return inSQL(sql, err)
	}
	return c.conclude(a, "query for "+c.Purpose, v)
}

// conclude prints one assessment; one that refuses is an error with the exit code of
// refusals.
func (f *assessFlags) conclude(a *app, title string, v *client.Verdict) error {
	if err := f.print(a, title, []assessed{{Title: title, Verdict: v}}); err != nil {
		return err
	}
	a.notef("%s\n", report.NotAdvice)
	if v.Allow {
		return nil
	}
	e := carnet.E(carnet.Refused, v.Refusals[0].Reason, "the %s would be refused", title)
	e.Remedy = v.Refusals[0].Remedy
	return e
}
