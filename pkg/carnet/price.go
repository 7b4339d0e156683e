package carnet

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Amount is an amount of money in millionths of its currency's unit. Its text is a decimal
// number such as "12.5", of at most 6 decimals.
type Amount int64

// unit is one unit of a currency.
const unit = 1_000_000

// Bounds of prices, so that the amount of one query always fits and sums of very many do.
const (
	MaxAmount     Amount = 1_000_000_000 * unit
	MaxGroupPrice Amount = 1_000_000 * unit
)

var decimalForm = regexp.MustCompile(`^-?[0-9]{1,13}(\.[0-9]{1,6})?$`)

// ParseAmount reads a decimal number.
func ParseAmount(s string) (Amount, error) {
	if decimalForm.MatchString(s) {
		if r, ok := new(big.Rat).SetString(s); ok {
			if r.Mul(r, big.NewRat(unit, 1)); r.IsInt() && r.Num().IsInt64() {
				return Amount(r.Num().Int64()), nil
			}
		}
	}
	return 0, E(Invalid, "BAD_AMOUNT", "%q is not an amount of money", s).Fix("write a decimal number of at most 6 decimals, such as 12.5")
}

// String is the shortest decimal number.
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -n
	}
	s := fmt.Sprintf("%s%d.%06d", sign, n/unit, n%unit)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalText implements encoding.TextMarshaler.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Only the text that String gives is
// read, so that one amount has one form in a statement.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := ParseAmount(string(text))
	if err != nil {
		return err
	}
	if v.String() != string(text) {
		return E(Invalid, "BAD_AMOUNT", "%q is not the shortest form of the amount", text).Fix("write %s", v)
	}
	*a = v
	return nil
}

// Price is what an owner asks for the use of a dataset, part of its signed terms. A buyer
// agrees to it by signing a query that names the manifest. It is owed when the answer was
// released, see package meter.
type Price struct {
	Currency string `json:"currency"`         // three capital letters, mostly of ISO 4217
	Query    Amount `json:"query,omitempty"`  // for each released query
	Group    Amount `json:"group,omitempty"`  // for each group of its result that the dataset is part of
	Budget   Amount `json:"budget,omitempty"` // for a rho of 1 of privacy budget that its numbers cost, in proportion, released before or not
	// Subscribers pay Month once for each calendar month (UTC) in which they have a
	// released query, in place of the other prices. "*" stands for every buyer.
	Month       Amount    `json:"month,omitempty"`
	Subscribers []PartyID `json:"subscribers,omitempty"`
	// Shares of every payment go to others; the owner gets the rest.
	Shares []PriceShare `json:"shares,omitempty"`
}

// PriceShare is a part of every payment.
type PriceShare struct {
	Party          PartyID `json:"party"`
	PerTenThousand int     `json:"per_ten_thousand"` // 1..10,000
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// ValidCurrency reports whether s has the form of a currency's code.
func ValidCurrency(s string) bool { return currencyForm.MatchString(s) }

// Validate says what makes a price unusable, as violations of fields below the given one.
func (p *Price) Validate(field string) *Error {
	bad := E(Invalid, "BAD_PRICE", "the price can't be used")
	if !ValidCurrency(p.Currency) {
		bad = bad.With(field+".currency", "%q is not three capital letters such as CNY", p.Currency)
	}
	for _, a := range []struct {
		name    string
		v, most Amount
	}{{"query", p.Query, MaxAmount}, {"group", p.Group, MaxGroupPrice}, {"budget", p.Budget, MaxGroupPrice}, {"month", p.Month, MaxAmount}} {
		if a.v < 0 || a.v > a.most {
			bad = bad.With(field+"."+a.name, "%s is not from 0 to %s", a.v, a.most)
		}
	}
	if p.Month != 0 && len(p.Subscribers) == 0 {
		bad = bad.With(field+".subscribers", "is missing: say which buyers pay by the month, or [\"*\"] for all")
	}
	seen, total := map[PartyID]bool{}, 0
	for _, s := range p.Shares {
		if !ValidName(string(s.Party)) || seen[s.Party] {
			bad = bad.With(field+".shares", "%q is not a party's name, or is there twice", s.Party)
		}
		if s.PerTenThousand < 1 || s.PerTenThousand > 10_000 {
			bad = bad.With(field+".shares", "%d of ten thousand is not from 1 to 10000", s.PerTenThousand)
			continue
		}
		seen[s.Party] = true
		total += s.PerTenThousand
	}
	if total > 10_000 {
		bad = bad.With(field+".shares", "the shares add up to more than the whole")
	}
	if len(bad.Violations) == 0 {
		return nil
	}
	return bad.Fix("correct the terms; docs/howto/owner.md shows prices")
}

var _ json.Unmarshaler = (*Price)(nil)

// UnmarshalJSON refuses a price that can't be used, so that none is in force by accident.
func (p *Price) UnmarshalJSON(data []byte) error {
	type plain Price
	var v plain
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	if e := (*Price)(&v).Validate("price"); e != nil {
		return e
	}
	*p = Price(v)
	return nil
}
