package main

import (
	"io"
	"os"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/sample"
	"github.com/carnet-network/carnet/pkg/schema"
)

type sampleCmd struct {
	Kind         string `help:"What to make up: customs or lineitem." enum:"customs,lineitem" default:"customs"`
	Scale        string `help:"Scale factor of lineitem; 1 has about 6,000,000 rows." default:"0.01"`
	Jurisdiction string `help:"Whose records to make up; changes the partners and amounts." default:"KZ" placeholder:"CC"`
	Rows         int64  `help:"How many customs records." default:"10000"`
	Seed         uint64 `help:"The same seed gives the same records." default:"1"`
	Out          string `short:"o" help:"File to write [default: standard output]." placeholder:"FILE"`
}

func (sampleCmd) Help() string {
	return `Writes CSV that fits the schemas in examples/customs. All names and numbers are made up.
With --kind lineitem it writes the table lineitem of TPC-H as dbgen does, with the
distributions of its specification; name the file lineitem.tbl.

Examples:
  carnet sample --jurisdiction KZ --rows 100000 -o kz.csv
  carnet sample --kind lineitem --scale 0.01 -o lineitem.tbl`
}

func (c *sampleCmd) Run(a *app) (err error) {
	c.Jurisdiction = strings.ToUpper(c.Jurisdiction)
	switch {
	case c.Kind != "customs": // these flags are about customs records
	case c.Rows < 1:
		return usage("%d records are none", c.Rows).Fix("choose --rows of 1 or more")
	case !sample.Country(c.Jurisdiction):
		return carnet.E(carnet.Invalid, "BAD_JURISDICTION", "%q is not a jurisdiction", c.Jurisdiction).Fix("use the two-letter code of a country, such as KZ")
	}
	const micro = 1_000_000
	scale, err := schema.ParseDecimal(c.Scale, 6)
	if err != nil || scale < 1 || scale > 1000*micro {
		return usage("the scale factor is %s", c.Scale).Fix("choose --scale of 0.000001 to 1000")
	}
	var w io.Writer = a.raw
	if c.Out != "" {
		f, err := os.Create(c.Out)
		if err != nil {
			return usage("the records can't be written").Because(err).Fix("choose another file with --out")
		}
		defer func() {
			if e := f.Close(); err == nil {
				err = e
			}
		}()
		w = f
	}
	if c.Kind == "lineitem" {
		return sample.WriteTbl(w, sample.Lineitems(c.Seed, max(1, sample.Orders*scale/micro)))
	}
	return sample.WriteCSV(w, sample.Generate(c.Seed, c.Jurisdiction, c.Rows))
}
