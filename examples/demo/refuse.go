package main

import (
	"errors"
	"fmt"
	"strings"
)

// refused asks for what one owner's terms never give: its own subtotal.
func (d *demo) refused() error {
	for _, q := range []string{
		"SELECT jurisdiction, SUM(value) FROM trade_cube GROUP BY jurisdiction",
		"SELECT SUM(value) FROM trade_records WHERE jurisdiction = 'UZ'",
	} {
		fmt.Print(indent(q))
		_, err := d.carnet(buyer, "query", "--purpose", "statistics", q)
		var e *commandError
		if !errors.As(err, &e) || e.code != 6 || !strings.Contains(e.stderr, "TOO_FEW_OWNERS") {
			return errors.Join(errors.New("this should have been refused with TOO_FEW_OWNERS"), err)
		}
		fmt.Println(indent(e.stderr))
	}
	fmt.Println("Together with another jurisdiction, the same rows may be summed. (What two released\ntotals tell together is not controlled yet; see docs/explanation/trust.md.)")
	return d.ask(question{
		title: "Kazakhstan and Uzbekistan in one number",
		sql:   "SELECT SUM(value), COUNT(*) FROM trade_cube WHERE jurisdiction IN ('KZ', 'UZ')",
		scale: []float64{money, count},
	})
}
