package carnettest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/carnet-network/carnet/pkg/schema"
)

// world is a generated schema with rows of several owners, for Carnet and SQLite.
type world struct {
	*rand.Rand
	schema *schema.Schema
	owners []Owner
	csv    map[string]string // by owner
	insert []string          // the same rows for SQLite
	table  string
}

func generate(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 7)), csv: map[string]string{}}
	w.schema = &schema.Schema{Name: fmt.Sprintf("generated%d", seed), Version: 1, Limits: schema.Limits{Rows: 40_000, Datasets: 3}, Layouts: []schemaLayout{"cube", "records"}}
	for i := range 1 + w.IntN(3) {
		d := schema.Dimension{Name: fmt.Sprintf("d%d", i), Nullable: w.IntN(3) == 0}
		codes := []string{"a", "b", "c", "d"}
		if w.IntN(2) == 0 {
			codes = []string{"1", "2", "3", "10"}
		}
		for _, c := range codes[:2+w.IntN(3)] {
			d.Codes = append(d.Codes, schema.Code{Value: c})
		}
		w.schema.Dimensions = append(w.schema.Dimensions, d)
	}
	w.encode()
	for i := range 1 + w.IntN(2) {
		m := schema.Measure{Name: fmt.Sprintf("m%d", i), Scale: w.IntN(3), Min: "0", Max: "99999.75", Nullable: w.IntN(2) == 0, Squares: w.IntN(2) == 0}
		if m.Scale < 2 {
			m.Max = "99999"
		}
		if w.IntN(2) == 0 {
			m.Min = "-" + m.Max
		}
		w.schema.Measures = append(w.schema.Measures, m)
	}
	if w.IntN(2) == 0 {
		w.schema.Partitions = []schema.Partition{{Name: "year"}}
	}
	w.owners = []Owner{{"kz", "KZ"}, {"uz", "UZ"}, {"kg", "KG"}}[:2+w.IntN(2)]
	w.rows()
	return w
}

// encode gives dimensions other encodings in the records layout, and room for products
// of more columns.
func (w *world) encode() {
	for i := range w.schema.Dimensions {
		w.schema.Dimensions[i].Encoding = []schema.Coding{"", schema.Cumulative, schema.TwoDigit}[w.IntN(3)]
	}
	if n := len(w.schema.Dimensions); n > 1 && w.IntN(2) == 0 {
		w.schema.Combine = []schema.Combination{{Dimensions: []string{"d0", "d1"}}}
		w.schema.Dimensions[0].Encoding, w.schema.Dimensions[1].Encoding = "", ""
	}
	w.schema.Degree = w.IntN(3) + 2
}

func numeric(d *schema.Dimension) bool { return d.Codes[0].Value == "1" }

// rows makes every owner's rows; sometimes just one, sometimes more than one block.
func (w *world) rows() {
	w.table = w.schema.Name
	var cols, types []string
	for i := range w.schema.Dimensions {
		cols = append(cols, w.schema.Dimensions[i].Name)
		types = append(types, map[bool]string{true: " INTEGER", false: " TEXT"}[numeric(&w.schema.Dimensions[i])])
	}
	for _, m := range w.schema.Measures {
		cols, types = append(cols, m.Name), append(types, " INTEGER")
	}
	for _, p := range w.schema.Partitions {
		cols, types = append(cols, p.Name), append(types, " TEXT")
	}
	var decl strings.Builder
	for i := range cols {
		fmt.Fprintf(&decl, ", %s%s", cols[i], types[i])
	}
	w.insert = append(w.insert, fmt.Sprintf("CREATE TABLE %s (owner TEXT, jurisdiction TEXT%s)", w.table, decl.String()))
	for _, o := range w.owners {
		count := 1 + w.IntN(120)
		switch w.IntN(8) {
		case 0:
			count = 1
		case 1:
			count = 1<<14 + 1 // one value into the second block
		}
		var text, values strings.Builder
		text.WriteString(strings.Join(cols, ",") + "\n")
		for i := range count {
			fields, literals := w.row()
			text.WriteString(strings.Join(fields, ",") + "\n")
			if i > 0 {
				values.WriteString(",")
			}
			fmt.Fprintf(&values, "('%s','%s',%s)", o.ID, o.Jurisdiction, strings.Join(literals, ","))
		}
		w.csv[string(o.ID)] = text.String()
		w.insert = append(w.insert, fmt.Sprintf("INSERT INTO %s VALUES %s", w.table, values.String()))
	}
}

