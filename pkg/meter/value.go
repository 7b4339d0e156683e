package meter

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Assumptions are what a valuation takes from whoever asks for it; everything else comes
// from the journal.
type Assumptions struct {
	Currency string        `json:"currency"`
	Rate     int           `json:"rate_per_ten_thousand"` // yearly rate of discount, 1..100,000
	Years    int           `json:"years"`                 // over which income is expected, 1..50
	Cost     carnet.Amount `json:"cost"`                  // of making the dataset, by its owner's books
	Storage  carnet.Amount `json:"storage"`               // yearly, for one GiB of ciphertext
}

// Valuation is indicators of what a dataset is worth. They are arithmetic on the journal
// and on the assumptions, not an opinion.
type Valuation struct {
	Dataset     carnet.DatasetID `json:"dataset"`
	Until       Month            `json:"until"` // the last month that counts
	Size        int64            `json:"size"`  // entries of the journal that it was computed from
	Head        carnet.Hash      `json:"head"`
	Assumptions Assumptions      `json:"assumptions"`
	Usage       UsageValue       `json:"usage"`
	Cost        CostValue        `json:"cost"`
	Income      IncomeValue      `json:"income"`
}

// UsageValue is how much the dataset is used.
type UsageValue struct {
	Queries  int64         `json:"queries"` // released in the 12 months to Until
	Before   int64         `json:"before"`  // in the 12 months before those
	Buyers   int           `json:"buyers"`  // distinct, in the 12 months
	Groups   int64         `json:"groups"`
	PerQuery carnet.Amount `json:"per_query"` // income of the 12 months / queries, rounded down; 0 without queries
}

// CostValue is what it would cost to make and keep it again.
type CostValue struct {
	Bytes   int64         `json:"bytes"`   // of ciphertext
	Storage carnet.Amount `json:"storage"` // a year, rounded up
	Total   carnet.Amount `json:"total"`   // Cost + Storage x Years
}

// IncomeValue is what the income of the last 12 months is worth if it goes on.
type IncomeValue struct {
	Months []MonthIncome `json:"months"` // all there are
	Year   carnet.Amount `json:"year"`   // of the 12 months to Until
	// Present is Year x (1 - (1+r)^-Years) / r, the present value of an annuity paid at the
	// end of each year, rounded down.
	Present carnet.Amount `json:"present"`
}

// Formulas are how the figures of a valuation are worked out, for people.
func Formulas() []string {
	return []string{
		"income of a year = sum of the amounts that buyers owe for the dataset in the 12 months that end with the given one",
		"income per query = income of the year / released queries of the same months, rounded down",
		"cost = cost by the owner's books + years x GiB of ciphertext x yearly price of a GiB, rounded up",
		"present value of income = income of the year x (1 - (1 + r)^-years) / r, rounded down",
	}
}

// Validate checks what is assumed.
func (a *Assumptions) Validate() error {
	bad := carnet.E(carnet.Invalid, "BAD_ASSUMPTIONS", "the assumptions of the valuation can't be used")
	if !carnet.ValidCurrency(a.Currency) {
		bad = bad.With("currency", "%q is not three capital letters such as CNY", a.Currency)
	}
	if a.Rate < 1 || a.Rate > 100_000 {
		bad = bad.With("rate", "is not above 0 and at most 1000 percent")
	}
	if a.Years < 1 || a.Years > 50 {
		bad = bad.With("years", "is not from 1 to 50")
	}
	if a.Cost < 0 || a.Cost > carnet.MaxAmount || a.Storage < 0 || a.Storage > carnet.MaxAmount {
		bad = bad.With("cost", "amounts are not from 0 to %s", carnet.MaxAmount)
	}
	if len(bad.Violations) > 0 {
		return bad.Fix("correct what is named")
	}
	return nil
}

// Value works out the indicators of a dataset from the releases and lines of a journal.
// bytes is the size of its ciphertext.
func Value(dataset carnet.DatasetID, bytes int64, until Month, as Assumptions, releases []Release, lines []Line) (*Valuation, error) {
	if err := as.Validate(); err != nil {
		return nil, err
	}
	v := &Valuation{Dataset: dataset, Until: until, Assumptions: as}
	first := until.back(11)
	buyers := map[carnet.PartyID]bool{}
	for i := range releases {
		r := &releases[i]
		for j := range r.Uses {
			if r.Uses[j].Dataset != dataset {
				continue
			}
			switch m := MonthOf(r.At); {
			case m > until:
			case m >= first:
				buyers[r.Buyer] = true
				v.Usage.Queries++
				v.Usage.Groups += r.Uses[j].Groups
			case m >= first.back(12):
				v.Usage.Before++
			}
		}
	}
	v.Usage.Buyers = len(buyers)
	months, err := ByMonth(dataset, as.Currency, lines)
	if err != nil {
		return nil, err
	}
	v.Income.Months = []MonthIncome{}
	for _, m := range months {
		if m.Month > until {
			break
		}
		v.Income.Months = append(v.Income.Months, m)
		if m.Month >= first {
			if v.Income.Year, err = plus(v.Income.Year, m.Amount); err != nil {
				return nil, err
			}
		}
	}
	if v.Usage.Queries > 0 {
		v.Usage.PerQuery = v.Income.Year / carnet.Amount(v.Usage.Queries)
	}
	if v.Income.Present, err = present(v.Income.Year, as.Rate, as.Years); err != nil {
		return nil, err
	}
	return v, v.cost(bytes)
}

func (v *Valuation) cost(bytes int64) error {
	const gib = 1 << 30
	v.Cost.Bytes = bytes
	storage := new(big.Int).Mul(big.NewInt(bytes), big.NewInt(int64(v.Assumptions.Storage)))
	storage.Add(storage, big.NewInt(gib-1)).Quo(storage, big.NewInt(gib))
	total := new(big.Int).Mul(storage, big.NewInt(int64(v.Assumptions.Years)))
	total.Add(total, big.NewInt(int64(v.Assumptions.Cost)))
	if !total.IsInt64() {
		return errTooMuch()
	}
	v.Cost.Storage, v.Cost.Total = carnet.Amount(storage.Int64()), carnet.Amount(total.Int64())
	return nil
}

// present is yearly x (1 - (1+r)^-n) / r in exact fractions, rounded down.
func present(yearly carnet.Amount, rate, years int) (carnet.Amount, error) {
	r := big.NewRat(int64(rate), 10_000)
	grown := big.NewRat(1, 1)
	for range years {
		grown.Mul(grown, new(big.Rat).Add(big.NewRat(1, 1), r))
	}
	x := new(big.Rat).Sub(big.NewRat(1, 1), grown.Inv(grown))
	x.Quo(x, r).Mul(x, new(big.Rat).SetInt64(int64(yearly)))
	down := new(big.Int).Quo(x.Num(), x.Denom())
	if !down.IsInt64() {
		return 0, errTooMuch()
	}
	return carnet.Amount(down.Int64()), nil
}
