package meter

import (
	"cmp"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Balance is what a party gets (positive) or owes (negative) in all, in one currency.
type Balance struct {
	Party    carnet.PartyID `json:"party"`
	Currency string         `json:"currency"`
	Amount   carnet.Amount  `json:"amount"`
}

// Payment is one transfer that settles balances.
type Payment struct {
	From     carnet.PartyID `json:"from"`
	To       carnet.PartyID `json:"to"`
	Currency string         `json:"currency"`
	Amount   carnet.Amount  `json:"amount"`
}

// Settlement is the lines of a month and what is owed by them. Balances add up to zero in
// each currency, and so do those of the settlements of every single party among each other.
// Lists that are empty are not nil: their JSON is signed.
type Settlement struct {
	Month    Month          `json:"month"`
	Party    carnet.PartyID `json:"party,omitempty"` // whose it is; empty for that of all
	Size     int64          `json:"size"`            // entries of the journal that it was computed from
	Head     carnet.Hash    `json:"head"`            // of the journal at that size
	Lines    []Line         `json:"lines"`
	Balances []Balance      `json:"balances"` // by currency and party
	Payments []Payment      `json:"payments"` // of all: netted; of one party: what it and each other owe each other
}

// In selects the lines of a month.
func In(lines []Line, m Month) []Line {
	out := []Line{}
	for i := range lines {
		if MonthOf(lines[i].At) == m {
			out = append(out, lines[i])
		}
	}
	return out
}

// Settle nets the lines of a month over all parties. Payments are from who owes most to
// who is owed most: fewer than there are parties, the same for everyone.
func Settle(m Month, lines []Line) (*Settlement, error) {
	s := &Settlement{Month: m, Lines: In(lines, m)}
	var err error
	if s.Balances, err = balances(s.Lines); err != nil {
		return nil, err
	}
	s.Payments = payments(s.Balances)
	return s, nil
}

// For is the part of a settlement that concerns one party: its lines, its balance, and
// what it has to pay or get by pairs of parties. It tells nothing of lines of others.
func (s *Settlement) For(party carnet.PartyID) (*Settlement, error) {
	out := &Settlement{Month: s.Month, Party: party, Size: s.Size, Head: s.Head, Lines: []Line{}, Balances: []Balance{}, Payments: []Payment{}}
	type pair struct {
		other    carnet.PartyID
		currency string
	}
	owed := map[pair]carnet.Amount{} // to the party
	for _, l := range s.Lines {
		p, amount := pair{l.Buyer, l.Currency}, l.Amount
		switch party {
		case l.Buyer:
			p.other, amount = l.Payee, -amount
		case l.Payee:
		default:
			continue
		}
		out.Lines = append(out.Lines, l)
		if l.Buyer == l.Payee {
			continue
		}
		sum, err := plus(owed[p], amount)
		if err != nil {
			return nil, err
		}
		owed[p] = sum
	}
	total := map[string]carnet.Amount{}
	for p, amount := range owed {
		sum, err := plus(total[p.currency], amount)
		if err != nil {
			return nil, err
		}
		total[p.currency] = sum
		switch {
		case amount > 0:
			out.Payments = append(out.Payments, Payment{p.other, party, p.currency, amount})
		case amount < 0:
			out.Payments = append(out.Payments, Payment{party, p.other, p.currency, -amount})
		}
	}
	slices.SortFunc(out.Payments, comparePayments)
	for _, c := range slices.Sorted(maps.Keys(total)) {
		out.Balances = append(out.Balances, Balance{party, c, total[c]})
	}
	return out, nil
}

func comparePayments(a, b Payment) int {
	return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
}

// balances adds up what each party gets and owes; those of nothing are left out.
func balances(lines []Line) ([]Balance, error) {
	type account struct {
		currency string
		party    carnet.PartyID
	}
	sums := map[account]carnet.Amount{}
	for i := range lines {
		l := &lines[i]
		for _, entry := range []struct {
			party  carnet.PartyID
			amount carnet.Amount
		}{{l.Payee, l.Amount}, {l.Buyer, -l.Amount}} {
			a := account{l.Currency, entry.party}
			sum, err := plus(sums[a], entry.amount)
			if err != nil {
				return nil, err
			}
			sums[a] = sum
		}
	}
	out := []Balance{}
	for a, amount := range sums {
		if amount != 0 {
			out = append(out, Balance{a.party, a.currency, amount})
		}
	}
	slices.SortFunc(out, func(a, b Balance) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Party, b.Party))
	})
	return out, nil
}

// payments settles balances that add up to zero in every currency.
func payments(all []Balance) []Payment {
	out := []Payment{}
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(b Balance) bool { return b.Currency != all[0].Currency })
		if n < 0 {
			n = len(all)
		}
		left := slices.Clone(all[:n])
		all = all[n:]
		for {
			most := slices.MaxFunc(left, func(a, b Balance) int { return cmp.Or(cmp.Compare(a.Amount, b.Amount), cmp.Compare(b.Party, a.Party)) })
			least := slices.MinFunc(left, func(a, b Balance) int { return cmp.Or(cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Party, b.Party)) })
			amount := min(most.Amount, -least.Amount)
			if amount <= 0 {
				break
			}
			out = append(out, Payment{least.Party, most.Party, most.Currency, amount})
			for i := range left {
				switch left[i].Party {
				case most.Party:
					left[i].Amount -= amount
				case least.Party:
					left[i].Amount += amount
				}
			}
		}
	}
	slices.SortFunc(out, comparePayments)
	return out
}
