package meter

import (
	"math/big"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Item is what a line is for.
type Item string

// The items of a price.
const (
	PerQuery  Item = "query"
	PerGroup  Item = "group"
	PerBudget Item = "budget"
	PerMonth  Item = "month"
)

// Line is one amount that a buyer owes for a released query.
type Line struct {
	Query    carnet.Hash      `json:"query"` // statement hash; zero in a quote
	Entry    int64            `json:"entry"` // of the journal, which completed the release; -1 in a quote
	At       time.Time        `json:"at"`
	Buyer    carnet.PartyID   `json:"buyer"`
	Payee    carnet.PartyID   `json:"payee"` // the owner, or who has a share
	Dataset  carnet.DatasetID `json:"dataset"`
	Manifest carnet.Hash      `json:"manifest"` // whose terms have the price
	Item     Item             `json:"item"`
	Quantity int64            `json:"quantity"` // of budget in millionths
	Price    carnet.Amount    `json:"price"`    // for one
	Currency string           `json:"currency"`
	Amount   carnet.Amount    `json:"amount"` // of this payee
}

// Month is a calendar month in UTC, such as 2026-11.
type Month string

// MonthOf is the month of a time. Times before the year 0 and after 9999 are in the first
// and the last month there is, so that months compare as their texts do.
func MonthOf(t time.Time) Month {
	switch t = t.UTC(); {
	case t.Year() < 0:
		return "0000-01"
	case t.Year() > 9999:
		return "9999-12"
	}
	return Month(t.Format("2006-01"))
}

// ParseMonth reads a month.
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil {
		return "", carnet.E(carnet.Invalid, "BAD_MONTH", "%q is not a month", s).Fix("write year and month, such as 2026-11")
	}
	return MonthOf(t), nil
}

// subscription is what is paid once a month.
type subscription struct {
	buyer   carnet.PartyID
	dataset carnet.DatasetID
	month   Month
}

// Bill turns releases into lines, in the order of the journal. The zero value is ready.
// It is not safe for concurrent use.
type Bill struct {
	paid map[subscription]bool
}

// Add returns the lines of one release. Each release is added once.
func (b *Bill) Add(r *Release) ([]Line, error) {
	var out []Line
	for i := range r.Uses {
		u := &r.Uses[i]
		if u.Price == nil {
			continue
		}
		line := Line{Query: r.Query, Entry: r.Entry, At: r.At.UTC(), Buyer: r.Buyer, Payee: u.Owner, Dataset: u.Dataset, Manifest: u.Manifest, Currency: u.Price.Currency}
		for _, item := range b.items(r, u) {
			line.Item, line.Quantity, line.Price = item.Item, item.Quantity, item.Price
			amount, err := item.worth()
			if err != nil {
				return nil, err
			}
			if amount != 0 {
				out = append(out, shared(line, amount, u.Price.Shares)...)
			}
		}
	}
	return out, nil
}

// items lists what a use is charged for.
func (b *Bill) items(r *Release, u *Use) []Line {
	p := u.Price
	if p.Month != 0 && (slices.Contains(p.Subscribers, r.Buyer) || slices.Contains(p.Subscribers, "*")) {
		s := subscription{r.Buyer, u.Dataset, MonthOf(r.At)}
		if b.paid[s] {
			return nil
		}
		if b.paid == nil {
			b.paid = map[subscription]bool{}
		}
		b.paid[s] = true
		return []Line{{Item: PerMonth, Quantity: 1, Price: p.Month}}
	}
	return []Line{{Item: PerQuery, Quantity: 1, Price: p.Query}, {Item: PerGroup, Quantity: u.Groups, Price: p.Group}, {Item: PerBudget, Quantity: u.Budget, Price: p.Budget}}
}

// shared divides an amount among the owner and those with a share. Fractions of the
// smallest amount stay with the owner, so the lines add up to the amount.
func shared(line Line, amount carnet.Amount, shares []carnet.PriceShare) (out []Line) {
	rest := amount
	for _, s := range shares {
		part := new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(int64(s.PerTenThousand)))
		l := line
		l.Payee, l.Amount = s.Party, carnet.Amount(part.Quo(part, big.NewInt(10_000)).Int64())
		if l.Amount != 0 {
			out = append(out, l)
		}
		rest -= l.Amount
	}
	if line.Amount = rest; rest != 0 {
		out = append([]Line{line}, out...)
	}
	return out
}

// worth is quantity times price; of budget, whose price is for a million millionths, rounded
// up.
func (l *Line) worth() (carnet.Amount, error) {
	v := new(big.Int).Mul(big.NewInt(int64(l.Price)), big.NewInt(l.Quantity))
	if l.Item == PerBudget {
		const million = 1_000_000
		v.Add(v, big.NewInt(million-1)).Quo(v, big.NewInt(million))
	}
	if !v.IsInt64() {
		return 0, errTooMuch()
	}
	return carnet.Amount(v.Int64()), nil
}

func errTooMuch() error {
	return carnet.E(carnet.Invalid, "AMOUNT_TOO_LARGE", "an amount of money is beyond what can be represented").
		Fix("have the owner publish a lower price")
}

// Quote lists what a query would cost a buyer at a time, if it were its first in the
// month. Its lines have no entry.
func Quote(uses []Use, buyer carnet.PartyID, now time.Time) ([]Line, error) {
	lines, err := new(Bill).Add(&Release{Entry: -1, Buyer: buyer, At: now, Uses: uses})
	return lines, err
}

// Totals adds amounts up by currency.
func Totals(lines []Line) (map[string]carnet.Amount, error) {
	out := map[string]carnet.Amount{}
	for i := range lines {
		sum, err := plus(out[lines[i].Currency], lines[i].Amount)
		if err != nil {
			return nil, err
		}
		out[lines[i].Currency] = sum
	}
	return out, nil
}

func plus(a, b carnet.Amount) (carnet.Amount, error) {
	s := a + b
	if (s > a) != (b > 0) && b != 0 {
		return 0, errTooMuch()
	}
	return s, nil
}
