package main

import (
	"fmt"
	"strings"
	"time"
)

// missing stops keyholders. Any three open an answer, but before anything is opened
// four of five must have co-signed the journal, so that no gateway can show two halves
// of the committee two histories. So one may be missing; with two missing nothing is
// released, and nothing is lost either.
func (d *demo) missing() error {
	fmt.Println("Any three open an answer. Before that, four of five must have co-signed the journal,\nso that no gateway can show two halves of the committee two histories.")
	fmt.Println()
	d.halt(1)
	err := d.askOne(question{
		title: "Machinery by month, with one keyholder missing",
		sql:   "SELECT month, SUM(value) AS value FROM trade_cube WHERE chapter IN ('84', '85') GROUP BY month ORDER BY month",
		scale: []float64{text, money},
		shown: 3,
	}, "--grace", "500ms")
	if err != nil {
		return err
	}
	d.halt(4)
	q := question{
		title: "The same by partner, with two missing",
		sql:   "SELECT partner, SUM(value) AS value FROM trade_cube WHERE chapter IN ('84', '85') AND partner IS NOT NULL GROUP BY partner ORDER BY partner",
		scale: []float64{text, money},
		shown: 3,
	}
	fmt.Println(q.title)
	fmt.Print(indent(q.sql))
	id, err := d.carnet(buyer, "query", "--no-wait", "--purpose", "statistics", q.sql)
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	out, err := d.carnet(buyer, "open", strings.TrimSpace(id))
	if err == nil {
		return fmt.Errorf("an answer was opened although too few keyholders had co-signed the journal:\n%s", out)
	}
	fmt.Println("  After two seconds nothing was released. One of the two comes back:")
	if err := d.startKeyholder(4); err != nil {
		return err
	}
	err = d.wait("the answer", 60*time.Second, func() bool {
		_, err := d.carnet(buyer, "open", strings.TrimSpace(id))
		return err == nil
	})
	if err != nil {
		return err
	}
	return d.answered(q, "open", "--json", strings.TrimSpace(id))
}

// halt stops a keyholder and no longer minds that it is gone.
func (d *demo) halt(i int) {
	d.keyholders[i].stop()
	fmt.Printf("Stopped %s.\n", d.keyholders[i].name)
	d.processes = alive(d.processes)
}

func alive(ps []*process) (out []*process) {
	for _, p := range ps {
		if p.alive() {
			out = append(out, p)
		}
	}
	return out
}
