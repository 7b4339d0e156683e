package meter

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

var start = time.Date(2026, 10, 30, 23, 59, 0, 0, time.UTC)

func amount(t *testing.T, s string) carnet.Amount {
	a, err := carnet.ParseAmount(s)
	require.NoError(t, err)
	return a
}

func release(i int, buyer carnet.PartyID, at time.Time, uses ...Use) Release {
	return Release{Query: carnet.Hash{byte(i), 1}, Entry: int64(i), Buyer: buyer, At: at, Uses: uses}
}

func bill(t *testing.T, rs ...Release) (lines []Line) {
	var b Bill
	for i := range rs {
		l, err := b.Add(&rs[i])
		require.NoError(t, err)
		lines = append(lines, l...)
	}
	return lines
}

func text(lines []Line) (out []string) {
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%d %s->%s %s %dx%s %s %s", l.Entry, l.Buyer, l.Payee, l.Item, l.Quantity, l.Price, l.Amount, l.Currency))
	}
	return out
}

func TestPricesBecomeLines(t *testing.T) {
	priced := Use{Dataset: "kz/trade", Owner: "kz", Groups: 12, Price: &carnet.Price{Currency: "KZT", Query: amount(t, "100"), Group: amount(t, "2.5")}}
	free := Use{Dataset: "uz/trade", Owner: "uz", Groups: 12}
	subscribed := priced
	subscribed.Price = &carnet.Price{Currency: "KZT", Query: amount(t, "100"), Month: amount(t, "900"), Subscribers: []carnet.PartyID{"bank"}}
	require.Equal(t, []string{
		"1 bank->kz query 1x100 100 KZT",
		"1 bank->kz group 12x2.5 30 KZT",
	}, text(bill(t, release(1, "bank", start, priced, free))))
	require.Equal(t, []string{
		"1 bank->kz month 1x900 900 KZT", // once in October
		"3 other->kz query 1x100 100 KZT",
		"4 bank->kz month 1x900 900 KZT", // and in November
	}, text(bill(t,
		release(1, "bank", start, subscribed), release(2, "bank", start.Add(time.Second), subscribed),
		release(3, "other", start, subscribed), release(4, "bank", start.Add(26*time.Hour), subscribed))))
}

func TestBudgetIsPaidInProportionAndRoundedUp(t *testing.T) {
	u := Use{Dataset: "kz/trade", Owner: "kz", Budget: 250_001, Price: &carnet.Price{Currency: "KZT", Budget: amount(t, "3")}}
	require.Equal(t, []string{"1 bank->kz budget 250001x3 0.750003 KZT"}, text(bill(t, release(1, "bank", start, u))))
	u.Budget, u.Price.Budget = 1, 1
	require.Equal(t, []string{"1 bank->kz budget 1x0.000001 0.000001 KZT"}, text(bill(t, release(1, "bank", start, u))))
}

func TestSharesAddUpToTheAmount(t *testing.T) {
	u := Use{Dataset: "kz/trade", Owner: "kz", Price: &carnet.Price{Currency: "KZT", Query: 7,
		Shares: []carnet.PriceShare{{Party: "gate", PerTenThousand: 3333}, {Party: "ministry", PerTenThousand: 1000}}}}
	require.Equal(t, []string{
		"1 bank->kz query 1x0.000007 0.000005 KZT",
		"1 bank->gate query 1x0.000007 0.000002 KZT",
	}, text(bill(t, release(1, "bank", start, u))), "the ministry's part is less than the least amount and stays with the owner")
}

func TestAmountsDoNotOverflow(t *testing.T) {
	u := Use{Dataset: "kz/trade", Owner: "kz", Groups: math.MaxInt64, Price: &carnet.Price{Currency: "KZT", Group: carnet.MaxAmount}}
	_, err := Quote([]Use{u}, "bank", start)
	require.Equal(t, "AMOUNT_TOO_LARGE", carnet.ReasonOf(err))
	big := Line{Buyer: "bank", Payee: "kz", Currency: "KZT", Amount: math.MaxInt64, At: start}
	_, err = Settle(MonthOf(start), []Line{big, big})
	require.Equal(t, "AMOUNT_TOO_LARGE", carnet.ReasonOf(err))
}

