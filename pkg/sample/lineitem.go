package sample

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/schema"
)

// Orders is the number of orders of TPC-H at scale factor 1; they have 4 lines on
// average.
const Orders = 1_500_000

// Days of TPC-H, counted from 1970-01-01.
var (
	tpchFirst   = day(1992, 1, 1)   // STARTDATE
	tpchLast    = day(1998, 12, 31) // ENDDATE
	tpchCurrent = day(1995, 6, 17)  // CURRENTDATE
)

func day(y int, m time.Month, d int) int64 {
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// Lineitem is a row of the table lineitem of TPC-H.
type Lineitem struct {
	Order, Part, Supplier int64
	Line                  int   // 1..7
	Quantity              int64 // 1..50
	ExtendedPrice         int64 // cents
	Discount              int64 // percent, 0..10
	Tax                   int64 // percent, 0..8
	ReturnFlag            string
	LineStatus            string
	Ship, Commit, Receipt int64 // days from 1970-01-01
	Instruct, Mode        string
	Comment               string
}

// Lineitems yields the lineitem table of TPC-H for a number of orders, with the
// distributions of clause 4.2.3 of its specification in every column but the comment,
// which is shorter. The draws are not those of dbgen; use its own files where those
// matter. The result depends on the arguments only.
func Lineitems(seed uint64, orders int64) iter.Seq[Lineitem] {
	return func(yield func(Lineitem) bool) {
		r := newRandom(seed, "carnet/sample/lineitem")
		parts, suppliers := max(1, orders*2/15), max(4, orders/150)
		for i := range orders {
			order := i/8*32 + i%8 + 1 // keys are sparse: 8 of every 32
			placed := r.between(tpchFirst, tpchLast-151)
			for line := range int(r.between(1, 7)) {
				if !yield(r.lineitem(order, line+1, placed, parts, suppliers)) {
					return
				}
			}
		}
	}
}

// between is uniform in [lo, hi].
func (r *random) between(lo, hi int64) int64 { return lo + int64(r.below(uint64(hi-lo+1))) }

func (r *random) lineitem(order int64, line int, placed, parts, suppliers int64) Lineitem {
	l := Lineitem{Order: order, Line: line, Part: r.between(1, parts), Quantity: r.between(1, 50), Discount: r.between(0, 10), Tax: r.between(0, 8)}
	j := r.between(0, 3) // one of the part's four suppliers
	l.Supplier = (l.Part+j*(suppliers/4+(l.Part-1)/suppliers))%suppliers + 1
	l.ExtendedPrice = l.Quantity * (90000 + l.Part/10%20001 + 100*(l.Part%1000))
	l.Ship = placed + r.between(1, 121)
	l.Commit = placed + r.between(30, 90)
	l.Receipt = l.Ship + r.between(1, 30)
	l.ReturnFlag, l.LineStatus = "N", "F"
	if l.Receipt <= tpchCurrent {
		l.ReturnFlag = []string{"R", "A"}[r.below(2)]
	}
	if l.Ship > tpchCurrent {
		l.LineStatus = "O"
	}
	l.Instruct = []string{"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"}[r.below(4)]
	l.Mode = []string{"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"}[r.below(7)]
	l.Comment = "made up " + strconv.FormatUint(r.below(1000), 10)
	return l
}

// LineitemHeader names the columns of lineitem.
var LineitemHeader = strings.Fields(`l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax
	l_returnflag l_linestatus l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment`)

// Record returns the fields as dbgen writes them.
func (l *Lineitem) Record() []string {
	date := func(days int64) string { return time.Unix(days*86400, 0).UTC().Format(time.DateOnly) }
	cents := func(v int64) string { return schema.FormatDecimal(big.NewInt(v), 2) }
	whole := func(v int64) string { return strconv.FormatInt(v, 10) }
	return []string{whole(l.Order), whole(l.Part), whole(l.Supplier), strconv.Itoa(l.Line), whole(l.Quantity), cents(l.ExtendedPrice), cents(l.Discount), cents(l.Tax),
		l.ReturnFlag, l.LineStatus, date(l.Ship), date(l.Commit), date(l.Receipt), l.Instruct, l.Mode, l.Comment}
}

// WriteTbl writes rows as dbgen does: a pipe after every field, no header.
func WriteTbl(w io.Writer, rows iter.Seq[Lineitem]) error {
	b := bufio.NewWriterSize(w, 1<<16)
	for l := range rows {
		for _, f := range l.Record() {
			b.WriteString(f)
			if err := b.WriteByte('|'); err != nil {
				return fmt.Errorf("write lineitem: %w", err)
			}
		}
		b.WriteByte('\n')
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write lineitem: %w", err)
	}
	return nil
}
