package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/schema"
)

// The terms that owners are told to start from are complete and fit the examples.
func TestPolicyTermsFitTheExamples(t *testing.T) {
	files, err := filepath.Glob("../../policies/terms/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range []string{"cube", "records"} {
		path := filepath.Join("../../examples/customs", name+".yaml")
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		s, err := schema.Parse(path, data)
		require.NoError(t, err)
		for _, file := range files {
			terms, _, err := readTerms(file)
			require.NoError(t, err, file)
			require.NoError(t, fitTerms(file, &terms, s), file)
		}
	}
}
