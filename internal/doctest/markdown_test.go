package doctest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const sample = "# A page: *of* things\n\nSee [one](a.md#x) and ![two](b.svg), not `[three](c.md)`.\n\n" +
	"```sh\necho a\n```\n\n```text\na   b\n…\n```\n\n" + pauseMark + "\n\n## A page\n\n```yaml\nx: [1](2)\n```\nwords\n```text\nno\n```\n## A page\n"

func TestAPageIsTakenApart(t *testing.T) {
	p := parsePage("p.md", sample)
	require.Equal(t, []Link{{"a.md#x", 3}, {"b.svg", 3}}, p.Links)
	require.Equal(t, map[string]bool{"a-page-of-things": true, "a-page": true, "a-page-1": true}, p.Anchors)
	require.Equal(t, 2, p.Pause)
	require.Len(t, p.Blocks, 4)
	steps := p.steps(0, len(p.Blocks))
	require.Len(t, steps, 1)
	require.Equal(t, "echo a\n", steps[0].Text)
	require.Equal(t, []string{"a b"}, steps[0].Want)
}

func TestOutputIsComparedInOrder(t *testing.T) {
	out := "first  line\n  12 rows in 3.4 s\nlast [X]\n"
	require.Empty(t, missing(nil, out))
	require.Empty(t, missing([]string{"first line", "… rows in … s", "last [X]"}, out))
	require.Equal(t, "first line", missing([]string{"last [X]", "first line"}, out))
	require.Equal(t, "rows", missing([]string{"rows"}, out))
	require.Equal(t, "last", missing([]string{"last"}, out))
}
