package main

import (
	"io"
	"os"
	"strings"

	"github.com/carnet-network/carnet/pkg/sample"
)

type sampleCmd struct {
	Jurisdiction string `help:"Whose records to make up; changes the partners and amounts." default:"KZ" placeholder:"CC"`
	Rows         int64  `help:"How many records." default:"10000"`
	Seed         uint64 `help:"The same seed gives the same records." default:"1"`
	Out          string `short:"o" help:"File to write [default: standard output]." placeholder:"FILE"`
}

func (sampleCmd) Help() string {
	return `Writes CSV that fits the schemas in examples/customs. All names and numbers are made up.

Example:
  carnet sample --jurisdiction KZ --rows 100000 -o kz.csv`
}

func (c *sampleCmd) Run(a *app) (err error) {
	if c.Rows < 0 {
		return usage("the number of rows is negative").Fix("choose --rows of 0 or more")
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
	return sample.WriteCSV(w, sample.Generate(c.Seed, strings.ToUpper(c.Jurisdiction), c.Rows))
}
