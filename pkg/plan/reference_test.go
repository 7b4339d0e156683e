package plan

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

var fence = regexp.MustCompile("(?s)```(yaml|sql|sql refused)\n(.*?)```")

// TestReference executes the examples of the SQL reference: those in blocks marked
// sql run in both layouts, or in the one that a first comment names, and the others
// are refused for the reason in the comment behind them.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/sql.md")
	require.NoError(t, err)
	blocks := fence.FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(blocks), 8)
	require.Equal(t, strings.Count(string(text), "```"), 2*len(blocks), "a block of another kind")

	require.Equal(t, "yaml", blocks[0][1])
	s, err := schema.Parse("sql.md", []byte(blocks[0][2]))
	require.NoError(t, err)
	require.Equal(t, customs(), s)
	benches := map[carnet.Layout]*bench{}
	for _, l := range layouts {
		benches[l] = newBench(t, s, l, false, declarants(60)).private()
	}
	for _, b := range blocks[1:] {
		if b[1] == "sql refused" {
			refusedExamples(t, benches, b[2])
			continue
		}
		in := layouts
		for _, l := range layouts {
			if strings.HasPrefix(b[2], "-- "+string(l)+"\n") {
				in = []carnet.Layout{l}
			}
		}
		for _, sql := range strings.SplitAfter(strings.TrimSpace(b[2]), ";") {
			if strings.TrimSpace(sql) == "" {
				continue
			}
			_, err := query.Parse(sql)
			require.NoError(t, err, sql)
			for _, l := range in {
				_, err := benches[l].ask(t, sql)
				require.NoError(t, err, "%s: %s", l, sql)
			}
			if len(in) == 1 && in[0] == carnet.LayoutCube {
				require.Equal(t, "DEGREE", benches[carnet.LayoutRecords].refused(t, sql))
			}
		}
	}
}

func refusedExamples(t *testing.T, benches map[carnet.Layout]*bench, text string) {
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		sql, comment, ok := strings.Cut(line, "; -- ")
		require.True(t, ok, line)
		reason, _, _ := strings.Cut(comment, ":")
		for _, b := range benches {
			require.Equal(t, reason, b.refused(t, sql), sql)
		}
	}
}
