package carnettest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/plan"
)

// privateQuestions are queries with private parameters, with the product they are asked of.
var privateQuestions = []struct {
	product carnet.ProductID
	sql     string
	values  []string
}{
	{"cube", "SELECT month, COUNT(*), SUM(value), AVG(weight), VAR_POP(value) FROM cube WHERE chapter = PRIVATE($1) GROUP BY month ORDER BY month", []string{"84"}},
	{"records", "SELECT COUNT(*), SUM(value), AVG(weight) FROM records WHERE chapter = PRIVATE($1)", []string{"02"}},
	{"cube", "SELECT COUNT(*), SUM(value) FROM cube WHERE chapter IN (PRIVATE($2), PRIVATE($1)) AND month = '02' AND owner <> 'uz'", []string{"84", "01"}},
	{"records", "SELECT COUNT(*) FROM records WHERE month = '01' AND chapter = PRIVATE($1)", []string{"01"}},
	{"records", "SELECT COUNT(*), SUM(value) FROM records WHERE chapter IN (PRIVATE($1), PRIVATE($2))", []string{"", "02"}},
	{"cube", "SELECT COUNT(*) FROM cube WHERE chapter IN (PRIVATE($1), PRIVATE($2))", []string{"", ""}},
	{"cube", "SELECT COUNT(*), SUM(value) FROM cube WHERE month = PRIVATE($2) AND chapter = PRIVATE($1)", []string{"84", "02"}},
}

// written is the query with the values in it; an empty one is NULL.
func written(sql string, values []string) string {
	for i, v := range values {
		sql = strings.ReplaceAll(sql, fmt.Sprintf("PRIVATE($%d)", i+1), strings.ReplaceAll("'"+v+"'", "''", "NULL"))
	}
	return sql
}

// Rule (scheme §7): a query with private parameters has exactly the answer of the query
// with the values written into it, over one owner and unions, in both layouts, for every
// shape of committee that can check it.
func TestPrivateParameters(t *testing.T) {
	t.Parallel()
	for i, o := range []Options{
		{Keyholders: 5, Threshold: 2}, {Keyholders: 8, Threshold: 3}, {Keyholders: 4, Threshold: 2}, {Keyholders: 5, Threshold: 3, PrivateChecks: 5},
	} {
		t.Run(fmt.Sprintf("%d of %d", o.Threshold, o.Keyholders), func(t *testing.T) {
			sets := map[carnet.ProductID][]*Dataset{}
			if testing.Short() && i > 0 && o.PrivateChecks == 0 {
				t.Skip("takes more keyholders")
			}
			layouts, questions := []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords}, privateQuestions
			if testing.Short() && i > 0 {
				layouts, questions = layouts[:1], questions[:1]
			}
			n := Start(t, o)
			for _, layout := range layouts {
				sets[carnet.ProductID(layout)] = publishTrade(t, n, layout)
			}
			for _, x := range questions {
				a := n.SubmitPrivate(t, "buyer", x.product, x.sql, x.values...)
				got, err := n.Open(t, a)
				require.NoError(t, err, x.sql)
				require.Equal(t, n.writtenAnswer(t, x.product, written(x.sql, x.values), sets[x.product]), Rows(got.Result), x.sql)
				require.Len(t, got.Used, o.Keyholders)
				require.Empty(t, got.Liars)
				require.False(t, got.Unattested)
				require.Equal(t, o.Keyholders, got.Attested)
				detected, corrected := a.Plan.Committee.SelectedGuarantees(o.Keyholders)
				require.Equal(t, []int{detected, corrected}, []int{got.Detectable, got.Correctable})
				// Later, from the query's hash and the identity alone.
				again, err := n.Client(t, "buyer").Reopen(Context(t), n.identities["buyer"], a.Hash, nil)
				require.NoError(t, err)
				require.Equal(t, Rows(got.Result), Rows(again.Result))
			}
		})
	}
}

// writtenAnswer is what the plaintext answers to a query without private parameters.
func (n *Network) writtenAnswer(t *testing.T, product carnet.ProductID, sql string, sets []*Dataset) [][]string {
	t.Helper()
	_, p, err := n.Client(t, "buyer").Explain(Context(t), product, sql)
	require.NoError(t, err)
	return Rows(Twin(t, p, PlainOf(sets...)))
}

