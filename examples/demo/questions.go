package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// question is asked of the network and of SQLite.
type question struct {
	title string
	sql   string // what the buyer types
	// clear is what SQLite is asked; the same text on the table trade, if empty.
	clear string
	// scale says, for each number of a row, what SQLite's value is divided by: money is
	// in cents there, squares of money in squared cents. 0 marks a text column.
	scale []float64
	shown int // rows printed; all, if 0
}

const (
	text   = 0
	count  = 1
	money  = 100
	money2 = 100 * 100
)

// variance is what SQLite lacks: the sample variance from exact integer sums of the
// deviations from an integer near the mean, which is the same and does not overflow.
const variance = `(SUM((value-15000)*(value-15000)) - 1.0*SUM(value-15000)*SUM(value-15000)/COUNT(*)) / (COUNT(*)-1)`

func (d *demo) cubeQuestions() error {
	if err := d.keepCheckpoint(); err != nil {
		return err
	}
	return d.ask(
		question{
			title: "How much was declared in all?",
			sql:   "SELECT COUNT(*), SUM(value) FROM trade_cube",
			scale: []float64{count, money},
		},
		question{
			title: "By month",
			sql:   "SELECT month, COUNT(*) AS declarations, SUM(value) AS value FROM trade_cube GROUP BY month ORDER BY month",
			scale: []float64{text, count, money},
		},
		question{
			title: "Two dimensions: partner and month of six chapters of machinery and vehicles, largest first",
			sql: "SELECT partner, month, SUM(value) AS value, AVG(value) AS average FROM trade_cube\n" +
				"WHERE chapter BETWEEN '84' AND '89' AND partner IS NOT NULL\nGROUP BY partner, month ORDER BY value DESC, partner, month",
			scale: []float64{text, text, money, money},
			shown: 6,
		},
		question{
			title: "Spread: sample variance and standard deviation by partner",
			sql:   "SELECT partner, VAR_SAMP(value), STDDEV_SAMP(value) FROM trade_cube WHERE partner IN ('CN', 'RU', 'DE') GROUP BY partner ORDER BY partner",
			clear: "SELECT partner, " + variance + ", sqrt(" + variance + ") FROM trade WHERE partner IN ('CN', 'RU', 'DE') GROUP BY partner ORDER BY partner",
			scale: []float64{text, money2, money},
		},
		question{
			title: "Weighted by weight: SUM(value*weight) and value of a kilogram, where weight is known",
			sql:   "SELECT month, SUM(value*weight) AS moment, SUM(value*weight)/SUM(weight) AS weighted FROM trade_cube WHERE month <= '03' GROUP BY month ORDER BY month",
			clear: "SELECT month, SUM(value*weight), 1.0*SUM(value*weight)/SUM(weight) FROM trade WHERE month <= '03' GROUP BY month ORDER BY month",
			scale: []float64{text, money, money},
		},
		question{
			title: "HAVING and LIMIT: the five largest chapters with more than 1,000 declarations",
			sql:   "SELECT chapter, COUNT(*) AS n, SUM(value) AS value FROM trade_cube GROUP BY chapter HAVING COUNT(*) > 1000 ORDER BY value DESC LIMIT 5",
			scale: []float64{text, count, money},
		},
	)
}

func (d *demo) recordQuestions() error {
	return d.ask(
		question{
			title: "One dimension: sections of the tariff",
			sql:   "SELECT section, COUNT(*), SUM(value) FROM trade_records GROUP BY section ORDER BY section",
			scale: []float64{text, count, money},
			shown: 6,
		},
		question{
			title: "Two dimensions: declarations by partner and month",
			sql: "SELECT partner, month, COUNT(*) FROM trade_records WHERE partner IN ('CN', 'RU', 'TR', 'UZ')\n" +
				"GROUP BY partner, month ORDER BY partner, month",
			scale: []float64{text, text, count},
			shown: 6,
		},
		question{
			title: "A filter: textiles and footwear",
			sql:   "SELECT COUNT(*), AVG(weight), SUM(value), STDDEV_SAMP(value) FROM trade_records WHERE section IN ('11', '12')",
			clear: "SELECT COUNT(*), AVG(weight), SUM(value), sqrt(" + variance + ") FROM trade WHERE section IN ('11', '12')",
			scale: []float64{count, count, money, money},
		},
	)
}

// privateQuestion asks about one partner, which one only the buyer knows: the value
// leaves its machine as shares, and SQLite is asked in the clear.
func (d *demo) privateQuestion() error {
	q := question{
		title: "One partner's trade; gateway, owners and any two keyholders can't tell whose",
		sql:   "SELECT COUNT(*), SUM(value) FROM trade_cube WHERE partner = PRIVATE($1)",
		clear: "SELECT COUNT(*), SUM(value) FROM trade WHERE partner = 'DE'",
		scale: []float64{count, money},
	}
	file := filepath.Join(d.home(buyer), "partner.txt")
	if err := os.WriteFile(file, []byte("DE\n"), 0o600); err != nil {
		return err
	}
	return d.askOne(q, "--private", "1=@"+file)
}

// answer is what carnet query --json prints.
type answer struct {
	Result struct {
		Columns []struct{ Name string } `json:"columns"`
		Rows    [][]any                 `json:"rows"`
	} `json:"result"`
	Used       []struct{ Party string } `json:"used"`
	Detectable int                      `json:"detectable"`
	Attested   int                      `json:"attested"`
	Openings   int                      `json:"openings"`
	Bytes      int64                    `json:"bytes"`
	Seconds    float64                  `json:"seconds"`
}

// ask asks every question and compares the answers.
func (d *demo) ask(qs ...question) error {
	for _, q := range qs {
		if err := d.askOne(q); err != nil {
			return fmt.Errorf("%s: %w", q.title, err)
		}
	}
	return nil
}

func (d *demo) askOne(q question, more ...string) error {
	fmt.Println(q.title)
	fmt.Print(indent(q.sql))
	return d.answered(q, append([]string{"query", "--json", "--purpose", "statistics", q.sql}, more...)...)
}

// answered runs the command that prints the answer, and compares it.
func (d *demo) answered(q question, args ...string) error {
	out, err := d.carnet(buyer, args...)
	if err != nil {
		return err
	}
	var a answer
	dec := json.NewDecoder(strings.NewReader(out))
	dec.UseNumber()
	if err := dec.Decode(&a); err != nil {
		return err
	}
	clear := q.clear
	if clear == "" {
		clear = strings.NewReplacer("trade_cube", "trade", "trade_records", "trade").Replace(q.sql)
	}
	want, err := d.truth.query(d.ctx, clear)
	if err != nil {
		return err
	}
	if err := d.compare(q, &a, want); err != nil {
		return err
	}
	fmt.Printf("  %d numbers opened by %d keyholders in %.1f s, %s. %d recomputed the gateway's part; %s.\n\n",
		a.Openings, len(a.Used), a.Seconds, megabytes(a.Bytes), a.Attested, liars(a.Detectable))
	return nil
}

func liars(n int) string {
	switch n {
	case 0:
		return "a lying one would not be noticed"
	case 1:
		return "one lying would be noticed"
	}
	return fmt.Sprintf("%d lying together would be noticed", n)
}
