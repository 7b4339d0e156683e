package carnettest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// consignmentsYAML is a schema with every encoding, for products of four columns.
const consignmentsYAML = `
name: consignments
version: 1
dimensions:
  - {name: origin, nullable: true, encoding: digits, codes: [AM, AZ, BY, CN, DE, GE, IR, KG, KZ, MN, PL, RU, TJ, TM, TR, UZ]}
  - {name: month, encoding: cumulative, codes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}
  - {name: mode, codes: [air, rail, road]}
  - {name: direction, codes: [E, I]}
measures:
  - {name: value, min: 0, max: 100000}
combine:
  - dimensions: [mode, direction]
degree: %d
limits: {rows: 10000, datasets: 4}
layouts: [records]
`

// Rule: however dimensions are encoded and as many columns are multiplied as the
// profile allows, an encrypted answer is exactly the answer, released by 3 of 5
// keyholders who recomputed it.
func TestEncodedDimensions(t *testing.T) {
	t.Parallel()
	degrees := []int{3, 4}
	if testing.Short() {
		degrees = degrees[:1]
	}
	n := Start(t, Options{})
	ref := newTruth(t)
	ref.exec(t, "CREATE TABLE t (origin TEXT, month INTEGER, mode TEXT, direction TEXT, value INTEGER)")
	texts := map[carnet.PartyID]string{}
	for i, o := range n.Owners {
		text := "origin,month,mode,direction,value\n"
		for r := range 200 {
			x := i*1000 + r
			origin := []string{"AM", "AZ", "BY", "CN", "DE", "GE", "IR", "KG", "KZ", "MN", "PL", "RU", "TJ", "TM", "TR", "UZ", ""}[x*7%17]
			fields := []any{origin, 1 + x*5%12, []string{"air", "rail", "road"}[x/3%3], []string{"E", "I"}[x/2%2], x * 37 % 100001}
			text += strings.ReplaceAll(fmt.Sprintln(fields...), " ", ",")
			if origin == "" {
				fields[0] = nil
			}
			ref.exec(t, "INSERT INTO t VALUES (?, ?, ?, ?, ?)", fields...)
		}
		texts[o.ID] = text
	}
	for _, degree := range degrees {
		s := ParseSchema(t, fmt.Sprintf(consignmentsYAML, degree))
		s.Version = degree
		product := carnet.ProductID(fmt.Sprintf("consignments-%d", degree))
		var sets []*Dataset
		for _, o := range n.Owners {
			sets = append(sets, n.Publish(t, Publication{Owner: o.ID, Name: string(product), Schema: s, Layout: carnet.LayoutRecords, CSV: texts[o.ID]}))
		}
		n.Product(t, product, sets...)
		twin := PlainOf(sets...)
		for _, q := range []struct {
			sql    string
			degree int
		}{
			{"SELECT COUNT(*) FROM t WHERE month BETWEEN 3 AND 7", 1},
			{"SELECT mode, direction, SUM(value) FROM t GROUP BY mode, direction", 2},
			{"SELECT SUM(value) FROM t WHERE origin = 'KZ' OR origin IS NULL", 3},
			{"SELECT mode, COUNT(*) FROM t WHERE origin IN ('DE', 'PL', 'UZ') GROUP BY mode", 3},
			{"SELECT SUM(value) FROM t WHERE origin <> 'KZ' AND month > 10", 4},
		} {
			sql := strings.Replace(q.sql, "FROM t", `FROM "`+string(product)+`"`, 1)
			_, compiled, err := n.Client(t, "buyer").Explain(Context(t), product, sql)
			if q.degree > degree {
				require.Equal(t, "DEGREE", carnet.ReasonOf(err), sql)
				continue
			}
			require.NoError(t, err, sql)
			require.Equal(t, q.degree, compiled.Certificate.Degree, sql)
			a := n.Ask(t, "buyer", product, sql)
			want := ref.rows(t, q.sql)
			require.ElementsMatch(t, want, Rows(a.Result), sql)
			require.Equal(t, Rows(Twin(t, compiled, twin)), Rows(a.Result), sql)
			require.Equal(t, 3, a.Attested, sql)
			require.Empty(t, a.Liars)
		}
	}
}
