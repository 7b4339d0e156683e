package meter

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// Attempt is a journaled query that was not released, as far as the journal shows.
type Attempt struct {
	Query   carnet.Hash
	Buyer   carnet.PartyID
	At      time.Time // when its buyer signed it
	Uses    []Use     // empty if it could not be compiled
	Reasons []string  // of the refusals that the journal has, sorted, each once; empty: too few answered in time
}

// UsageOf adds up what a period's releases and attempts used of one dataset. lines are
// those of the releases. A time belongs to the period if from <= time < until.
func UsageOf(dataset carnet.DatasetID, from, until time.Time, releases []Release, attempts []Attempt, lines []Line) (*carnet.Usage, error) {
	u := &carnet.Usage{Dataset: dataset, From: from.UTC(), Until: until.UTC()}
	in := func(t time.Time) bool { return !t.Before(from) && t.Before(until) }
	of := func(uses []Use) *Use {
		if i := slices.IndexFunc(uses, func(x Use) bool { return x.Dataset == dataset }); i >= 0 {
			return &uses[i]
		}
		return nil
	}
	buyers := map[carnet.PartyID]*carnet.BuyerUsage{}
	for i := range releases {
		r := &releases[i]
		use := of(r.Uses)
		if use == nil || !in(r.At) {
			continue
		}
		b := buyers[r.Buyer]
		if b == nil {
			b = &carnet.BuyerUsage{Buyer: r.Buyer}
			buyers[r.Buyer] = b
		}
		u.Queries, u.Groups, u.Numbers, u.Rows = u.Queries+1, u.Groups+use.Groups, u.Numbers+use.Numbers, u.Rows+use.Rows
		u.Budget = privacy.Add(u.Budget, use.Budget)
		b.Queries, b.Groups, b.Numbers = b.Queries+1, b.Groups+use.Groups, b.Numbers+use.Numbers
	}
	for _, id := range slices.Sorted(maps.Keys(buyers)) {
		u.Buyers = append(u.Buyers, *buyers[id])
	}
	reasons := map[string]int64{}
	for i := range attempts {
		a := &attempts[i]
		if of(a.Uses) == nil || !in(a.At) {
			continue
		}
		u.Unreleased++
		for _, r := range a.Reasons {
			reasons[r]++
		}
	}
	for _, r := range slices.Sorted(maps.Keys(reasons)) {
		u.Refused = append(u.Refused, carnet.ReasonCount{Reason: r, Queries: reasons[r]})
	}
	var own []Line
	for i := range lines {
		if lines[i].Dataset == dataset && in(lines[i].At) {
			own = append(own, lines[i])
		}
	}
	totals, err := Totals(own)
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Sorted(maps.Keys(totals)) {
		u.Income = append(u.Income, carnet.Money{Currency: c, Amount: totals[c]})
	}
	return u, nil
}

// ByMonth adds up what all payees get for a dataset, month by month, in one currency.
// Months without income between the first and the last are there as zero.
func ByMonth(dataset carnet.DatasetID, currency string, lines []Line) ([]MonthIncome, error) {
	sums := map[Month]carnet.Amount{}
	for i := range lines {
		if l := &lines[i]; l.Dataset == dataset && l.Currency == currency {
			sum, err := plus(sums[MonthOf(l.At)], l.Amount)
			if err != nil {
				return nil, err
			}
			sums[MonthOf(l.At)] = sum
		}
	}
	if len(sums) == 0 {
		return nil, nil
	}
	months := slices.SortedFunc(maps.Keys(sums), cmp.Compare[Month])
	var out []MonthIncome
	for m := months[0]; ; m = m.next() {
		out = append(out, MonthIncome{m, sums[m]})
		if m == months[len(months)-1] {
			return out, nil
		}
	}
}

// MonthIncome is what a dataset earned in a month.
type MonthIncome struct {
	Month  Month         `json:"month"`
	Amount carnet.Amount `json:"amount"`
}

// Before is the month before.
func (m Month) Before() Month { return m.shift(-1) }

func (m Month) next() Month { return m.shift(1) }

func (m Month) back(n int) Month { return m.shift(-n) }

func (m Month) shift(n int) Month {
	t, err := time.Parse("2006-01", string(m))
	if err != nil {
		return m + "~" // not a month: comes after every one
	}
	return MonthOf(t.AddDate(0, n, 0))
}