// TestEmptySettlements: lists without anything are written as such, of all and of one party.
func TestEmptySettlements(t *testing.T) {
	s, err := Settle("2026-11", nil)
	require.NoError(t, err)
	own, err := s.For("a")
	require.NoError(t, err)
	for _, x := range []*Settlement{s, own} {
		data, err := json.Marshal(x)
		require.NoError(t, err)
		require.Contains(t, string(data), `"lines":[],"balances":[],"payments":[]`)
		var read Settlement
		require.NoError(t, json.Unmarshal(data, &read))
		again, err := read.Again()
		require.NoError(t, err)
		require.Equal(t, x, again)
	}
}

// TestSettlementsNetToZero settles random months: balances and payments are zero in sum,
// payments give every party its balance, and what the parties' own settlements say about
// each other agrees.
func TestSettlementsNetToZero(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	parties := []carnet.PartyID{"a", "b", "c", "d", "e"}
	for range 200 {
		var rs []Release
		for i := range 1 + rng.IntN(12) {
			owner := parties[rng.IntN(len(parties))]
			p := &carnet.Price{Currency: []string{"CNY", "KZT"}[rng.IntN(2)], Query: carnet.Amount(rng.IntN(1000)), Group: carnet.Amount(rng.IntN(10))}
			if rng.IntN(2) == 0 {
				p.Shares = []carnet.PriceShare{{Party: parties[rng.IntN(len(parties))], PerTenThousand: 1 + rng.IntN(10_000)}}
			}
			rs = append(rs, release(i, parties[rng.IntN(len(parties))], start.Add(time.Duration(rng.IntN(100))*time.Hour),
				Use{Dataset: carnet.DatasetID(owner + "/x"), Owner: owner, Groups: int64(rng.IntN(50)), Price: p}))
		}
		lines := bill(t, rs...)
		var count int
		for _, m := range []Month{"2026-10", "2026-11"} {
			s, err := Settle(m, lines)
			require.NoError(t, err)
			count += len(s.Lines)
			sum, left := map[string]carnet.Amount{}, map[string]carnet.Amount{}
			for _, b := range s.Balances {
				sum[b.Currency] += b.Amount
				left[string(b.Party)+b.Currency] = b.Amount
			}
			for c, v := range sum {
				require.Zero(t, v, c)
			}
			require.LessOrEqual(t, len(s.Payments), max(0, len(s.Balances)-1))
			for _, p := range s.Payments {
				require.Positive(t, int64(p.Amount))
				left[string(p.To)+p.Currency] -= p.Amount
				left[string(p.From)+p.Currency] += p.Amount
			}
			for who, v := range left {
				require.Zero(t, v, who)
			}
			pairs := map[string]carnet.Amount{}
			for _, party := range parties {
				own, err := s.For(party)
				require.NoError(t, err)
				for _, b := range own.Balances {
					sum[b.Currency] += b.Amount
				}
				for _, p := range own.Payments {
					if p.From == party {
						pairs[fmt.Sprint(p)] += p.Amount
					} else {
						pairs[fmt.Sprint(p)] -= p.Amount
					}
				}
				for _, l := range own.Lines {
					require.Contains(t, []carnet.PartyID{l.Buyer, l.Payee}, party)
				}
			}
			for c, v := range sum {
				require.Zero(t, v, c)
			}
			for p, v := range pairs {
				require.Zero(t, v, "both sides of %s say the same", p)
			}
		}
		require.Len(t, lines, count)
	}
}

