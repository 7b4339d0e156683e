package carnettest

import (
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

type schemaLayout = carnet.Layout

// predicate makes a condition that reads the same in both languages.
func (w *world) predicate(depth int) string {
	if depth > 0 && w.IntN(3) == 0 {
		switch w.IntN(3) {
		case 0:
			return "NOT (" + w.predicate(depth-1) + ")"
		case 1:
			return "(" + w.predicate(depth-1) + " OR " + w.predicate(depth-1) + ")"
		}
		return w.predicate(depth-1) + " AND " + w.predicate(depth-1)
	}
	switch w.IntN(8) {
	case 0:
		return fmt.Sprintf("jurisdiction %s '%s'", w.pick("=", "<>"), w.owners[w.IntN(len(w.owners))].Jurisdiction)
	case 1:
		if len(w.schema.Partitions) > 0 {
			return fmt.Sprintf("year %s '%d'", w.pick("=", "<>", ">", "<="), 2020+w.IntN(2))
		}
	}
	d := &w.schema.Dimensions[w.IntN(len(w.schema.Dimensions))]
	code := func() string { return "'" + d.Codes[w.IntN(len(d.Codes))].Value + "'" }
	switch w.IntN(6) {
	case 0:
		return d.Name + w.pick(" IS NULL", " IS NOT NULL")
	case 1:
		list := []string{code(), code()}
		return d.Name + w.pick(" IN (", " NOT IN (") + strings.Join(list, ", ") + ")"
	case 2:
		return fmt.Sprintf("%s BETWEEN %s AND %s", d.Name, code(), code())
	}
	return fmt.Sprintf("%s %s %s", d.Name, w.pick("=", "=", "<>", "<", ">="), code())
}

func (w *world) pick(of ...string) string { return of[w.IntN(len(of))] }

// having makes a condition on groups; SQLite's numbers are scaled.
func (w *world) having() [2]string {
	if w.IntN(2) == 0 {
		s := fmt.Sprintf(" HAVING COUNT(*) %s %d", w.pick(">", "<=", "<>"), w.IntN(20))
		return [2]string{s, s}
	}
	m := &w.schema.Measures[w.IntN(len(w.schema.Measures))]
	lo, hi := m.Bounds()
	v := lo + w.Int64N(hi-lo+1)
	op := w.pick(">", "<=")
	return [2]string{
		fmt.Sprintf(" HAVING SUM(%s) %s %s", m.Name, op, decimal(v, m.Scale)),
		fmt.Sprintf(" HAVING SUM(%s) %s %d", m.Name, op, v),
	}
}

// order orders by an output column first, perhaps, and by every key, so that the
// order is total. NULLs are larger than everything in Carnet, as in PostgreSQL.
func (w *world) order(keys []string) (order [2]string, limit string) {
	var carnet, sqlite []string
	add := func(col string) {
		if w.IntN(2) == 0 {
			carnet, sqlite = append(carnet, col), append(sqlite, col+" ASC NULLS LAST")
		} else {
			carnet, sqlite = append(carnet, col+" DESC"), append(sqlite, col+" DESC NULLS FIRST")
		}
	}
	for _, k := range keys {
		add(k)
	}
	if w.IntN(2) == 0 {
		limit = fmt.Sprintf(" LIMIT %d", 1+w.IntN(5))
	}
	return [2]string{" ORDER BY " + strings.Join(carnet, ", "), " ORDER BY " + strings.Join(sqlite, ", ")}, limit
}
