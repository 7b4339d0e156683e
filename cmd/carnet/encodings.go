package main

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/carnet-network/carnet/pkg/advise"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/share"
)

type schemaEncodingsCmd struct {
	File      string   `arg:"" help:"Schema in YAML."`
	SQL       []string `name:"sql" sep:"none" help:"Question to compare by, FROM t; repeat for several. Without it, typical ones." placeholder:"QUERY"`
	Keyholder int      `name:"keyholders" default:"5" help:"Members of the committee that releases are counted for."`
	Threshold int      `name:"threshold" default:"3" help:"Its threshold."`
	JSON      bool     `name:"json" help:"Print JSON."`
}

func (schemaEncodingsCmd) Help() string {
	return `Compares layouts, degrees and encodings of dimensions: what the largest dataset takes,
and for each question the time of its scan, the degree, and how many openings of a key
keyholders grant in all. Time is a model; 1.0 is the sum of a measure filtered by one
one-hot dimension in profile records. Recommended is, of what answers the most
questions, the least storage squared times time; a dimension that is not named there is one-hot.
Needs no network.

Examples:
  carnet schema encodings examples/customs/records.yaml
  carnet schema encodings --sql "SELECT SUM(value) FROM t WHERE month BETWEEN '03' AND '05'" examples/customs/records.yaml`
}

func (c *schemaEncodingsCmd) Run(a *app) error {
	s, err := readSchema(c.File)
	if err != nil {
		return err
	}
	committee, err := share.NewCommittee(c.Keyholder, c.Threshold)
	if err != nil {
		return err
	}
	r, err := advise.Compare(s, c.SQL, committee)
	if err != nil && len(c.SQL) == 1 {
		return inSQL(c.SQL[0], err)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(r)
	}
	a.printf("%s: up to %d rows in each of %s\n\n", s.ID(), s.Limits.Rows, plural(s.Limits.Datasets, "dataset"))
	var rows [][]string
	for i, x := range r.Choices {
		degree := fmt.Sprint(x.Degree)
		each := "row"
		if x.Layout == carnet.LayoutCube {
			each = "cell"
		}
		rows = append(rows, []string{mark(r, i), string(x.Layout), degree, x.Profile, list(x.Encodings), fmt.Sprint(x.Columns),
			fmt.Sprintf("%d/%s", x.Bytes, each), fmt.Sprintf("%.1f", float64(x.PackedBits)/8), size(x.PackedTotal())})
	}
	if err := a.table([]string{"CHOICE", "LAYOUT", "DEGREE", "PROFILE", "ENCODINGS", "COLUMNS", "BYTES", "PACKED", "STORED"}, rows); err != nil {
		return err
	}
	for q, text := range r.Questions {
		a.printf("\n%s\n", text)
		rows = nil
		for i, x := range r.Choices {
			o := &x.Outcomes[q]
			if o.Refused != "" {
				rows = append(rows, []string{mark(r, i), "refused: " + o.Refused, "", "", ""})
				continue
			}
			rows = append(rows, []string{mark(r, i), fmt.Sprintf("%.3f", o.Cost), fmt.Sprint(o.Degree), fmt.Sprint(o.Openings), fmt.Sprintf("2^%d", bits.Len64(uint64(o.Releases))-1)})
		}
		if err := a.table([]string{"CHOICE", "TIME", "DEGREE", "OPENINGS", "RELEASES"}, rows); err != nil {
			return err
		}
	}
	a.printf("\n")
	a.advice("recommended", r.Choices[r.Recommended])
	if at := r.InRecords; at >= 0 && at != r.Recommended {
		a.advice(fmt.Sprintf("of the records layout, choice %d", at+1), r.Choices[at])
	}
	return nil
}

// mark numbers a choice: * is recommended.
func mark(r *advise.Report, i int) string {
	m := fmt.Sprint(i + 1)
	if i == r.Recommended {
		m += "*"
	}
	if r.Choices[i].AsWritten {
		m += " (now)"
	}
	return m
}

func list(of []string) string {
	if len(of) == 0 {
		return "-"
	}
	return strings.Join(of, ", ")
}

// advice prints what to write into the schema.
func (a *app) advice(what string, c *advise.Choice) {
	if c.AsWritten {
		a.printf("%s: what the schema says already, in the layout %s\n", what, c.Layout)
		return
	}
	a.printf("%s, to be written into the schema:\n", what)
	if c.Schema.Degree != 0 {
		a.printf("  degree: %d\n", c.Schema.Degree)
	}
	for i := range c.Schema.Combine {
		a.printf("  combine: [{dimensions: [%s]}]\n", strings.Join(c.Schema.Combine[i].Dimensions, ", "))
	}
	a.printf("  layouts: [%s]\n", c.Layout)
	for i := range c.Schema.Dimensions {
		if d := &c.Schema.Dimensions[i]; d.Encoding != "" {
			a.printf("  dimension %s: encoding: %s\n", d.Name, d.Encoding)
		}
	}
}
