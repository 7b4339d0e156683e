package client

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A query that expires says what was missing.
func TestExpiredSaysWhatWasMissing(t *testing.T) {
	require.ErrorContains(t, (&Status{State: Expired, Answers: 1, Threshold: 3}).failed(), "only 1 of the 3 answers needed")
	private := &Status{State: Expired, Threshold: 3, Checks: 4, Needed: 5}
	require.ErrorContains(t, private.failed(), "only 4 of the 5 checks of the private parameter")
	private.Checks = 5
	require.ErrorContains(t, private.failed(), "only 0 of the 3 answers needed")
}
