package doctest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What docs/howto/vault.md says in its heading: ten commands of Vault's and the keyholder's
// own lead from an empty Vault to a running keyholder. TestPages runs them.
func TestTenCommands(t *testing.T) {
	page, err := ReadPage(repository(t), "docs/howto/vault.md")
	require.NoError(t, err)
	require.True(t, page.Anchors["ten-commands"])
	var commands []string
	for _, b := range page.Blocks {
		if b.Lang != "sh" {
			continue
		}
		for line := range strings.Lines(b.Text) {
			if !strings.HasPrefix(line, "vault ") && !strings.HasPrefix(line, "carnet-keyholder ") {
				continue
			}
			if commands = append(commands, line); strings.HasPrefix(line, "carnet-keyholder run ") {
				require.Len(t, commands, 10, commands)
				return
			}
		}
	}
	t.Fatal("no keyholder is run")
}
