package carnettest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Rule: on generated schemas, rows of several owners and random codes, in both layouts and
// every encoding, what a buyer opens of a query with private parameters is what SQLite
// answers to the query with the values written into it.
func TestPrivateAnswersEqualSQLite(t *testing.T) {
	t.Parallel()
	seeds, questions := 2, 2
	switch {
	case long():
		seeds, questions = 30, 8
	case testing.Short():
		t.Skip("the plaintext twin checks the same in package plan")
	}
	n := Start(t, Options{Keyholders: 5, Threshold: 2})
	answered := 0
	for seed := range seeds {
		w := generate(uint64(100 + seed))
		ref := newTruth(t)
		for _, s := range w.insert {
			ref.exec(t, s)
		}
		for _, layout := range w.schema.Layouts {
			product := carnet.ProductID(fmt.Sprintf("%s-%s", w.schema.Name, layout))
			var sets []*Dataset
			for _, o := range w.owners {
				sets = append(sets, n.Publish(t, Publication{Owner: o.ID, Name: string(product), Schema: w.schema, Layout: layout, CSV: w.csv[string(o.ID)]}))
			}
			n.Product(t, product, sets...)
			for range questions {
				d := &w.schema.Dimensions[w.IntN(len(w.schema.Dimensions))]
				codes := w.Perm(len(d.Codes))[:1+w.IntN(len(d.Codes)-1)]
				list := [2]string{}
				var values []string
				for i, c := range codes {
					if i > 0 {
						list[0], list[1] = list[0]+", ", list[1]+", "
					}
					list[0] += fmt.Sprintf("PRIVATE($%d)", i+1)
					list[1] += "'" + d.Codes[c].Value + "'"
					values = append(values, d.Codes[c].Value)
				}
				items := []item{w.aggregate(), w.aggregate()}
				q := "SELECT %s, %s FROM %s WHERE jurisdiction <> 'KZ' AND " + d.Name + " IN (%s)"
				sql := fmt.Sprintf(q, items[0].carnet, items[1].carnet, `"`+string(product)+`"`, list[0])
				if _, _, err := n.Client(t, "buyer").Explain(Context(t), product, sql); err != nil {
					require.Equal(t, "DEGREE", carnet.ReasonOf(err), sql)
					continue
				}
				got, err := n.Open(t, n.SubmitPrivate(t, "buyer", product, sql, values...))
				require.NoError(t, err, sql)
				same(t, items, got.Result, ref.rows(t, fmt.Sprintf(q, items[0].sqlite, items[1].sqlite, w.table, list[1])), sql)
				answered++
			}
		}
	}
	require.NotZero(t, answered)
}
