package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmesAgree compares the commands and links of the two README files, and the
// commands with the targets of the Makefile.
func TestReadmesAgree(t *testing.T) {
	root := filepath.Join("..", "..")
	english, err := ReadPage(root, "README.md")
	require.NoError(t, err)
	chinese, err := ReadPage(root, "README.zh-CN.md")
	require.NoError(t, err)
	require.Equal(t, shell(english), shell(chinese))
	require.Equal(t, links(english), links(chinese))

	data, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(string(data), -1) {
		targets[m[1]] = true
	}
	commands := shell(english)
	require.NotEmpty(t, commands)
	for _, c := range commands {
		words := strings.Fields(c)
		require.Len(t, words, 2, "README.md: %q is not one call of make", c)
		require.Equal(t, "make", words[0])
		require.True(t, targets[words[1]], "the Makefile has no target %s", words[1])
	}
}

func shell(p *Page) (out []string) {
	for _, b := range p.Blocks {
		if b.Lang == "sh" {
			out = append(out, strings.TrimSpace(b.Text))
		}
	}
	return out
}

// links are the targets in order; a README's link to the other one counts as the same.
func links(p *Page) (out []string) {
	for _, l := range p.Links {
		if strings.HasPrefix(l.Target, "README") {
			l.Target = "README"
		}
		out = append(out, l.Target)
	}
	return out
}
