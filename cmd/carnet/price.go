package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// priceFile is the part of terms.yaml that says what the use of the data costs. Amounts
// are decimal numbers.
type priceFile struct {
	Currency    string           `yaml:"currency"`
	Query       string           `yaml:"query"`
	Group       string           `yaml:"group"`
	Budget      string           `yaml:"budget"`
	Month       string           `yaml:"month"`
	Subscribers []carnet.PartyID `yaml:"subscribers"`
	Shares      []shareFile      `yaml:"shares"`
}

type shareFile struct {
	Party   carnet.PartyID `yaml:"party"`
	Percent string         `yaml:"percent"`
}

// price is what is signed; nil if nothing is asked.
func (f *priceFile) price(file string) (*carnet.Price, error) {
	if f == nil {
		return nil, nil
	}
	p := &carnet.Price{Currency: f.Currency, Subscribers: f.Subscribers}
	bad := carnet.E(carnet.Invalid, "BAD_PRICE", "the price in %s can't be used", file)
	for _, x := range []struct {
		name, text string
		into       *carnet.Amount
	}{{"query", f.Query, &p.Query}, {"group", f.Group, &p.Group}, {"budget", f.Budget, &p.Budget}, {"month", f.Month, &p.Month}} {
		if x.text == "" {
			continue
		}
		var err error
		if *x.into, err = carnet.ParseAmount(x.text); err != nil {
			bad = bad.With(file, "price: %s: %v", x.name, err)
		}
	}
	for _, s := range f.Shares {
		percent, err := carnet.ParseAmount(s.Percent)
		const hundredth = 10_000 // of a percent, in millionths
		if err != nil || percent%hundredth != 0 {
			bad = bad.With(file, "price: shares: %q is not a percentage of at most 2 decimals", s.Percent)
		}
		p.Shares = append(p.Shares, carnet.PriceShare{Party: s.Party, PerTenThousand: int(percent / hundredth)})
	}
	if len(bad.Violations) > 0 {
		return nil, bad.Fix("correct the file; docs/howto/owner.md shows prices")
	}
	if e := p.Validate("price"); e != nil {
		return nil, e
	}
	return p, nil
}

// parseMoney reads amounts with their currencies: 12.5CNY, or 12.5 CNY.
func parseMoney(texts []string) (map[string]carnet.Amount, error) {
	out := map[string]carnet.Amount{}
	for _, text := range texts {
		n := len(text) - 3
		if n < 1 || !carnet.ValidCurrency(text[n:]) {
			return nil, usage("%q is not an amount and a currency", text).Fix("write one such as 12.5CNY")
		}
		amount, err := carnet.ParseAmount(strings.TrimSpace(text[:n]))
		if err != nil {
			return nil, err
		}
		if _, twice := out[text[n:]]; twice {
			return nil, usage("%s is there twice", text[n:]).Fix("give each currency once")
		}
		out[text[n:]] = amount
	}
	return out, nil
}

// money writes totals by currency: "12.5 CNY + 3 KZT".
func money(totals map[string]carnet.Amount) string {
	var out []string
	for _, c := range slices.Sorted(maps.Keys(totals)) {
		out = append(out, fmt.Sprintf("%s %s", totals[c], c))
	}
	return strings.Join(out, " + ")
}

// quoted prints what a query costs; nothing if it is free.
func (a *app) quoted(lines []meter.Line) error {
	totals, err := meter.Totals(lines)
	if err != nil || len(totals) == 0 {
		return err
	}
	a.printf("costs %s when the answer is released\n", money(totals))
	for i := range lines {
		l := &lines[i]
		what := fmt.Sprintf("per %s", l.Item)
		if l.Item == meter.PerGroup {
			what = fmt.Sprintf("for %s", plural(int(l.Quantity), "group"))
		}
		if l.Item == meter.PerBudget {
			what = fmt.Sprintf("for %s of privacy budget", privacy.Format(l.Quantity))
		}
		if l.Item == meter.PerMonth {
			what = "for this month, unless it is paid already"
		}
		a.printf("  %s %s to %s for %s, %s\n", l.Amount, l.Currency, l.Payee, l.Dataset, what)
	}
	return nil
}

// priceText is a price in a few words.
func priceText(p *carnet.Price) string {
	if p == nil {
		return ""
	}
	var out []string
	for _, x := range []struct {
		amount carnet.Amount
		per    string
	}{{p.Query, "query"}, {p.Group, "group"}, {p.Budget, "rho of privacy budget"}, {p.Month, "month by subscription"}} {
		if x.amount != 0 {
			out = append(out, fmt.Sprintf("%s %s a %s", x.amount, p.Currency, x.per))
		}
	}
	return strings.Join(out, ", ")
}
