package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/meter"
)

type valueCmd struct {
	paperFlags
	Dataset  string `arg:"" help:"Dataset, owner/name."`
	Currency string `required:"" help:"Currency, three capital letters." placeholder:"CUR"`
	Rate     string `required:"" help:"Yearly rate of discount, in percent." placeholder:"PERCENT"`
	Years    int    `required:"" help:"Years over which income is expected." placeholder:"N"`
	Cost     string `help:"What making the dataset cost, by its owner's books." default:"0" placeholder:"AMOUNT"`
	Storage  string `help:"Yearly cost of keeping a GiB of ciphertext." default:"0" placeholder:"AMOUNT"`
	Until    string `help:"Last month that counts [default: the last one that is over]." placeholder:"MONTH"`
}

func (valueCmd) Help() string {
	return `Works out indicators of what a dataset is worth by its use, its cost and its income, from the
log and from what you assume. It is arithmetic with the formulas shown, and no opinion. A lender
who can read the log works it out again with carnet recompute.

Example:
  carnet value kz-customs/trade --currency KZT --rate 12 --years 5 --cost 5000000 --html sheet.html`
}

func (c *valueCmd) Run(a *app) error {
	as := meter.Assumptions{Currency: c.Currency, Years: c.Years}
	rate, err := carnet.ParseAmount(strings.TrimSuffix(c.Rate, "%"))
	const hundredth = 10_000 // of a percent, in millionths
	if err != nil || rate%hundredth != 0 {
		return usage("%q is not a percentage of at most 2 decimals", c.Rate).Fix("write one such as 12.5")
	}
	as.Rate = int(rate / hundredth)
	if as.Cost, err = carnet.ParseAmount(c.Cost); err != nil {
		return err
	}
	if as.Storage, err = carnet.ParseAmount(c.Storage); err != nil {
		return err
	}
	if err := as.Validate(); err != nil {
		return err
	}
	until := meter.MonthOf(time.Now()).Before()
	if c.Until != "" {
		if until, err = meter.ParseMonth(c.Until); err != nil {
			return err
		}
	}
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	v, statement, err := cl.Valuation(a.ctx, carnet.DatasetID(c.Dataset), until, as)
	if err != nil {
		return err
	}
	p, err := valuationPaper(v)
	if err != nil {
		return err
	}
	d, err := c.sheet(a, cl, bundle.Valuation, v, statement, carnet.Checkpoint{Size: v.Size, Head: v.Head})
	if err != nil {
		return err
	}
	return c.print(a, v, p.provedBy(d))
}

func valuationPaper(v *meter.Valuation) (*paper, error) {
	digest, err := digestOf(v)
	if err != nil {
		return nil, err
	}
	as := &v.Assumptions
	in := func(a carnet.Amount) string { return a.String() + " " + as.Currency }
	p := &paper{Title: "Valuation sheet", Digest: digest, Of: "the sheet as JSON", Lead: fmt.Sprintf("Indicators for dataset %s, from the log and from what is assumed.", v.Dataset),
		Facts: [][2]string{
			{"Year that ends with", string(v.Until)}, {"Queries released", fmt.Sprintf("%d (the year before: %d)", v.Usage.Queries, v.Usage.Before)},
			{"Buyers", fmt.Sprint(v.Usage.Buyers)}, {"Groups", fmt.Sprint(v.Usage.Groups)}, {"Income per query", in(v.Usage.PerQuery)},
			{"Income of the year", in(v.Income.Year)}, {"Present value of income", in(v.Income.Present)},
			{"Cost of making and keeping", in(v.Cost.Total)}, {"Ciphertext", fmt.Sprintf("%s, %s a year", size(v.Cost.Bytes), in(v.Cost.Storage))},
			{"Assumed", fmt.Sprintf("rate %s %%, %s, cost %s, storage %s a GiB and year", carnet.Amount(as.Rate)*10_000, plural(as.Years, "year"), in(as.Cost), in(as.Storage))},
			{"Log", fmt.Sprintf("%d entries, root %s", v.Size, v.Head)},
		}}
	var months, formulas [][]string
	for _, m := range v.Income.Months {
		months = append(months, []string{string(m.Month), in(m.Amount)})
	}
	for _, f := range meter.Formulas() {
		formulas = append(formulas, []string{f})
	}
	p.Tables = []paperTable{{"Formulas", []string{"FORMULA"}, formulas}}
	if len(months) > 0 {
		p.Tables = append(p.Tables, paperTable{"Income", []string{"MONTH", "AMOUNT"}, months})
	}
	return p, nil
}
