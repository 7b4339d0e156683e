package plan

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/schema"
)

// TestReferenceAgainstPostgres runs the examples of the SQL reference in PostgreSQL:
// every one that is accepted is valid there and has the same answer.
func TestReferenceAgainstPostgres(t *testing.T) {
	pg := startPostgres(t)
	text, err := os.ReadFile("../../docs/reference/sql.md")
	require.NoError(t, err)
	blocks := fence.FindAllStringSubmatch(string(text), -1)
	s, err := schema.Parse("sql.md", []byte(blocks[0][2]))
	require.NoError(t, err)
	var queries []string
	for _, b := range blocks[1:] {
		if b[1] != "sql" {
			continue
		}
		for _, sql := range strings.Split(b[2], ";") {
			// Names of products have a form of their own, and private parameters are an extension.
			if sql = strings.ReplaceAll(sql, "acme/trade", "trade"); strings.Contains(sql, "SELECT") && !strings.Contains(sql, "PRIVATE") {
				queries = append(queries, sql)
			}
		}
	}
	require.Greater(t, len(queries), 40)
	owners := declarants(60)
	// Partitions, and codes with leading zeros, compare as numbers do in an INTEGER column.
	setup := pgTable(s, owners) + "ALTER TABLE trade ALTER year TYPE INTEGER USING year::int, ALTER half TYPE INTEGER USING half::int, ALTER chapter TYPE INTEGER USING chapter::int;"
	want := pg.run(t, setup, queries)
	benches := []*bench{newBench(t, s, layouts[0], false, owners), newBench(t, s, layouts[1], false, owners)}
	compared := 0
	for i, q := range queries {
		require.False(t, len(want[i]) == 1 && strings.HasPrefix(want[i][0][0], "ERROR"), "%s\n%v", q, want[i])
		for _, b := range benches {
			if got, err := b.ask(t, q); err == nil {
				sameAsPostgres(t, q, want[i], got, false)
				compared++
			}
		}
	}
	require.Greater(t, compared, len(queries))
}
