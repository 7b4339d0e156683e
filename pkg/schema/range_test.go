package schema

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A range is a short way of writing a list: the schema is the same.
func TestRange(t *testing.T) {
	for written, list := range map[string]string{
		"range: [9, 11]":                  `codes: ["9", "10", "11"]`,
		"range: [-1, 1]":                  `codes: ["-1", "0", "1"]`,
		"range: [0.08, 0.11]":             `codes: ["0.08", "0.09", "0.10", "0.11"]`,
		"range: [2024-02-28, 2024-03-01]": `codes: [2024-02-28, 2024-02-29, 2024-03-01]`,
		"range: [7, 7]":                   `codes: ["7"]`,
		"range: [0, 25, 10]":              `codes: ["0", "10", "20"]`,
		"range: [0.0, 1.0, 0.5]":          `codes: ["0.0", "0.5", "1.0"]`,
	} {
		read := func(codes string) *Schema {
			s, err := Parse("range.yaml", []byte("name: a\nversion: 1\ndimensions:\n  - {name: d, "+codes+"}\nlimits: {rows: 1, datasets: 1}\nlayouts: [cube]\n"))
			require.NoError(t, err, codes)
			return s
		}
		require.Equal(t, read(list), read(written))
	}
	for _, wrong := range []string{"[0, 10, 0]", "[0, 10, -1]", "[0, 10, 0.5]", "[2024-01-01, 2024-12-31, 7]", "[1]", "[1, 2, 3, 4]"} {
		_, err := Parse("range.yaml", []byte("name: a\nversion: 1\ndimensions:\n  - {name: d, range: "+wrong+"}\nlimits: {rows: 1, datasets: 1}\nlayouts: [cube]\n"))
		require.Error(t, err, wrong)
	}
}
