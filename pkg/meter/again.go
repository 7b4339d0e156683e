package meter

import "github.com/carnet-network/carnet/pkg/carnet"

// Again works balances and payments out of the lines of a settlement anew.
func (s *Settlement) Again() (*Settlement, error) {
	for i := range s.Lines {
		l := &s.Lines[i]
		if MonthOf(l.At) != s.Month || l.Amount < 0 || s.Party != "" && l.Buyer != s.Party && l.Payee != s.Party {
			return nil, carnet.E(carnet.Invalid, "DOCUMENT_DIFFERS", "line %d is of another month or of other parties, or an amount is negative", i+1).
				Fix("do not rely on the settlement; ask its operator")
		}
	}
	again, err := Settle(s.Month, s.Lines)
	if err != nil {
		return nil, err
	}
	again.Size, again.Head = s.Size, s.Head
	if s.Party != "" {
		return again.For(s.Party)
	}
	return again, nil
}

// Again works out anew what follows in a valuation from its assumptions, the use, the bytes
// and the income of each month.
func (v *Valuation) Again() (*Valuation, error) {
	as := v.Assumptions
	if err := as.Validate(); err != nil {
		return nil, err
	}
	again := &Valuation{Dataset: v.Dataset, Until: v.Until, Size: v.Size, Head: v.Head, Assumptions: as, Usage: v.Usage}
	again.Income.Months = v.Income.Months
	again.Usage.PerQuery = 0
	var err error
	for _, m := range v.Income.Months {
		if m.Month < v.Until.back(11) || m.Month > v.Until {
			continue
		}
		if again.Income.Year, err = plus(again.Income.Year, m.Amount); err != nil {
			return nil, err
		}
	}
	if v.Usage.Queries > 0 {
		again.Usage.PerQuery = again.Income.Year / carnet.Amount(v.Usage.Queries)
	}
	if again.Income.Present, err = present(again.Income.Year, as.Rate, as.Years); err != nil {
		return nil, err
	}
	return again, again.cost(v.Cost.Bytes)
}