func (w *world) row() (fields, literals []string) {
	for i := range w.schema.Dimensions {
		d := &w.schema.Dimensions[i]
		if k := w.IntN(d.Cardinality()); k == len(d.Codes) {
			fields, literals = append(fields, ""), append(literals, "NULL")
		} else {
			fields, literals = append(fields, d.Codes[k].Value), append(literals, "'"+d.Codes[k].Value+"'")
		}
	}
	for i := range w.schema.Measures {
		m := &w.schema.Measures[i]
		lo, hi := m.Bounds()
		v := lo + w.Int64N(hi-lo+1)
		switch w.IntN(10) {
		case 0:
			v = lo
		case 1:
			v = hi
		}
		if m.Nullable && w.IntN(4) == 0 {
			fields, literals = append(fields, ""), append(literals, "NULL")
			continue
		}
		fields, literals = append(fields, decimal(v, m.Scale)), append(literals, fmt.Sprint(v))
	}
	for range w.schema.Partitions {
		y := fmt.Sprint(2020 + w.IntN(2))
		fields, literals = append(fields, y), append(literals, "'"+y+"'")
	}
	return fields, literals
}

// decimal writes v x 10^-scale.
func decimal(v int64, scale int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%0*d", scale+1, v)
	if scale == 0 {
		return sign + s
	}
	return sign + s[:len(s)-scale] + "." + s[len(s)-scale:]
}

// question is one query in both languages.
type question struct {
	items          []item
	carnet, sqlite string
}

// question makes a query over a product named like the table.
func (w *world) question(from string) question {
	var q question
	keys := w.keys()
	for _, k := range keys {
		it := item{carnet: k, sqlite: k}
		q.items = append(q.items, it)
	}
	for range 1 + w.IntN(3) {
		q.items = append(q.items, w.aggregate())
	}
	var carnet, sqlite []string
	for i, it := range q.items {
		carnet, sqlite = append(carnet, fmt.Sprintf("%s AS x%d", it.carnet, i)), append(sqlite, fmt.Sprintf("%s AS x%d", it.sqlite, i))
	}
	tail := ""
	if w.IntN(4) > 0 {
		tail += " WHERE " + w.predicate(2)
	}
	having := [2]string{}
	if len(keys) > 0 {
		tail += " GROUP BY " + strings.Join(keys, ", ")
		if w.IntN(3) == 0 {
			having = w.having()
		}
	}
	order, limit := [2]string{}, ""
	if len(keys) > 0 {
		order, limit = w.order(keys)
	}
	q.carnet = "SELECT " + strings.Join(carnet, ", ") + " FROM " + from + tail + having[0] + order[0] + limit
	q.sqlite = "SELECT " + strings.Join(sqlite, ", ") + " FROM " + w.table + tail + having[1] + order[1] + limit
	return q
}

// keys chooses the columns to group by.
func (w *world) keys() (keys []string) {
	all := []string{"jurisdiction"}
	for _, d := range w.schema.Dimensions {
		all = append(all, d.Name, d.Name)
	}
	for _, p := range w.schema.Partitions {
		all = append(all, p.Name)
	}
	seen := map[string]bool{}
	for range w.IntN(3) {
		if k := all[w.IntN(len(all))]; !seen[k] {
			keys, seen[k] = append(keys, k), true
		}
	}
	return keys
}

func (w *world) aggregate() item {
	m := &w.schema.Measures[w.IntN(len(w.schema.Measures))]
	switch w.IntN(6) {
	case 0:
		return item{"COUNT(*)", "COUNT(*)", scaled(0)}
	case 1:
		return item{"COUNT(" + m.Name + ")", "COUNT(" + m.Name + ")", scaled(0)}
	case 2, 3:
		return item{"SUM(" + m.Name + ")", "SUM(" + m.Name + ")", scaled(m.Scale)}
	case 4:
		return item{"AVG(" + m.Name + ")", fmt.Sprintf("SUM(%[1]s) || '/' || NULLIF(COUNT(%[1]s), 0)", m.Name), scaled(m.Scale)}
	}
	if !m.Squares {
		return item{"COUNT(*)", "COUNT(*)", scaled(0)}
	}
	return item{"VAR_POP(" + m.Name + ")", fmt.Sprintf("NULLIF(COUNT(%[1]s), 0) || '|' || SUM(%[1]s) || '|' || SUM(%[1]s * %[1]s)", m.Name), variance(m.Scale)}
}
