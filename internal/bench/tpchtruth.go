package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"iter"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnettest"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/sample"
)

// tpchAnswer is an answer worked out from the rows, exactly: keys, then numbers.
type tpchAnswer []tpchRow

type tpchRow struct {
	keys    []string
	numbers []*big.Rat
}

// tpchTruth works out Q1 and Q6.
func tpchTruth(lines iter.Seq[sample.Lineitem]) map[string]tpchAnswer {
	type sums struct{ n, quantity, price, discounted, charge, discount int64 }
	groups := map[[2]string]*sums{}
	last, from, to := date("1998-09-02"), date("1994-01-01"), date("1995-01-01")
	revenue := int64(0)
	for l := range lines {
		if l.Ship >= from && l.Ship < to && l.Discount >= 5 && l.Discount <= 7 && l.Quantity < 24 {
			revenue += l.ExtendedPrice * l.Discount
		}
		if l.Ship > last {
			continue
		}
		g := groups[[2]string{l.ReturnFlag, l.LineStatus}]
		if g == nil {
			g = &sums{}
			groups[[2]string{l.ReturnFlag, l.LineStatus}] = g
		}
		g.n++
		g.quantity += l.Quantity
		g.price += l.ExtendedPrice
		g.discount += l.Discount
		g.discounted += l.ExtendedPrice * (100 - l.Discount)
		g.charge += l.ExtendedPrice * (100 - l.Discount) * (100 + l.Tax) // below 2^63 up to scale 10
	}
	var q1 tpchAnswer
	for key, g := range groups {
		q1 = append(q1, tpchRow{key[:], []*big.Rat{
			big.NewRat(g.quantity, 1), big.NewRat(g.price, 100), big.NewRat(g.discounted, 1e4), big.NewRat(g.charge, 1e6),
			big.NewRat(g.quantity, g.n), big.NewRat(g.price, 100*g.n), big.NewRat(g.discount, 100*g.n), big.NewRat(g.n, 1),
		}})
	}
	slices.SortFunc(q1, func(a, b tpchRow) int { return slices.Compare(a.keys, b.keys) })
	return map[string]tpchAnswer{"q1": q1, "q6": {{nil, []*big.Rat{big.NewRat(revenue, 1e4)}}}}
}

func date(s string) int64 {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err) // a constant of this file
	}
	return d.Unix() / 86400
}

// compare holds a released answer to the rows: every number is the same rational.
func (a tpchAnswer) compare(got *plan.Result) error {
	if len(got.Rows) != len(a) {
		return fmt.Errorf("the answer has %d rows, want %d", len(got.Rows), len(a))
	}
	for i, row := range a {
		for j, v := range got.Rows[i] {
			if j < len(row.keys) {
				if v.String() != row.keys[j] {
					return fmt.Errorf("row %d is of %s, want %s", i+1, v, row.keys[j])
				}
			} else if want := row.numbers[j-len(row.keys)]; v.Rat() == nil || v.Rat().Cmp(want) != 0 {
				return fmt.Errorf("row %d, column %d is %s, want %s", i+1, j+1, v, want.FloatString(8))
			}
		}
	}
	return nil
}

// comparePostgres does the same with numbers that PostgreSQL has rounded to as many
// digits as it shows.
func (a tpchAnswer) comparePostgres(rows [][]string) error {
	if len(rows) != len(a) {
		return fmt.Errorf("the answer has %d rows, want %d", len(rows), len(a))
	}
	for i, row := range a {
		for j, text := range rows[i] {
			if j < len(row.keys) {
				if text != row.keys[j] {
					return fmt.Errorf("row %d is of %s, want %s", i+1, text, row.keys[j])
				}
				continue
			}
			_, digits, _ := strings.Cut(text, ".")
			want, _ := new(big.Rat).SetString(row.numbers[j-len(row.keys)].FloatString(len(digits)))
			if have, ok := new(big.Rat).SetString(text); !ok || have.Cmp(want) != 0 {
				return fmt.Errorf("row %d, column %d is %s, want %s", i+1, j+1, text, want.FloatString(len(digits)))
			}
		}
	}
	return nil
}

// writeCopy writes rows for COPY: as WriteTbl, without the last pipe.
func writeCopy(w *bufio.Writer, lines iter.Seq[sample.Lineitem]) {
	for l := range lines {
		_, _ = w.WriteString(strings.Join(l.Record(), "|") + "\n") // an error stays in w
	}
}

// trimmed is a question without comments and the semicolon, for the timer to repeat.
func trimmed(sql string) string {
	var b strings.Builder
	for line := range strings.Lines(sql) {
		if !strings.HasPrefix(line, "--") {
			b.WriteString(line)
		}
	}
	return strings.TrimSuffix(strings.TrimSpace(b.String()), ";")
}

// storedBytes is what the gateway keeps: ciphertext, and a little besides.
func storedBytes(n *carnettest.Network) (total int64) {
	_ = filepath.WalkDir(n.Gateway.Dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
