//go:build unix

package main

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNoCoreDumps: the limit is zero as soon as any command runs.
func TestNoCoreDumps(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, run([]string{"version"}, streams{nil, &out, &out}))
	var l syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_CORE, &l))
	require.Zero(t, l.Cur)
	require.Zero(t, l.Max)
}
