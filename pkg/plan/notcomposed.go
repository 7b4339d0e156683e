package plan

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
)

func (c *collector) notCounted(columns []string) error {
	list := strings.Join(columns, ", ")
	return query.Refuse(c.by.At, "NOT_STORED", "%s needs the number of rows where none of %s is NULL", query.Format(c.by), list).
		Fix("a new version of the schema can declare a measure with a formula over %s, or that some of them are never NULL", list)
}

// notComposed refuses a polynomial that no stored quantities add up to.
func (c *collector) notComposed(p query.Polynomial, t query.Term, rows []string) error {
	one := query.Polynomial{Terms: []query.Term{{Factors: t.Factors, Coefficient: big.NewRat(1, 1)}}}
	r := query.Refuse(c.by.At, "NOT_STORED", "%s needs the sum of %s%s, which schema %s does not store", query.Format(c.by), one, whereNotNull(rows, t.Factors), c.names.u.Schema.ID())
	var others []string
	for _, m := range rows {
		if !slices.Contains(t.Factors, m) {
			others = append(others, m)
		}
	}
	degree, higher := c.degree(t, rows), ""
	if degree > 0 {
		higher = fmt.Sprintf(", or set degree: %d", degree)
	} else if len(t.Factors) > 2 {
		degree = len(t.Factors) + len(others)
	}
	if degree > 0 {
		r = query.Refuse(c.by.At, "DEGREE", "%s needs the sum of %s%s, a product of %d columns", query.Format(c.by), one, whereNotNull(rows, t.Factors), degree)
	}
	if len(t.Factors) == 2 && len(others) == 0 {
		x, y := c.inOrder(t.Factors[0], t.Factors[1])
		if x == y {
			return r.Fix("use SUM(%s) or AVG(%s); a new version of the schema can set squares: true for %s", x, x, x)
		}
		return r.Fix("use SUM(%s) and SUM(%s); a new version of the schema can list %s under products of %s", x, y, y, x)
	}
	if len(t.Factors) <= 2 && len(others) > 0 {
		if c.by.Func.Pairs() || c.by.Func == query.Count {
			return r.Fix("a new version of the schema can declare a measure with formula: %s, or that %s %s never NULL%s", withColumns(one, others), strings.Join(others, ", "), isOrAre(len(others)), higher)
		}
		return r.Fix("a new version of the schema can declare a measure with formula: %s, or that %s %s never NULL%s", p, strings.Join(others, ", "), isOrAre(len(others)), higher)
	}
	return r.Fix("a new version of the schema can declare a measure with formula: %s%s", p, higher)
}

// degree is how many columns a term would multiply where a higher degree of the schema
// would do, else 0.
func (c *collector) degree(t query.Term, rows []string) int {
	q, ok := c.term(t, rows)
	if !ok {
		return 0
	}
	lists, ok := q.of.columns(c.names.u.Encoding)
	if !ok || len(lists) <= c.names.u.Profile.MaxDegree() || len(lists) > functional.MaxDegree {
		return 0
	}
	return len(lists)
}

func whereNotNull(rows, own []string) string {
	var others []string
	for _, m := range rows {
		if !slices.Contains(own, m) {
			others = append(others, m)
		}
	}
	switch len(others) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" where %s is not NULL", others[0])
	}
	return fmt.Sprintf(" where %s are not NULL", strings.Join(others, ", "))
}

// withColumns writes a polynomial that is NULL where one of the columns is.
func withColumns(p query.Polynomial, columns []string) string {
	s := p.String()
	for _, m := range columns {
		if !slices.Contains(p.Terms[0].Factors, m) {
			s += " + 0 * " + query.Quote(m)
		}
	}
	return s
}
