package advise

import (
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/schema"
)

// Questions returns typical questions about tables of a schema: a sum where one
// dimension has a code, over a range, where two dimensions have codes, and by one and
// two dimensions.
func Questions(s *schema.Schema) []string {
	sum := "COUNT(*)"
	if len(s.Measures) > 0 {
		sum = "SUM(" + s.Measures[0].Name + ")"
	}
	order := bySize(s)
	if len(order) == 0 {
		return []string{"SELECT " + sum + " FROM t"}
	}
	is := func(i int) string {
		d := &s.Dimensions[i]
		return d.Name + " = " + literal(d, len(d.Codes)/2)
	}
	where := func(conds ...string) string {
		return "SELECT " + sum + " FROM t WHERE " + strings.Join(conds, " AND ")
	}
	list := []string{where(is(order[0]))}
	for i := range s.Dimensions {
		if d := &s.Dimensions[i]; len(d.Codes) >= rangeCodes && inOrder(d) {
			list = append(list, where(fmt.Sprintf("%s BETWEEN %s AND %s", d.Name, literal(d, len(d.Codes)/4), literal(d, len(d.Codes)/2))))
			break
		}
	}
	if len(order) > 1 {
		list = append(list, where(is(order[0]), is(order[1])))
	}
	last := &s.Dimensions[order[len(order)-1]]
	list = append(list, fmt.Sprintf("SELECT %s, %s FROM t GROUP BY %s", last.Name, sum, last.Name))
	if len(order) > 1 {
		next := &s.Dimensions[order[len(order)-2]]
		by := next.Name + ", " + last.Name
		list = append(list, fmt.Sprintf("SELECT %s, %s FROM t GROUP BY %s", by, sum, by))
	}
	return list
}

func literal(d *schema.Dimension, code int) string {
	return "'" + strings.ReplaceAll(d.Codes[code].Value, "'", "''") + "'"
}
