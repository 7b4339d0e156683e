package main

import (
	"errors"
	"fmt"
	"strings"
)

// refused asks for what one owner's terms never give: its own subtotal, as such or as what
// is left of a total that was answered.
func (d *demo) refused() error {
	for _, q := range []struct{ sql, reason string }{
		{"SELECT jurisdiction, SUM(value) FROM trade_cube GROUP BY jurisdiction", "TOO_FEW_OWNERS"},
		{"SELECT SUM(value) FROM trade_records WHERE jurisdiction = 'UZ'", "TOO_FEW_OWNERS"},
		{"SELECT SUM(value) FROM trade_cube WHERE jurisdiction <> 'UZ'", "OVERLAPS_RELEASED"},
	} {
		fmt.Print(indent(q.sql))
		_, err := d.carnet(buyer, "query", "--purpose", "statistics", q.sql)
		var e *commandError
		if !errors.As(err, &e) || e.code != 6 || !strings.Contains(e.stderr, q.reason) {
			return errors.Join(errors.New("this should have been refused with "+q.reason), err)
		}
		fmt.Println(indent(e.stderr))
	}
	fmt.Println("The total over all was answered before, so the total without Uzbekistan would be its own.\nTogether with another jurisdiction, the same rows may be summed:")
	return d.ask(question{
		title: "Kazakhstan and Uzbekistan in one number",
		sql:   "SELECT SUM(value), COUNT(*) FROM trade_cube WHERE jurisdiction IN ('KZ', 'UZ')",
		scale: []float64{money, count},
	})
}