func TestUsageOfAPeriod(t *testing.T) {
	u := Use{Dataset: "kz/trade", Owner: "kz", Groups: 3, Numbers: 6, Rows: 100, Price: &carnet.Price{Currency: "KZT", Query: amount(t, "10")}}
	other := Use{Dataset: "uz/trade", Owner: "uz", Groups: 3, Price: u.Price}
	rs := []Release{
		release(1, "bank", start.Add(-time.Hour), u), // before
		release(2, "bank", start, u, other), release(3, "agency", start.Add(time.Minute), u), release(4, "agency", start.Add(time.Minute), other),
		release(5, "bank", start.Add(time.Hour), u), // the end does not belong to it
	}
	attempts := []Attempt{
		{Buyer: "bank", At: start, Uses: []Use{u}, Reasons: []string{"BUDGET_SPENT", "TERMS_EXPIRED"}},
		{Buyer: "bank", At: start, Uses: []Use{u}},
		{Buyer: "bank", At: start, Uses: []Use{other}, Reasons: []string{"TERMS_EXPIRED"}},
	}
	got, err := UsageOf("kz/trade", start, start.Add(time.Hour), rs, attempts, bill(t, rs...))
	require.NoError(t, err)
	require.Equal(t, &carnet.Usage{
		Dataset: "kz/trade", From: start, Until: start.Add(time.Hour), Queries: 2, Groups: 6, Numbers: 12, Rows: 200, Unreleased: 2,
		Refused: []carnet.ReasonCount{{Reason: "BUDGET_SPENT", Queries: 1}, {Reason: "TERMS_EXPIRED", Queries: 1}},
		Buyers:  []carnet.BuyerUsage{{Buyer: "agency", Queries: 1, Groups: 3, Numbers: 6}, {Buyer: "bank", Queries: 1, Groups: 3, Numbers: 6}},
		Income:  []carnet.Money{{Currency: "KZT", Amount: amount(t, "20")}},
	}, got)
}

func TestValuation(t *testing.T) {
	u := Use{Dataset: "kz/trade", Owner: "kz", Groups: 2, Price: &carnet.Price{Currency: "KZT", Query: amount(t, "100")}}
	var rs []Release
	for i, at := range []time.Time{start.AddDate(-1, -3, 0), start.AddDate(0, -2, 0), start, start, start.AddDate(0, 2, 0)} {
		rs = append(rs, release(i, carnet.PartyID(fmt.Sprint("b", i%2)), at, u))
	}
	as := Assumptions{Currency: "KZT", Rate: 1000, Years: 2, Cost: amount(t, "1000"), Storage: amount(t, "3")}
	v, err := Value("kz/trade", 3<<29, "2026-10", as, rs, bill(t, rs...))
	require.NoError(t, err)
	require.Equal(t, UsageValue{Queries: 3, Before: 1, Buyers: 2, Groups: 6, PerQuery: amount(t, "100")}, v.Usage)
	require.Equal(t, CostValue{Bytes: 3 << 29, Storage: amount(t, "4.5"), Total: amount(t, "1009")}, v.Cost)
	// 300 / 1.1 + 300 / 1.21 = 520.661157024...
	require.Equal(t, amount(t, "300"), v.Income.Year)
	require.Equal(t, amount(t, "520.661157"), v.Income.Present)
	require.Len(t, v.Income.Months, 16)
	require.Equal(t, Month("2025-07"), v.Income.Months[0].Month)

	for _, bad := range []Assumptions{{Currency: "kzt", Rate: 1, Years: 1}, {Currency: "KZT", Years: 1}, {Currency: "KZT", Rate: 1}, {Currency: "KZT", Rate: 1, Years: 1, Cost: -1}} {
		_, err := Value("kz/trade", 0, "2026-10", bad, nil, nil)
		require.Equal(t, "BAD_ASSUMPTIONS", carnet.ReasonOf(err))
	}
}

func TestMonths(t *testing.T) {
	m, err := ParseMonth("2026-12")
	require.NoError(t, err)
	require.Equal(t, Month("2027-01"), m.next())
	require.Equal(t, Month("2025-12"), m.back(12))
	_, err = ParseMonth("2026-13")
	require.Equal(t, "BAD_MONTH", carnet.ReasonOf(err))
}

// TestMonthsEnd: lines at the ends of the calendar are added up in bounded time.
func TestMonthsEnd(t *testing.T) {
	var lines []Line
	for _, at := range []time.Time{time.Date(9999, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)), time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		lines = append(lines, Line{Dataset: "kz/trade", Currency: "KZT", Amount: 1, At: at})
	}
	got, err := ByMonth("kz/trade", "KZT", lines)
	require.NoError(t, err)
	require.Equal(t, []MonthIncome{{"9999-11", 1}, {"9999-12", 2}}, got)
	require.Equal(t, Month("0000-01"), MonthOf(time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)))
}
