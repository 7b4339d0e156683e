package main

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNotDumpable: a limit on core files does not bind a program that core dumps are piped to.
func TestNotDumpable(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, run([]string{"version"}, streams{nil, &out, &out}))
	dumpable, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0)
	require.Zero(t, e)
	require.Zero(t, dumpable)
}
