package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/schema"
)

type schemaCmd struct {
	Lint      schemaLintCmd      `cmd:"" help:"Check a schema file and tell what it costs."`
	Encodings schemaEncodingsCmd `cmd:"" help:"Compare layouts and encodings, and recommend one."`
	Register  schemaRegisterCmd  `cmd:"" help:"Sign a schema and register it."`
	List      schemaListCmd      `cmd:"" help:"List the registered schemas."`
	Show      schemaShowCmd      `cmd:"" help:"Show a schema's columns."`
}

type schemaLintCmd struct {
	Files []string `arg:"" name:"file" help:"Schema in YAML."`
}

func (schemaLintCmd) Help() string {
	return `Needs no network. Problems are printed as file:line:column with the fix.

Example:
  carnet schema lint examples/customs/records.yaml`
}

func (c *schemaLintCmd) Run(a *app) error {
	for _, file := range c.Files {
		s, err := readSchema(file)
		if err != nil {
			return err
		}
		a.printf("%s: %s is well-formed: %s, %s, %s\n", file, s.ID(),
			plural(len(s.Dimensions), "dimension"), plural(len(s.Measures), "measure"), plural(len(s.Partitions), "partition"))
		for _, l := range s.Layouts {
			enc, err := s.Encode(l)
			if err != nil {
				return err
			}
			a.printf("\n%s\n", strings.TrimRight(enc.Explain(), "\n"))
		}
	}
	return nil
}

func readSchema(file string) (*schema.Schema, error) {
	data, err := readInput("schema", file)
	if err != nil {
		return nil, err
	}
	return schema.Parse(file, data)
}

type schemaRegisterCmd struct {
	command.Output
	File string `arg:"" help:"Schema in YAML."`
}

func (schemaRegisterCmd) Help() string {
	return `A registered schema never changes: raise its version to change it.

Example:
  carnet schema register examples/customs/records.yaml`
}

func (c *schemaRegisterCmd) Run(a *app) error {
	s, err := readSchema(c.File)
	if err != nil {
		return err
	}
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	ref, err := cl.RegisterSchema(a.ctx, id, s)
	if err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"schema": s.ID(), "statement": ref.Hash, "entry": ref.Seq}, "registered schema %s as entry %d\n", s.ID(), ref.Seq)
}

type schemaListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (schemaListCmd) Help() string {
	return `Example:
  carnet schema list`
}

func (c *schemaListCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	ss, err := cl.Schemas(a.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(ss)
	}
	var rows [][]string
	for _, s := range ss {
		var layouts []string
		for _, l := range s.Layouts {
			layouts = append(layouts, string(l))
		}
		rows = append(rows, []string{s.ID(), strings.Join(layouts, ","), fmt.Sprint(len(s.Dimensions)), fmt.Sprint(len(s.Measures)), s.Title})
	}
	return a.table([]string{"SCHEMA", "LAYOUTS", "DIMENSIONS", "MEASURES", "TITLE"}, rows)
}

type schemaShowCmd struct {
	ID   string `arg:"" help:"Registered schema (name@version), or a file."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (schemaShowCmd) Help() string {
	return `Examples:
  carnet schema show customs-records@1
  carnet schema show examples/customs/records.yaml`
}

func (c *schemaShowCmd) Run(a *app) error {
	s, err := a.schema(c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(s)
	}
	a.printf("%s  %s\n", s.ID(), s.Title)
	return a.columns(s)
}

// columns prints what may be used in a query.
func (a *app) columns(s *schema.Schema) error {
	var rows [][]string
	for i := range s.Partitions {
		p := &s.Partitions[i]
		rows = append(rows, []string{p.Name, "partition", strings.Join(p.Values, " "), p.Title})
	}
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		rows = append(rows, []string{d.Name, "dimension", codes(d), d.Title})
	}
	for i := range s.Measures {
		m := &s.Measures[i]
		about := fmt.Sprintf("%s .. %s %s", m.Min, m.Max, m.Unit)
		if m.Nullable {
			about += ", may be NULL"
		}
		if m.Squares {
			about += ", variance"
		}
		if len(m.Products) > 0 {
			about += ", products with " + strings.Join(m.Products, " ")
		}
		rows = append(rows, []string{m.Name, "measure", about, m.Title})
	}
	return a.table([]string{"COLUMN", "KIND", "VALUES", "TITLE"}, rows)
}

// codes lists a few codes of a dimension and counts the rest.
func codes(d *schema.Dimension) string {
	const shown = 8
	var out []string
	for i, c := range d.Codes {
		if i == shown {
			out = append(out, fmt.Sprintf("and %d more", len(d.Codes)-shown))
			break
		}
		out = append(out, c.Value)
	}
	if d.Nullable {
		out = append(out, "or NULL")
	}
	return strings.Join(out, " ")
}

// schema reads a schema from a file if there is one, and from the registry otherwise.
func (a *app) schema(idOrFile string) (*schema.Schema, error) {
	if isFile(idOrFile) {
		return readSchema(idOrFile)
	}
	cl, _, err := a.connect()
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	s, err := cl.SchemaByID(a.ctx, idOrFile)
	if err != nil {
		return nil, err
	}
	return s.Schema, nil
}

// registered is the schema as the registry has it. A file must say the same.
func (a *app) registered(cl *client.Client, idOrFile string) (*client.Schema, error) {
	if !isFile(idOrFile) {
		return cl.SchemaByID(a.ctx, idOrFile)
	}
	local, err := readSchema(idOrFile)
	if err != nil {
		return nil, err
	}
	s, err := cl.SchemaByID(a.ctx, local.ID())
	if err != nil {
		return nil, err
	}
	if s.Schema.Hash() != local.Hash() {
		return nil, carnet.E(carnet.Precondition, "SCHEMA_DIFFERS", "%s is not what is registered as %s", idOrFile, local.ID()).
			Fix("use the registered one (--schema %s), or raise the version and register it", local.ID())
	}
	return s, nil
}

// isFile tells a file from a name in the registry, which has no slash and ends with a
// version.
func isFile(name string) bool {
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" || strings.ContainsRune(name, filepath.Separator) {
		return true
	}
	st, err := os.Stat(name)
	return err == nil && !st.IsDir()
}
