package carnettest

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
)

// long reports whether the long tests were asked for.
func long() bool { return os.Getenv("CARNET_LONG") != "" }

// Rule: an encrypted answer is exactly the answer. On generated schemas, rows of
// several owners and queries, in both layouts, what the buyer opens, the plaintext
// twin and SQLite over the same rows agree: NULLs, negatives, decimals, WHERE,
// GROUP BY, HAVING, ORDER BY, LIMIT.
func TestEncryptedAnswersEqualSQLite(t *testing.T) {
	t.Parallel()
	seeds, questions := 3, 4
	switch {
	case long():
		seeds, questions = 60, 12
	case testing.Short():
		seeds, questions = 2, 1
	}
	n := Start(t, Options{})
	answered := map[carnet.Layout]int{}
	for seed := range seeds {
		w := generate(uint64(seed))
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
			twin := PlainOf(sets...)
			for done, tries := 0, 0; done < questions; tries++ {
				require.Less(t, tries, 40*questions, "hardly any query can be answered")
				q := w.question(`"` + string(product) + `"`)
				_, compiled, err := n.Client(t, "buyer").Explain(Context(t), product, q.carnet)
				if err != nil {
					// What needs a higher degree than the schema has is refused, never answered wrongly.
					require.Equal(t, carnet.LayoutRecords, layout, "%s: %v", q.carnet, err)
					var refusal *query.Refusal
					require.ErrorAs(t, err, &refusal, q.carnet)
					require.Contains(t, []string{"DEGREE", "TOO_COMPLEX"}, carnet.ReasonOf(err), "%s: %v", q.carnet, err)
					continue
				}
				done++
				want := ref.rows(t, q.sqlite)
				what := fmt.Sprintf("seed %d %s\n%s\n%s", seed, layout, q.carnet, q.sqlite)
				if len(compiled.Openings) == 0 { // no file can match: known without asking
					got, err := compiled.Evaluate(nil)
					require.NoError(t, err)
					same(t, q.items, got, want, what)
					continue
				}
				answered[layout]++
				a := n.Ask(t, "buyer", product, q.carnet)
				same(t, q.items, a.Result, want, what)
				require.Equal(t, Rows(Twin(t, compiled, twin)), Rows(a.Result), what)
				require.Empty(t, a.Liars, what)
				require.Equal(t, 3, a.Attested, "%s\n%+v", what, a)
			}
		}
	}
	require.NotZero(t, answered[carnet.LayoutCube])
	require.NotZero(t, answered[carnet.LayoutRecords])
	t.Log("answered", answered)
}