// TestPrivateRefusals: what a committee or a product can't do is refused when the query
// is compiled, by everybody, with the reason.
func TestPrivateRefusals(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	c := n.Client(t, "buyer")
	_, err := c.AskPrivate(Context(t), n.identities["buyer"], "cube", "SELECT COUNT(*) FROM cube WHERE chapter = PRIVATE($1)", []string{"84"}, Purpose, 0)
	require.Equal(t, "PRIVATE_COMMITTEE", carnet.ReasonOf(err))
	r := plan.RefusalOf(err)
	require.NotNil(t, r)
	require.Contains(t, r.Remedy, "private_checks: 3")
	_, err = c.AskPrivate(Context(t), n.identities["buyer"], "cube", "SELECT COUNT(*) FROM cube", []string{"84"}, Purpose, 0)
	require.Equal(t, "PRIVATE_VALUES", carnet.ReasonOf(err))
	_, err = n.Client(t, Operator).RegisterCommittee(Context(t), n.identities[Registrar],
		carnet.Committee{ID: "other", Members: n.Committee.Members, Threshold: 2, Quorum: 3, PrivateChecks: 2})
	require.Equal(t, "BAD_COMMITTEE", carnet.ReasonOf(err))

	home := Start(t, Options{Keyholders: 5, Threshold: 2})
	publishTrade(t, home, carnet.LayoutCube, func(i int, p *Publication) {
		if i == 1 {
			p.Home = "kh3"
		}
	})
	_, err = home.Client(t, "buyer").AskPrivate(Context(t), home.identities["buyer"], "cube", "SELECT COUNT(*) FROM cube WHERE chapter = PRIVATE($1)", []string{"84"}, Purpose, 0)
	require.Equal(t, "PRIVATE_HOME", carnet.ReasonOf(err))
	_, _, err = home.Client(t, "buyer").Explain(Context(t), "cube", "SELECT COUNT(*) FROM cube WHERE chapter = PRIVATE($1) AND owner <> 'uz'")
	require.NoError(t, err, "the others' data are under no veto")
}

// Rule: nobody but the buyer learns which codes were selected. Queries that differ in
// them only are alike in size and plan, and the values appear in no message, ledger,
// database, blob or log.
func TestPrivateValuesStayWithTheBuyer(t *testing.T) {
	t.Parallel()
	const first, second = "ZQXJ7", "KVWY3"
	n := Start(t, Options{Keyholders: 5, Threshold: 2, Owners: []Owner{{"kz", "KZ"}}})
	schema := ParseSchema(t, `
name: secrets
version: 1
dimensions:
  - name: partner
    codes: [{value: `+first+`}, {value: AAAAA}, {value: `+second+`}, {value: BBBBB}]
measures: [{name: value, min: "0", max: "1000"}]
limits: {rows: 1000, datasets: 1}
layouts: [cube]
`)
	d := n.Publish(t, Publication{Owner: "kz", Name: "secrets", Schema: schema, Layout: carnet.LayoutCube, CSV: "partner,value\n" + first + ",7\nAAAAA,5\n" + second + ",11\n"})
	n.Product(t, "secrets", d)
	var mu sync.Mutex
	sizes, current := map[string]int{}, ""
	n.Watch(func(m *Message) error {
		mu.Lock()
		defer mu.Unlock()
		b, err := proto.Marshal(m.Body)
		if err != nil {
			return err
		}
		if current != "" && !m.FromGateway && m.Party == "buyer" {
			sizes[current+m.Method] += len(b)
		}
		return nil
	})
	ask := func(value string) *client.Asked {
		mu.Lock()
		current = value
		mu.Unlock()
		a := n.SubmitPrivate(t, "buyer", "secrets", "SELECT SUM(value) FROM secrets WHERE partner = PRIVATE($1)", value)
		got, err := n.Open(t, a)
		require.NoError(t, err)
		require.Equal(t, [][]string{{map[string]string{first: "7", second: "11"}[value]}}, Rows(got.Result))
		return a
	}
	one, two := ask(first), ask(second)
	const submit = "/carnet.v1.QueryService/SubmitQuery"
	require.NotZero(t, sizes[first+submit])
	require.Equal(t, sizes[first+submit], sizes[second+submit])
	require.Equal(t, len(one.Query.Private.Deltas), len(two.Query.Private.Deltas))
	require.Equal(t, one.Query.Plan, two.Query.Plan, "the plan is the same whatever is selected")
	require.NotEqual(t, one.Query.Private.Commitments, two.Query.Private.Commitments)
	// The schema names the codes; nothing else does.
	for _, e := range n.Gateway.Journal(t) {
		if e.Envelope.PayloadType != carnet.TypeSchema {
			require.NotContains(t, string(e.Envelope.Payload), first)
			require.NotContains(t, string(e.Envelope.Payload), second)
		}
	}
	require.NotContains(t, n.Log(), first)
	require.NoError(t, filepath.WalkDir(n.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, ".csv") || strings.Contains(path, ".db") {
			return err // the table, and databases with the journal in them
		}
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(b, []byte(first)) {
			return fmt.Errorf("%s contains the value", path)
		}
		return err
	}))
}
