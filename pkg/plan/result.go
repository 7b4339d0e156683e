package plan

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Result is the answer to a query: rows of values, one per column. It marshals to
// JSON as {"columns": [{"name", "type"}], "rows": [[...]], "deviations": [[...]]}.
type Result struct {
	Columns []ColumnInfo `json:"columns"`
	Rows    [][]Value    `json:"rows"`
	// Deviations are the standard deviations of the rows' values that privacy noise makes,
	// NULL for what has none or for which none was worked out. nil without noise.
	Deviations [][]Value `json:"deviations,omitempty"`
	// Lost counts per column the computed values that are NULL in an answer with noise: an
	// average and the like, where the noise makes the number of rows 0 or less. nil without noise.
	Lost []int `json:"-"`
}

// deviation is that of a value, NULL if there is none.
func (r *Result) deviation(row, column int) Value {
	if r.Deviations == nil {
		return Value{}
	}
	return r.Deviations[row][column]
}

// noisy reports whether a column has a standard deviation in some row.
func (r *Result) noisy(column int) bool {
	return slices.ContainsFunc(r.Deviations, func(row []Value) bool { return !row[column].IsNull() })
}

func marshalText(s string) ([]byte, error) { return json.Marshal(s) }

// WriteCSV writes a header and the rows as RFC 4180 CSV. NULL is an empty field. A column
// with noise is followed by one of its standard deviations, named after it and _sd.
func (r *Result) WriteCSV(w io.Writer) error {
	cw := csv.NewWriter(w)
	cw.UseCRLF = true
	var record []string
	noisy := make([]bool, len(r.Columns))
	for i, c := range r.Columns {
		record = append(record, c.Name)
		if noisy[i] = r.noisy(i); noisy[i] {
			record = append(record, c.Name+"_sd")
		}
	}
	if err := cw.Write(record); err != nil {
		return err
	}
	field := func(v Value) string {
		if v.IsNull() {
			return ""
		}
		return v.String()
	}
	for n, row := range r.Rows {
		record = record[:0]
		for i, v := range row {
			record = append(record, field(v))
			if noisy[i] {
				record = append(record, field(r.deviation(n, i)))
			}
		}
		if err := cw.Write(record); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

// WriteTable writes the rows as a table for people: numbers to the right, with the
// standard deviation of their noise after ±, NULL spelled out, the number of rows below. Control characters are replaced.
func (r *Result) WriteTable(w io.Writer) error {
	cells := make([][]string, 0, len(r.Rows)+1)
	head := make([]string, len(r.Columns))
	width := make([]int, len(r.Columns))
	for i, c := range r.Columns {
		head[i] = printable(c.Name)
	}
	cells = append(cells, head)
	for n, row := range r.Rows {
		line := make([]string, len(row))
		for i, v := range row {
			line[i] = printable(v.String())
			if d := r.deviation(n, i); !d.IsNull() {
				line[i] += " ± " + d.String()
			}
		}
		cells = append(cells, line)
	}
	for _, line := range cells {
		for i, s := range line {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	b := bufio.NewWriter(w)
	for n, line := range cells {
		for i, s := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if i > 0 {
				b.WriteString(" |")
			}
			if t := r.Columns[i].Type; t == Text || t == Date {
				fmt.Fprintf(b, " %s%s", s, pad)
			} else {
				fmt.Fprintf(b, " %s%s", pad, s)
			}
		}
		b.WriteByte('\n')
		if n == 0 {
			for i := range width {
				if i > 0 {
					b.WriteByte('+')
				}
				b.WriteString(strings.Repeat("-", width[i]+2))
			}
			b.WriteByte('\n')
		}
	}
	unit := "rows"
	if len(r.Rows) == 1 {
		unit = "row"
	}
	fmt.Fprintf(b, "(%d %s)\n", len(r.Rows), unit)
	return b.Flush()
}

func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, s)
}
